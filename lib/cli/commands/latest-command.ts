/** Defines the flags of `graphene-points latest`. */
import { BY_OPTION } from '../../chunkedgraph/api/call-options.ts';
import type { DefineCommand } from '../command.ts';
import type { LatestFlags } from '../run-latest.ts';
import { createFlag } from '../table-flags.ts';
import { idInput, idOptions, replaceOption } from './table-options.ts';

export const defineLatestCommand: DefineCommand = (command, { io, report, action }) => {
  idInput(
    command,
    '--ids <file>',
    'file with one root ID per line, or a table: .parquet, .csv, .tsv, .jsonl or .ndjson (text also as .gz or .zst); - is standard input',
    'column with the roots (default: root_id, or the only column whose name ends with _root_id); pt_root_id gives pt_latest_root_id; may be repeated',
  )
    .addOption(
      createFlag(BY_OPTION, {
        says: 'the parts of a replaced root that vote: its layer-2 nodes, or all its supervoxels',
      }),
    )
    .addOption(replaceOption());
  idOptions(command)
    .addHelpText('after', LATEST_HELP)
    .action(
      action(async (path: string, flags: LatestFlags) => {
        const { runLatest } = await import('../run-latest.ts');
        return runLatest(path, flags, io, report);
      }),
    );
};

const LATEST_HELP = `
latest_root_id: if the ID is still a root at the timestamp, the same ID, with confidence 1 and
changed false. If the root was replaced, the root that now holds most of its parts; confidence is
the share of those parts, and changed is true. The ID may also be a node below the roots: the answer
is then the root that holds its supervoxels, with changed true.
no_root means that the graph does not know the ID, or that its parts have no root at the timestamp.

If the table has a status column from lookup, the new statuses go to latest_status.
For both sides of a synapse: --column pre_pt_root_id --column post_pt_root_id.

Exit code: 0 if all rows are fine; 1 if any row is root_failed, no_root or invalid_id; 2 for bad
usage or unreadable input.`;
