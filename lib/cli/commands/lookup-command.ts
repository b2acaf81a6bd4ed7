/** Defines the flags of `graphene-points lookup`. */
import { type Command, Option } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { READ_OPTIONS, SCATTERED_OPTIONS, SNAP_OPTIONS } from '../../graphene/reading-options.ts';
import { type DefineCommand, VOLUME_PATH_HELP } from '../command.ts';
import type { LookupFlags } from '../lookup-session.ts';
import { STATE_FORMAT } from '../read-states.ts';
import { parseNamedPath, parseNames, parseText, parseTexts, parseWholeNumber } from '../option-values.ts';
import type { WrittenStateFlags } from '../write-state.ts';
import { markRepeatable } from '../repeats.ts';
import { addFlags } from '../table-flags.ts';
import {
  delimiterOption,
  FILES_HELP,
  formatOption,
  idTypeOption,
  inputOption,
  maxFailuresOption,
  missingOption,
  outFormatOption,
  outOption,
  replaceOption,
  reportOption,
  statsOption,
  tempDirOption,
} from './table-options.ts';
import { bucketFlags, speedFlags, watershedFlags } from './volume-options.ts';

const ALSO =
  'another volume, which is read at the same points, at its finest scale: its columns are NAME_value and NAME_status, or NAME_supervoxel_id, NAME_root_id ' +
  'and NAME_status for a graph; may be repeated';

const POSITION =
  'column with whole positions: [x, y, z], (x, y, z), [x y z], or as NumPy prints them. Or the start of the names of three columns: pt_position ' +
  'also finds pt_position_x, _y and _z. The outputs are named after it: pt_root_id; may be repeated, for both sides of a synapse';

export const defineLookupCommand: DefineCommand = (command, { io, report, action }) => {
  command
    .argument('<cloudpath>', VOLUME_PATH_HELP)
    .optionsGroup('Table:')
    .addOption(
      inputOption(
        '--points <file>',
        'table with one point per row: .parquet, .csv, .tsv, .jsonl or .ndjson (text also as .gz or .zst); - is standard input. Or a Neuroglancer state: a .json file or a link',
      ),
    );
  const out = outOption(
    'output file, or gs:// or s3:// URL: the same rows with their answers, in the format of its suffix; written to FILE.partial first; - is standard output',
  );
  lookupOptions(command, { out, timestamp: 'now', report: reportOption() });
  stateOptions(command)
    .addHelpText('after', LOOKUP_HELP)
    .action(
      action(async (path: string, flags: LookupFlags & WrittenStateFlags) => {
        const { runLookup } = await import('../run-lookup.ts');
        return runLookup(path, flags, io, report);
      }),
    );
};

/** Adds the flags of the Neuroglancer state of a look-up. */
const stateOptions = (command: Command): Command =>
  command
    .optionsGroup('Neuroglancer:')
    .addOption(
      new Option(
        '--neuroglancer <file>',
        'file for a Neuroglancer state with the points, coloured, and their most frequent 100 roots selected; its link is printed if it has at most 100,000 characters; - is standard output',
      )
        .argParser(parseText)
        .conflicts('dryRun'),
    )
    .addOption(
      new Option('--neuroglancer-points <n>', 'most points in the state (default: 10000)').argParser(
        parseWholeNumber(1),
      ),
    )
    .addOption(
      new Option('--color-by <what>', 'what the colour of a point shows (default: root)').choices([
        'root',
        'status',
      ]),
    )
    .option(
      '--viewer-site <url>',
      "address of the viewer of the link (default: the datastack's own, else https://spelunker.cave-explorer.org for graphs and https://neuroglancer-demo.appspot.com for other volumes)",
      parseText,
    )
    .addOption(
      new Option(
        '--neuroglancer-post [server]',
        'store the state on a CAVE state server, and print the link to it (default: the server of the datastack, else https://global.daf-apis.com). It gets the token of that server',
      ).conflicts('dryRun'),
    );

/**
 * Adds the flags that `lookup` and `job` have in common.
 * @param own `out`: the option `--out`. `timestamp`: the default of `--timestamp`, for people. `report`: the option
 *   `--report`.
 */
