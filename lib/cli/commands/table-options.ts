/** Flags that the commands on tables share. */
import { type Command, Option } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { FORMATS } from '../../tables/formats.ts';
import { GRAPH_PATH_HELP } from '../command.ts';
import { parseDelimiter, parseText, parseTexts } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import { markRequired } from '../required.ts';
import type { MissingText } from '../../tables/text/answer-cells.ts';
import { addFlags } from '../table-flags.ts';
import { graphFlags } from './volume-options.ts';

export const inputOption = (flag: string, about: string): Option => markRequired(new Option(flag, about));

export const outOption = (about: string): Option => new Option('--out <file>', about).default('-');

/** @param byDefault How it is known without the flag. */
export const formatOption = (byDefault: string): Option =>
  new Option('--format <format>', `format of the table (default: ${byDefault})`).choices(FORMATS);

export const delimiterOption = (): Option =>
  new Option(
    '--delimiter <character>',
    "between the fields of the table, such as ';' or tab (default: by format)",
  ).argParser(parseDelimiter);

export const replaceOption = (): Option => new Option('--replace', 'write over output columns that exist');

export const statsOption = (about: string): Option =>
  new Option('--stats <file>', about).argParser(parseText);

/** The path and the IDs of the commands on tables of IDs. */
export const idInput = (command: Command, flag: string, about: string, column: string): Command =>
  command
    .argument('<cloudpath>', GRAPH_PATH_HELP)
    .optionsGroup('The IDs:')
    .addOption(inputOption(flag, about))
    .addOption(markRepeatable(new Option('--column <name>', column).argParser(parseTexts)));

const MISSING: readonly MissingText[] = ['empty', '0', 'NA'];

export const missingOption = (): Option =>
  new Option(
    '--missing <what>',
    'what CSV and TSV hold where there is no answer; 0 only for whole numbers (default: empty)',
  ).choices(MISSING);

/** Of the commands on tables of IDs, after their own. */
export function idOptions(command: Command): Command {
  command
    .optionsGroup('The table:')
    .addOption(
      outOption('the same rows with their answers; written as FILE.partial first; - is standard output'),
    )
    .addOption(formatOption('by suffix and content'))
    .addOption(delimiterOption())
    .addOption(missingOption());
  addFlags(command.optionsGroup('The graph:'), GRAPHENE_OPTIONS, ['timestamp', 'timeoutMs'], {
    timestamp: { default: 'now' },
  });
  graphFlags(command);
  return command
    .optionsGroup('What is told:')
    .addOption(statsOption('counts, times and the timestamp used, as JSON; - is standard error'))
    .option('--strict', 'a row without a valid ID is an error')
    .option('--quiet', 'no summary; warnings stay');
}

export const FILES_HELP = `Tables that end with .gz or .zst are packed, input and output. Lines may end with LF, CR LF or CR. A header that seems to have another separator
is an error that names --delimiter. FILE may be the input itself: it is replaced once the new table is whole, keeps its permissions, and stays as it
was after an error. One run at a time writes a file: FILE.lock says which; the lock of a run that is gone is taken over. A link as FILE
stays, and the file it names is written. Parquet, spreadsheets and the like are not read: the error says how to convert them.
`;

export const ID_HELP = `
Every row is written, in order, its other columns byte for byte. One ID a line makes a CSV with a header; a first line that is
a missing ID, such as nan, belongs to such a list too, but 0 in a .csv or .tsv is the header that pandas gives a Series. Repeated IDs are asked once.
0 is background; a missing ID (an empty cell, NA, nan, <NA>, None, null in any case) is not_looked_up; a value that is not a uint64 (a float has
lost digits) is invalid_id. With --replace an old value stays where there is no answer: status says so.
Where the table has a status column already and no roots, statuses go to root_status.
${FILES_HELP}For pandas: pd.read_csv('roots.csv', dtype={'supervoxel_id': 'UInt64', 'root_id': 'UInt64'}), or an empty cell makes IDs float64, rounded.

Exit code: 0; 1 if any row is root_failed, no_root or invalid_id; 2 for bad usage or unreadable input.`;
