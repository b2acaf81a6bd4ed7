/** `graphene-points lookup`: its flags. */
import { Option } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { SCATTERED_OPTIONS, SNAP_OPTIONS } from '../../graphene/reading-options.ts';
import { type DefineCommand, VOLUME_PATH_HELP } from '../command.ts';
import type { LookupFlags } from '../run-lookup.ts';
import { parseNames, parseText, parseTexts } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import { addFlags } from '../table-flags.ts';
import {
  delimiterOption,
  FILES_HELP,
  formatOption,
  inputOption,
  missingOption,
  outOption,
  replaceOption,
  statsOption,
} from './table-options.ts';
import { bucketFlags, watershedFlags } from './volume-options.ts';

const POSITION =
  'one column of [x, y, z], (x, y, z), [x y z] or as NumPy shows them, or what the names of three columns begin with: pt_position also takes ' +
  'pt_position_x, _y and _z; outputs are named after it: pt_root_id; may be repeated, for both sides of a synapse';

export const defineLookupCommand: DefineCommand = (command, { io, report, action }) => {
  command
    .argument('<cloudpath>', VOLUME_PATH_HELP)
    .optionsGroup('The table:')
    .addOption(
      inputOption(
        '--points <file>',
        'table with a point a row: .csv, .tsv, .jsonl or .ndjson, also .gz or .zst; - is standard input',
      ),
    )
    .addOption(
      outOption(
        'the same rows with their answers, in the same format; written as FILE.partial first; - is standard output',
      ),
    )
    .addOption(formatOption('by suffix; csv for -'))
    .addOption(delimiterOption())
    .addOption(
      new Option('--decimal <mark>', 'before the decimals of coordinates (default: .)').choices(['.', ',']),
    )
    .addOption(
      new Option('--columns <a,b,c>', 'columns of the coordinates (default: x,y,z or X,Y,Z)')
        .argParser(parseNames)
        .conflicts('position'),
    )
    .addOption(markRepeatable(new Option('--position <column>', POSITION).argParser(parseTexts)))
    .addOption(replaceOption())
    .addOption(missingOption());

  command.optionsGroup('The points:');
  addFlags(command, GRAPHENE_OPTIONS, ['resolution', 'mip']);
  addFlags(command, SNAP_OPTIONS, ['radiusNm']);

  command.optionsGroup('Roots:');
  addFlags(command, GRAPHENE_OPTIONS, ['timestamp'], { timestamp: { default: 'now' } });
  command.option(
    '--timestamp-column <column>',
    'column with a moment for each row; missing: the moment of --timestamp',
    parseText,
  );
  addFlags(command, SCATTERED_OPTIONS, ['stopLayer', 'agglomerate'], {
    agglomerate: { conflicts: ['timestamp', 'timestampColumn', 'stopLayer'] },
  });

  watershedFlags(command.optionsGroup('The volume:'));
  bucketFlags(command.optionsGroup('The bucket:'));
  command.optionsGroup('Speed, memory and disk:');
  addFlags(command, GRAPHENE_OPTIONS, [
    'lruBytes',
    'lruEncoding',
    'cacheDir',
    'cacheBytes',
    'revalidate',
    'rangeReads',
    'concurrency',
    'timeoutMs',
  ]);

  command
    .optionsGroup('What is told:')
    .addOption(
      statsOption(
        'counts, times and the timestamp used (of --timestamp-column: first, last and count), as JSON; - is standard error',
      ),
    )
    .option('--strict', 'a row without a valid point is an error')
    .option('--quiet', 'no progress and no summary; warnings stay')
    .addHelpText('after', LOOKUP_HELP)
    .action(
      action(async (path: string, flags: LookupFlags) => {
        const { runLookup: lookup } = await import('../run-lookup.ts');
        return lookup(path, flags, io, report);
      }),
    );
};

const LOOKUP_HELP = `
Examples:
  graphene-points lookup cave://minnie65_public --points synapses.csv --position ctr_pt_position --resolution viewer --out roots.csv
  graphene-points lookup graphene://https://HOST/segmentation/table/NAME --points p.csv --timestamp 2024-06-05T10:10:01Z --out roots.csv
  graphene-points lookup gs://BUCKET/VOLUME --points points.jsonl --resolution 4,4,40 --out values.jsonl

Every row is written, in order, its other columns byte for byte. IDs are 0 on background and empty (null in JSON Lines) where there
is no answer; status says why. With --replace an old value stays where there is no answer: status says so. A position that is missing (an
empty cell, NA, nan, <NA>, None, null in any case, or three of them) is not_looked_up; one that cannot be read is invalid_point. A row whose number
of fields is not the header's is kept, and its status is its last field; a later run leaves it so.
Blank lines are kept and are no rows. A table without rows is fine (a header alone; JSON Lines that are empty), but CSV and TSV
need their header: a file that is wholly empty is an error. JSON Lines may hold Python's NaN, Infinity and -Infinity.

${FILES_HELP}
In pandas a column with an empty cell becomes float64, which rounds IDs. Read them as nullable integers, or as text (dtype=str):
pd.read_csv('roots.csv', dtype={'supervoxel_id': 'UInt64', 'root_id': 'UInt64'}); of JSON Lines pd.read_json('roots.jsonl', lines=True, dtype=…)
with the same dtype. --missing NA is for R; with --missing 0 the columns stay whole numbers, but failures look like background.

Tables are taken a million rows at a time. Where a larger one is shuffled, its chunks are read again for every million: --lru-bytes
keeps them, or sort the rows by place.

The token of a graph server is taken from CAVE_TOKEN, or ~/.cloudvolume/secrets.

Exit code: 0; 1 if any row is failed, root_failed, no_root, suspect, invalid_point or invalid_timestamp; 2 for bad usage or unreadable input.`;
