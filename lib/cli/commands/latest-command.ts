/** `graphene-points latest`: its flags. */
import { BY_OPTION } from '../../chunkedgraph/api/call-options.ts';
import type { DefineCommand } from '../command.ts';
import type { LatestFlags } from '../run-latest.ts';
import { createFlag } from '../table-flags.ts';
import { idInput, idOptions, replaceOption } from './table-options.ts';

export const defineLatestCommand: DefineCommand = (command, { io, report, action }) => {
  idInput(
    command,
    '--ids <file>',
    'one root ID a line, or a table: .csv, .tsv, .jsonl or .ndjson, also .gz or .zst; - is standard input',
    'column of the roots (default: root_id, or the only one that ends so); pt_root_id gives pt_latest_root_id; may be repeated',
  )
    .addOption(
      createFlag(BY_OPTION, {
        says: 'which parts of a replaced root vote: its layer-2 nodes, or all its supervoxels',
      }),
    )
    .addOption(replaceOption());
  idOptions(command)
    .addHelpText('after', LATEST_HELP)
    .action(
      action(async (path: string, flags: LatestFlags) => {
        const { runLatest: latest } = await import('../run-latest.ts');
        return latest(path, flags, io, report);
      }),
    );
};

const LATEST_HELP = `
A root that still is one at the moment keeps its ID, with confidence 1 and changed false. Of a replaced one the root that most of its parts
are in now is told; confidence is their share. Any node will do, of any layer: one below the roots is never its own answer but gets the root
that its supervoxels are in, with changed true. no_root: the graph does not know the ID, or its parts have no root at the moment.
What lookup wrote has a status already: statuses go to latest_status. For both sides of a synapse: --column pre_pt_root_id --column post_pt_root_id.

Exit code: 0; 1 if any row is root_failed, no_root or invalid_id; 2 for bad usage or unreadable input.`;
