/** `graphene-points doctor`: its flags. */
import type { Define } from '../command.ts';
import type { DoctorFlags } from '../doctor.ts';
import { bucketFlags, watershedFlags } from './volume-options.ts';

export const define: Define = (command, { io, action }) => {
  command
    .argument('[cloudpath]', "as for lookup (default: this machine, and the server's token)")
    .option('--json', 'as JSON');
  bucketFlags(watershedFlags(command)).action(
    action(async (path: string | undefined, flags: DoctorFlags) => {
      const { doctor } = await import('../doctor.ts');
      return doctor(path, flags, io);
    }),
  );
};
