/** `graphene-points doctor`: its flags. */
import type { DefineCommand } from '../command.ts';
import type { DoctorFlags } from '../run-doctor.ts';
import { bucketFlags, watershedFlags } from './volume-options.ts';

export const defineDoctorCommand: DefineCommand = (command, { io, action }) => {
  command
    .argument('[cloudpath]', "as for lookup (default: this machine, and the server's token)")
    .option('--json', 'as JSON');
  bucketFlags(watershedFlags(command)).action(
    action(async (path: string | undefined, flags: DoctorFlags) => {
      const { runDoctor: doctor } = await import('../run-doctor.ts');
      return doctor(path, flags, io);
    }),
  );
};
