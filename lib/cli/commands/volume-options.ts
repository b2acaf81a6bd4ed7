/**
 * The flags that the commands on volumes share. Secrets are never flags, because other users of the machine
 * can see flags.
 */
import type { Command } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { STORAGE_OPTIONS } from '../../storage/bucket-options.ts';
import { addFlags } from '../table-flags.ts';

/** Adds the flags that choose a graph. */
export const graphFlags = (command: Command): Command =>
  addFlags(command, GRAPHENE_OPTIONS, ['server', 'ocdbt']);

/** Adds the flags that choose a graph and its watershed. */
export const watershedFlags = (command: Command): Command =>
  graphFlags(addFlags(command, GRAPHENE_OPTIONS, ['dataDir']));

/** Adds the flags for buckets and their credentials. */
export const bucketFlags = (command: Command): Command =>
  addFlags(command, STORAGE_OPTIONS, ['credentials', 'profile', 'endpoint', 'requesterPays'], {
    credentials: { conflicts: ['awsProfile', 'requesterPays'] },
  });
