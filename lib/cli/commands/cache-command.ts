/** Defines the arguments of `graphene-points cache`. */
import { Argument } from 'commander';
import type { DefineCommand } from '../command.ts';

export const defineCacheCommand: DefineCommand = (command, { io, action }) =>
  command
    .addArgument(
      new Argument(
        '<action>',
        'stats shows entries and bytes; clear deletes all entries; verify checks each entry and deletes damaged ones',
      ).choices(['stats', 'clear', 'verify']),
    )
    .argument('<folder>', 'the folder given to --cache-dir')
    .action(
      action(async (what: string, folder: string) => {
        const { runCache } = await import('../run-cache.ts');
        return runCache(what, folder, io);
      }),
    );
