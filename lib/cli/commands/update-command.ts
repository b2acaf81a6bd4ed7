/** Defines the flags of `graphene-points update`. */
import type { DefineCommand } from '../command.ts';
import type { UpdateFlags } from '../run-update.ts';
import { idInput, idOptions } from './table-options.ts';
import { Option } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { parseNames, parseTexts } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import { addFlags } from '../table-flags.ts';

export const defineUpdateCommand: DefineCommand = (command, { io, report, action }) => {
  idInput(
    command,
    '--in <file>',
    'table that lookup or roots wrote, with supervoxel_id and root_id; - is standard input',
    'column with the supervoxels (default: supervoxel_id, or the only column whose name ends with _supervoxel_id); PREFIX_supervoxel_id belongs to PREFIX_root_id; may be repeated',
  );
  command
    .optionsGroup('Voxels of supervoxels that were split:')
    .addOption(markRepeatable(new Option('--position <column>', POSITION).argParser(parseTexts)))
    .addOption(
      new Option(
        '--columns <a,b,c>',
        'names of the three columns with the coordinates, such as x,y,z, if the table has one supervoxel per row: as --position',
      )
        .argParser(parseNames)
        .conflicts('position'),
    );
  addFlags(command, GRAPHENE_OPTIONS, ['resolution', 'mip', 'dataDir', 'voxelsAt']);
  idOptions(command)
    .addHelpText('after', UPDATE_HELP)
    .action(
      action(async (path: string, flags: UpdateFlags) => {
        const { runUpdate } = await import('../run-update.ts');
        return runUpdate(path, flags, io, report);
      }),
    );
};

const POSITION =
  'column with the positions, or the start of the names of three columns, as for lookup: the voxel of a supervoxel that was split is read again, and its row ' +
  'gets the new supervoxel_id; one for each --column, in the same order';

const UPDATE_HELP = `
Output: every row of the input, in the same order. A row whose root is still a root stays the same,
byte for byte; only an outdated status, such as root_failed, becomes ok.

The supervoxel of a row is looked up again if its root was replaced, is missing, cannot be read, or
is an ID of a lower layer:
  - If the server does not answer, the row keeps its old root and gets the status root_failed.
  - If the server says that there is no root, the root is emptied and the status is no_root.
  - If the supervoxel was split, no root is valid for it. With --position or --columns, the voxel is read again:
    the row gets the supervoxel that is there now, and its root. Otherwise the root is emptied and
    the status is stale_supervoxel.

A row without a supervoxel stays as it is. If the supervoxel cannot be read, the row keeps its root
and gets the status invalid_id. A suspect row stays suspect.

If the status column holds words that are not statuses of this program, it is left alone, and the
new statuses go to root_status.

A table that was made with --stop-layer has no roots: \`roots --stop-layer 2 --replace\` updates it.

Exit code: 0 if all rows are fine; 1 if any row is root_failed, no_root, stale_supervoxel,
invalid_id or suspect; 2 for bad usage or unreadable input.`;
