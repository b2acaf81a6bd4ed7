/** `graphene-points info`: its flags. */
import type { Define } from '../command.ts';
import type { InfoFlags } from '../info.ts';
import { bucketFlags, watershedFlags } from './volume-options.ts';

export const define: Define = (command, { io, report, action }) => {
  command.argument('<cloudpath>', 'as for lookup').option('--json', 'as JSON');
  bucketFlags(watershedFlags(command)).action(
    action(async (path: string, flags: InfoFlags) => {
      const { info } = await import('../info.ts');
      return info(path, flags, io, report);
    }),
  );
};
