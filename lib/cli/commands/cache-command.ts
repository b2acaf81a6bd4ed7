/** `graphene-points cache`: its arguments. */
import { Argument } from 'commander';
import type { DefineCommand } from '../command.ts';

export const defineCacheCommand: DefineCommand = (command, { io, action }) =>
  command
    .addArgument(new Argument('<action>').choices(['stats', 'clear', 'verify']))
    .argument('<folder>', 'as given to --cache-dir')
    .action(
      action(async (what: string, folder: string) => {
        const { runCache: cache } = await import('../run-cache.ts');
        return cache(what, folder, io);
      }),
    );
