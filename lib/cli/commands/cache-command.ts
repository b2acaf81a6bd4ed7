/** `graphene-points cache`: its arguments. */
import { Argument } from 'commander';
import type { Define } from '../command.ts';

export const define: Define = (command, { io, action }) =>
  command
    .addArgument(new Argument('<action>').choices(['stats', 'clear', 'verify']))
    .argument('<folder>', 'as given to --cache-dir')
    .action(
      action(async (what: string, folder: string) => {
        const { cache } = await import('../cache.ts');
        return cache(what, folder, io);
      }),
    );
