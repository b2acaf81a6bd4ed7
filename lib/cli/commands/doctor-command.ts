/** Defines the flags of `graphene-points doctor`. */
import type { DefineCommand } from '../command.ts';
import type { DoctorFlags } from '../run-doctor.ts';
import { bucketFlags, watershedFlags } from './volume-options.ts';

export const defineDoctorCommand: DefineCommand = (command, { io, action }) => {
  command
    .argument(
      '[cloudpath]',
      "the volume, as for lookup (default: check only this machine and the server's token)",
    )
    .option('--json', 'print JSON');
  bucketFlags(watershedFlags(command, { retries: { default: '2' } })).action(
    action(async (path: string | undefined, flags: DoctorFlags) => {
      const { runDoctor } = await import('../run-doctor.ts');
      return runDoctor(path, flags, io);
    }),
  );
};
