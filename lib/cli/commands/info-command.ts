/** `graphene-points info`: its flags. */
import { GRAPHENE_OPTIONS } from '../../graphene/option-tables.ts';
import { bucketFlags } from '../bucket-flags.ts';
import type { Define } from '../command.ts';
import type { InfoFlags } from '../info.ts';
import { addFlags } from '../table-flags.ts';

export const define: Define = (command, { io, report, action }) => {
  command.argument('<cloudpath>', 'as for lookup').option('--json', 'as JSON');
  bucketFlags(addFlags(command, GRAPHENE_OPTIONS, ['dataDir', 'server', 'ocdbt'])).action(
    action(async (path: string, flags: InfoFlags) => {
      const { info } = await import('../info.ts');
      return info(path, flags, io, report);
    }),
  );
};
