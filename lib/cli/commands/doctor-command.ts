/** `graphene-points doctor`: its flags. */
import { GRAPHENE_OPTIONS } from '../../graphene/option-tables.ts';
import { bucketFlags } from '../bucket-flags.ts';
import type { Define } from '../command.ts';
import type { DoctorFlags } from '../doctor.ts';
import { addFlags } from '../table-flags.ts';

export const define: Define = (command, { io, action }) => {
  command
    .argument('[cloudpath]', "as for lookup (default: this machine, and the server's token)")
    .option('--json', 'as JSON');
  bucketFlags(addFlags(command, GRAPHENE_OPTIONS, ['dataDir', 'server', 'ocdbt'])).action(
    action(async (path: string | undefined, flags: DoctorFlags) => {
      const { doctor } = await import('../doctor.ts');
      return doctor(path, flags, io);
    }),
  );
};