export function lookupOptions(
  command: Command,
  own: { out: Option; timestamp: string; report?: Option },
): Command {
  const { out, timestamp, report } = own;
  command
    .addOption(
      formatOption(
        'by suffix; csv for standard input; neuroglancer for links and .json files that are states',
        [STATE_FORMAT],
      ),
    )
    .option('--layer <name>', 'annotation layer of a Neuroglancer state (default: all)', parseText)
    .addOption(delimiterOption())
    .addOption(
      new Option('--decimal <mark>', 'decimal mark of the coordinates (default: .)').choices(['.', ',']),
    )
    .addOption(
      new Option(
        '--columns <a,b,c>',
        'names of the three columns with the coordinates (default: x,y,z or X,Y,Z)',
      )
        .argParser(parseNames)
        .conflicts('position'),
    )
    .addOption(markRepeatable(new Option('--position <column>', POSITION).argParser(parseTexts)))
    .optionsGroup('Output:')
    .addOption(out)
    .addOption(outFormatOption())
    .addOption(replaceOption())
    .addOption(missingOption())
    .addOption(idTypeOption());

  command.optionsGroup('Points:');
  addFlags(command, GRAPHENE_OPTIONS, ['resolution', 'mip']);
  addFlags(command, SNAP_OPTIONS, ['radiusNm']);
  addFlags(command, READ_OPTIONS, ['interpolate']);
  command.addOption(markRepeatable(new Option('--also <name=cloudpath>', ALSO).argParser(parseNamedPath)));

  command.optionsGroup('Roots:');
  addFlags(command, GRAPHENE_OPTIONS, ['timestamp'], { timestamp: { default: timestamp } });
  command.option(
    '--timestamp-column <column>',
    'column with a timestamp for each row; an empty cell or now means --timestamp',
    parseText,
  );
  addFlags(command, SCATTERED_OPTIONS, ['stopLayer', 'agglomerate'], {
    agglomerate: { conflicts: ['timestamp', 'timestampColumn', 'stopLayer'] },
  });

  watershedFlags(command.optionsGroup('Volume:'));
  bucketFlags(command.optionsGroup('Bucket:'));
  command.optionsGroup('Speed, memory and disk:');
  speedFlags(command);
  command.addOption(
    tempDirOption(
      'folder for the temporary files of a table with more than a million rows, and of an output in a bucket (default: TMPDIR, else the folder of the output)',
    ),
  );

  command.optionsGroup('Messages:');
  if (report) command.addOption(report.conflicts('dryRun'));
  return command
    .addOption(
      statsOption(
        'file for counts, times and the timestamp used, as JSON (with --timestamp-column: the first and last timestamp and their count); - is standard error',
      ),
    )
    .addOption(maxFailuresOption())
    .addOption(
      new Option(
        '--dry-run',
        'read the table and up to 16 chunks of each volume, and print rows, points, chunks, requests, bytes and time as far as they can be estimated. Nothing is written, and no root is requested',
      ).conflicts('stats'),
    )
    .option('--json', 'with --dry-run: print the estimate as JSON')
    .option('--strict', 'stop with an error at the first row without a valid point')
    .option('--quiet', 'show no progress and no summary; warnings are still shown');
}

const LOOKUP_HELP = `
Examples:
  graphene-points lookup cave://minnie65_public --points synapses.csv --position ctr_pt_position --resolution viewer --out roots.csv
  graphene-points lookup graphene://https://HOST/segmentation/table/NAME --points p.csv --timestamp 2024-06-05T10:10:01Z --out roots.csv
  graphene-points lookup gs://BUCKET/VOLUME --points points.jsonl --resolution 4,4,40 --out values.jsonl

Output: every row of the input, in the same order. The other columns stay the same, byte for byte.
An ID is 0 on background. If there is no answer, the ID is empty (null in JSON Lines), and status
says why. With --replace, a row that fails or is not looked up keeps its old ID, and only its status
changes.

Input: a missing position gets the status not_looked_up. It is an empty cell, or NA, nan, <NA>, None
or null in upper or lower case, or three of them. A position that cannot be read gets invalid_point.
A row with more or fewer fields than the header is kept, and its status is added as its last field;
a later run leaves that row unchanged. Blank lines are kept and are not rows. A table without rows
is valid, but CSV and TSV need a header: a completely empty file is an error. JSON Lines may hold
Python's NaN, Infinity and -Infinity.

${FILES_HELP}
pandas: an ID column with an empty cell becomes float64, which rounds the IDs. Read IDs as nullable
integers, or as text (dtype=str):
  pd.read_csv('roots.csv', dtype={'supervoxel_id': 'UInt64', 'root_id': 'UInt64'})
  pd.read_json('roots.jsonl', lines=True, dtype={'supervoxel_id': 'UInt64', 'root_id': 'UInt64'})
--missing NA is meant for R. With --missing 0, ID columns hold only whole numbers, but a failed row
looks like background.

Large tables: the points of a table with more than a million rows are sorted by chunk in temporary
files first, about 35 bytes a point, so that each chunk is read about once. No row is written before
all points are looked up. Rows on a terminal are looked up million by million instead.

Token: the token of a graph server is read from CAVE_TOKEN or from ~/.cloudvolume/secrets.

Exit code: 0 if all rows are fine; 1 if any row is failed, root_failed, no_root, stale_supervoxel,
suspect, invalid_point or invalid_timestamp; 2 for bad usage or unreadable input. With
--max-failures, 0 if no more points are that than it allows; otherwise the command stops with 2 and
writes no table.`;
