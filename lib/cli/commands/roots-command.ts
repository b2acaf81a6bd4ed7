/** Defines the flags of `graphene-points roots`. */
import { ROOT_OPTIONS } from '../../graphene/reading-options.ts';
import type { DefineCommand } from '../command.ts';
import type { RootFlags } from '../run-roots.ts';
import { addFlags } from '../table-flags.ts';
import { ID_HELP, idInput, idOptions, replaceOption } from './table-options.ts';

export const defineRootsCommand: DefineCommand = (command, { io, report, action }) => {
  idInput(
    command,
    '--ids <file>',
    'file with one supervoxel ID per line, or a table: .parquet, .csv, .tsv, .jsonl or .ndjson (text also as .gz or .zst); - is standard input',
    'column with the IDs (default: supervoxel_id, or the only column whose name ends with _supervoxel_id); may be repeated',
  );
  addFlags(command, ROOT_OPTIONS, ['stopLayer', 'validate']);
  idOptions(command.addOption(replaceOption()))
    .addHelpText('after', ID_HELP)
    .action(
      action(async (path: string, flags: RootFlags) => {
        const { runRoots } = await import('../run-roots.ts');
        return runRoots(path, flags, io, report);
      }),
    );
};
