/** Defines the flags of `graphene-points info`. */
import type { DefineCommand } from '../command.ts';
import type { InfoFlags } from '../run-info.ts';
import { bucketFlags, watershedFlags } from './volume-options.ts';

export const defineInfoCommand: DefineCommand = (command, { io, report, action }) => {
  command.argument('<cloudpath>', 'the volume, as for lookup').option('--json', 'print JSON');
  bucketFlags(watershedFlags(command)).action(
    action(async (path: string, flags: InfoFlags) => {
      const { runInfo } = await import('../run-info.ts');
      return runInfo(path, flags, io, report);
    }),
  );
};
