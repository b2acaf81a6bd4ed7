/** The flags and help texts that the commands on tables share. */
import { type Command, Option } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { ID_TYPES } from '../../tables/columnar/column.ts';
import { FORMATS } from '../../tables/formats.ts';
import { GRAPH_PATH_HELP } from '../command.ts';
import { parseDelimiter, parseMaxFailures, parseText, parseTexts } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import { markRequired } from '../required.ts';
import { MISSING_TEXTS } from '../../tables/missing.ts';
import { addFlags } from '../table-flags.ts';
import { bucketFlags, graphFlags } from './volume-options.ts';

/** Creates the required option that names the files of the input table. */
export const inputOption = (flag: string, about: string): Option =>
  markRepeatable(
    markRequired(
      new Option(
        flag,
        `${about}. A pattern in quotes, such as 'points_*.csv', names several; may be repeated`,
      ),
    ).argParser(parseTexts),
  );

/** Creates `--out`. */
export const outOption = (about: string): Option => new Option('--out <file>', about).default('-');

/**
 * Creates `--format`.
 * @param byDefault How the format is detected without the flag.
 * @param more Other values.
 */
export const formatOption = (byDefault: string, more: readonly string[] = []): Option =>
  new Option('--format <format>', `format of the table (default: ${byDefault})`).choices([
    ...FORMATS,
    ...more,
  ]);

/** Creates `--out-format`. */
export const outFormatOption = (): Option =>
  new Option(
    '--out-format <format>',
    'format of the output (default: by its suffix; otherwise that of the table)',
  ).choices(FORMATS);

/** Creates `--delimiter`. */
export const delimiterOption = (): Option =>
  new Option(
    '--delimiter <character>',
    "character between the fields of the table, such as ';' or tab (default: by format)",
  ).argParser(parseDelimiter);

/** Creates `--replace`. */
export const replaceOption = (): Option =>
  new Option('--replace', 'overwrite output columns that the table already has');

/** Creates `--stats`. */
export const statsOption = (about: string): Option =>
  new Option('--stats <file>', about).argParser(parseText);

/** Creates `--report` of a command that has no folder of its own. */
export const reportOption = (): Option =>
  new Option(
    '--report <file>',
    'HTML file, or gs:// or s3:// URL, with a report for people: what was asked, throughput, latencies, retries, statuses, where the points are, the biggest roots, warnings. It is also written when the command fails or is interrupted',
  ).argParser(parseText);

/** Creates `--max-failures`. */
export const maxFailuresOption = (): Option =>
  new Option(
    '--max-failures <n|p%>',
    'how many points may need attention (see exit code), such as 100 or 0.1%: up to that the exit code is 0, with more the command stops with 2 and ' +
      'writes no table (default: all may, and the exit code is 1)',
  ).argParser(parseMaxFailures);

/** Adds the arguments for the path and the IDs to a command on a table of IDs. */
export const idInput = (command: Command, flag: string, about: string, column: string): Command =>
  command
    .argument('<cloudpath>', GRAPH_PATH_HELP)
    .optionsGroup('IDs:')
    .addOption(inputOption(flag, about))
    .addOption(markRepeatable(new Option('--column <name>', column).argParser(parseTexts)));

/** Creates `--missing`. */
export const missingOption = (): Option =>
  new Option(
    '--missing <what>',
    'text for a missing answer in CSV and TSV; 0 is used only in columns of whole numbers (default: empty)',
  ).choices(MISSING_TEXTS);

/** Creates `--id-type`. */
export const idTypeOption = (): Option =>
  new Option(
    '--id-type <type>',
    'type of the IDs in Parquet and Arrow (default: that of a column that is replaced, or uint64)',
  ).choices(ID_TYPES);

/** Creates `--temp-dir`. */
export const tempDirOption = (about: string): Option =>
  new Option('--temp-dir <folder>', about).argParser(parseText);

/** Adds the flags that all commands on tables of IDs have, after their own flags. */
export function idOptions(command: Command): Command {
  command
    .optionsGroup('Table:')
    .addOption(
      outOption(
        'output file, or gs:// or s3:// URL: the same rows with their answers; written to FILE.partial first; - is standard output',
      ),
    )
    .addOption(formatOption('by suffix and content'))
    .addOption(outFormatOption())
    .addOption(delimiterOption())
    .addOption(missingOption())
    .addOption(idTypeOption());
  addFlags(command.optionsGroup('Graph:'), GRAPHENE_OPTIONS, ['timestamp', 'timeoutMs'], {
    timestamp: { default: 'now' },
  });
  graphFlags(command);
  bucketFlags(command.optionsGroup('Bucket of the table:'));
  command
    .optionsGroup('Disk:')
    .addOption(
      tempDirOption(
        'folder for the temporary files of an output in a bucket, and of a stream in a format that seeks (default: TMPDIR, else the folder of the output)',
      ),
    );
  return command
    .optionsGroup('Messages:')
    .addOption(statsOption('file for counts, times and the timestamp used, as JSON; - is standard error'))
    .option('--strict', 'stop with an error at the first row without a valid ID')
    .option('--quiet', 'show no summary; warnings are still shown');
}

/** The help text about input and output files. */
export const FILES_HELP = `\
Files: the input may also be a gs://, s3://, https://, http:// or file:// URL, the output a gs://,
s3:// or file:// URL: it is uploaded when it is complete. Tables that end in .gz or .zst are read
and written compressed. Lines may end with LF, CR LF or CR. If the header seems to use another
separator, the command stops with an error that names --delimiter. The output may be the input file
itself: it is replaced when the new table is complete, and keeps its permissions; after an error it
is unchanged. Only one run at a time can write a file: FILE.lock names that run, and the lock of a
run that has ended is taken over. If the output is a symbolic link, its target is written.
Spreadsheets and similar files are not read: the error shows how to convert them.

Parquet: a table with the suffix .parquet or .pq, or with --format parquet. It needs the package
@duckdb/node-api. Positions are lists of three numbers, structs of x, y and z, three columns or text.
All other columns are copied as they are. IDs are uint64, null where there is no answer; pandas reads
them as UInt64. An output in another format than its input needs the package parquet-wasm, if one of
them is Parquet.
`;

/** The help text of `roots`. */
export const ID_HELP = `
Output: every row of the input, in the same order. The other columns stay the same, byte for byte. A
list with one ID per line becomes a CSV table with a header. With --replace, a row that fails or is
not looked up keeps its old root, and only its status changes. If the table has a status column but
no roots, the new statuses go to root_status.

Input: a list may begin with a missing ID, such as nan. But 0 in the first line of a .csv or .tsv
file is a header, which pandas writes for a Series. An ID that occurs several times is looked up
once. 0 is background. A missing ID gets the status not_looked_up: an empty cell, or NA, nan, <NA>,
None or null in upper or lower case. A value that is not a uint64 gets invalid_id; a float, for
example, has lost digits.

${FILES_HELP}
pandas: an ID column with an empty cell becomes float64, which rounds the IDs. Read IDs as nullable
integers:
  pd.read_csv('roots.csv', dtype={'supervoxel_id': 'UInt64', 'root_id': 'UInt64'})

Exit code: 0 if all rows are fine; 1 if any row is root_failed, no_root, stale_supervoxel or
invalid_id; 2 for bad usage or unreadable input.`;
