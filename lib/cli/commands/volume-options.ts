/** The flags that the commands on volumes share. Secrets are never flags, because other users of the machine can see flags. */
import type { Command } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { STORAGE_OPTIONS } from '../../storage/bucket-options.ts';
import { addFlags } from '../table-flags.ts';

export const graphFlags = (command: Command): Command =>
  addFlags(command, GRAPHENE_OPTIONS, ['server', 'ocdbt']);

export const watershedFlags = (command: Command): Command =>
  graphFlags(addFlags(command, GRAPHENE_OPTIONS, ['dataDir']));

export const bucketFlags = (command: Command): Command =>
  addFlags(command, STORAGE_OPTIONS, ['credentials', 'profile', 'endpoint', 'requesterPays'], {
    credentials: { conflicts: ['awsProfile', 'requesterPays'] },
  });
