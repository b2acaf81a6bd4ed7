/** `graphene-points update`: its flags. */
import type { DefineCommand } from '../command.ts';
import type { UpdateFlags } from '../run-update.ts';
import { idInput, idOptions } from './table-options.ts';

export const defineUpdateCommand: DefineCommand = (command, { io, report, action }) => {
  idInput(
    command,
    '--in <file>',
    'a table that lookup or roots wrote: supervoxel_id, root_id; - is standard input',
    'column of the supervoxels (default: supervoxel_id, or the only one that ends so); PREFIX_supervoxel_id goes with PREFIX_root_id; may be repeated',
  );
  idOptions(command)
    .addHelpText('after', UPDATE_HELP)
    .action(
      action(async (path: string, flags: UpdateFlags) => {
        const { runUpdate: update } = await import('../run-update.ts');
        return update(path, flags, io, report);
      }),
    );
};

const UPDATE_HELP = `
The table keeps its rows, in order, and every byte of those whose root still is one. Rows without a root (no_root, missing, mangled, or an ID
of a lower layer in its place) are asked again; those without a supervoxel stay as they are, and one that is mangled (invalid_id) keeps its
root. Where the server cannot answer, the old root stays too, as root_failed; where it says that there is none, the cell is emptied, as
no_root. A suspect row stays suspect. A status column that holds other words than ours is left alone: statuses go to root_status.
A table of --stop-layer has no roots: \`roots --stop-layer 2 --replace\` renews it.

Exit code: 0; 1 if any row is root_failed, no_root, invalid_id or suspect; 2 for bad usage or unreadable input.`;
