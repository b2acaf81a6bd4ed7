/**
 * The flags that the commands on volumes share. Secrets are never flags, because other users of the machine
 * can see flags.
 */
import type { Command } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { STORAGE_OPTIONS } from '../../storage/bucket-options.ts';
import { addFlags, type FlagWording } from '../table-flags.ts';

/** The texts of shared flags that one command words differently. */
interface SharedWording {
  readonly retries?: FlagWording;
}

/** Adds the flags that choose a graph, and the number of retries. */
export const graphFlags = (command: Command, wording: SharedWording = {}): Command =>
  addFlags(command, GRAPHENE_OPTIONS, ['server', 'ocdbt', 'retries'], wording);

/** Adds the flags of `graphFlags`, and those that choose the watershed. */
export const watershedFlags = (command: Command, wording: SharedWording = {}): Command =>
  graphFlags(addFlags(command, GRAPHENE_OPTIONS, ['dataDir', 'voxelsAt']), wording);

/** Adds the flags of how chunks are read and kept. */
export const speedFlags = (
  command: Command,
  wording: { lruBytes?: FlagWording; timeoutMs?: FlagWording } = {},
): Command =>
  addFlags(
    command,
    GRAPHENE_OPTIONS,
    [
      'lruBytes',
      'lruEncoding',
      'cacheDir',
      'cacheBytes',
      'revalidate',
      'rangeReads',
      'concurrency',
      'workers',
      'timeoutMs',
    ],
    wording,
  );

/** Adds the flags for buckets and their credentials. */
export const bucketFlags = (command: Command): Command =>
  addFlags(command, STORAGE_OPTIONS, ['credentials', 'profile', 'endpoint', 'requesterPays'], {
    credentials: { conflicts: ['awsProfile', 'requesterPays'] },
  });
