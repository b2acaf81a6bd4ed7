/** Flags of commands that read a bucket. Secrets are no flags: other users of a machine see those. */
import type { Command } from 'commander';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import { addFlags, given } from './table-flags.ts';

export const bucketFlags = (command: Command): Command =>
  addFlags(command, STORAGE_OPTIONS, ['credentials', 'profile', 'endpoint', 'requesterPays'], {
    credentials: { conflicts: ['awsProfile', 'requesterPays'] },
  });

export const storageOf = (flags: object): StorageOptions => given<StorageOptions>(STORAGE_OPTIONS, flags);
