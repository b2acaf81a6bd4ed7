/** argv to a command, errors to exit codes. Commands are loaded when they are called, so that `--version` and `--help` are quick. */
import { Argument, Command, CommanderError, Option } from 'commander';
import { leaveOnAbort } from '../base/abort.ts';
import { USER_AGENT } from '../http/user-agent.ts';
import { unusable } from '../tables/files/streams.ts';
import { bucketFlags } from './bucket-flags.ts';
import { graphCommand } from './graph-command.ts';
import { graphFlags } from './graph-flags.ts';
import type { DoctorFlags } from './doctor.ts';
import type { InfoFlags } from './info.ts';
import { Interrupted, type Io } from './io.ts';
import type { LatestFlags } from './latest.ts';
import type { LookupFlags } from './lookup.ts';
import type { MockFlags } from './mock.ts';
import {
  commaNames,
  delimiter,
  materialization,
  positiveNumber,
  resolution,
  seconds,
  size,
  text,
  texts,
  wholeNumber,
} from './option-values.ts';
import { missingOption } from './missing.ts';
import { mayRepeat, refuseRepeats } from './repeats.ts';
import { Report } from './report.ts';
import type { RootFlags } from './roots.ts';
import type { UpdateFlags } from './update.ts';

const POSITION =
  'one column of [x, y, z], (x, y, z), [x y z] or as NumPy shows them, or what the names of three columns begin with: pt_position also takes ' +
  'pt_position_x, _y and _z; outputs are named after it: pt_root_id; may be repeated, for both sides of a synapse';

const columnOption = (about: string): Option =>
  mayRepeat(new Option('--column <name>', about).argParser(texts));

/** Exit codes besides 0. */
export const EXIT = { rows: 1, refused: 2, interrupted: 130 } as const;

/** Runs one command line, program name left out. @returns the exit code; never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const report = new Report(io);
  let lost: NodeJS.ErrnoException | undefined;
  io.stdout.on('error', (error) => (lost ??= error));
  io.stderr.on('error', () => undefined); // nobody is left to be told
  const code = await runCommand(argv, io, report);
  await leaveOnAbort(new Promise((resolve) => void io.stdout.write('', resolve)), io.signal, () => {}).catch(
    () => undefined,
  );
  if (!lost || lost.code === 'EPIPE' || code === EXIT.refused) return code; // EPIPE: the reader has seen enough
  report.error(unusable('written', 'standard output', lost));
  return EXIT.refused;
}

async function runCommand(argv: readonly string[], io: Io, report: Report): Promise<number> {
  let code = 0;
  const program = new Command('graphene-points')
    .description('Supervoxels, and root IDs at a time, at the points of a table.')
    .version(USER_AGENT.split('/')[1])
    .exitOverride()
    .configureOutput({
      writeOut: (line) => io.stdout.write(line),
      writeErr: (line) => io.stderr.write(line),
    });

  graphFlags(
    bucketFlags(
      program
        .command('lookup')
        .description(
          'Writes the rows of a table again, with what is at their points: supervoxel_id, root_id and status; value for a plain volume.',
        )
        .argument(
          '<cloudpath>',
          'graphene://… or cave://DATASTACK for supervoxels and roots; any other path for the values of a Precomputed volume',
        )
        .requiredOption(
          '--points <file>',
          'table with a point a row: .csv, .tsv, .jsonl or .ndjson, also .gz or .zst; - is standard input',
        )
        .option(
          '--out <file>',
          'the same rows with their answers, in the same format; written as FILE.partial first; - is standard output',
          '-',
        )
        .addOption(
          new Option('--format <format>', 'format of the table (default: by suffix; csv for -)').choices([
            'csv',
            'tsv',
            'jsonl',
          ]),
        )
        .option(
          '--delimiter <character>',
          "between the fields of the table, such as ';' or tab (default: by format)",
          delimiter,
        )
        .addOption(
          new Option('--decimal <mark>', 'before the decimals of coordinates (default: .)').choices([
            '.',
            ',',
          ]),
        )
        .addOption(
          new Option('--columns <a,b,c>', 'columns of the coordinates (default: x,y,z or X,Y,Z)')
            .argParser(commaNames)
            .conflicts('position'),
        )
        .addOption(mayRepeat(new Option('--position <column>', POSITION).argParser(texts)))
        .option('--replace', 'write over output columns that exist')
        .addOption(missingOption())
        .option(
          '--resolution <x,y,z>',
          "nanometres per unit of the coordinates, or viewer for those of the datastack's viewer (default: voxels of mip 0)",
          resolution,
        )
        .option('--mip <mip>', "scale to read (default: 0, or the graph's own)", wholeNumber(0))
        .option(
          '--snap-nm <radius>',
          'points on background take the nearest label within so many nanometres; snapped_nm says how far it is',
          positiveNumber,
        )
        .option(
          '--timestamp <time>',
          'moment of the roots: ISO 8601 (no zone: UTC), unix seconds, settled, or mat or mat_943 of a datastack (default: now)',
          text,
        )
        .option(
          '--timestamp-column <column>',
          'column with a moment for each row; missing: the moment of --timestamp',
          text,
        )
        .option(
          '--stop-layer <layer>',
          'end at this layer instead of the root: 2 gives l2_id',
          wholeNumber(2),
        )
        .addOption(
          new Option('--supervoxels-only', 'do not look up roots').conflicts([
            'timestamp',
            'timestampColumn',
            'stopLayer',
          ]),
        )
        .option('--data-dir <path>', 'where the watershed is, instead of where the graph server says', text)
        .option(
          '--lru-bytes <size>',
          'encoded chunks kept in memory, such as 200MB or 1GiB (default: 0)',
          size,
        )
        .addOption(
          new Option(
            '--lru-encoding <encoding>',
            'how raw chunks of uint32 or uint64 are kept there (default: same)',
          ).choices(['same', 'compressed_segmentation']),
        )
        .option('--cache-dir <folder>', 'keep chunks, shard indices and roots there between runs', text)
        .option(
          '--cache-bytes <size>',
          'what chunks in the cache folder may take together (default: 10GiB)',
          size,
        )
        .addOption(
          new Option(
            '--revalidate <when>',
            'when kept chunks are asked about: never; when the info of the volume has changed; always (default: info)',
          ).choices(['never', 'info', 'always']),
        )
        .option('--no-range-reads', 'read chunks whole, also where few points need little of them')
        .option('--concurrency <n>', 'chunks in flight at once (default: 32)', wholeNumber(1))
        .option(
          '--timeout <seconds>',
          'most that the opening, and then each million rows, may take; rows without an answer by then have failed (default: no limit)',
          seconds,
        )
        .option(
          '--stats <file>',
          'counts, times and the timestamp used (of --timestamp-column: first, last and count), as JSON; - is standard error',
          text,
        )
        .option('--strict', 'a row without a valid point is an error')
        .option('--quiet', 'no progress and no summary; warnings stay'),
    ),
  )
    .addHelpText('after', LOOKUP_HELP)
    .action(async (path: string, flags: LookupFlags) => {
      const { lookup } = await import('./lookup.ts');
      code = (await lookup(path, flags, io, report)) ? EXIT.rows : 0;
    });

  const idOptions = (command: Command): Command =>
    graphFlags(command)
      .option(
        '--out <file>',
        'the same rows with their answers; written as FILE.partial first; - is standard output',
        '-',
      )
      .addOption(
        new Option('--format <format>', 'format of the table (default: by suffix and content)').choices([
          'csv',
          'tsv',
          'jsonl',
        ]),
      )
      .option(
        '--delimiter <character>',
        "between the fields of the table, such as ';' or tab (default: by format)",
        delimiter,
      )
      .addOption(missingOption())
      .option(
        '--timestamp <time>',
        'moment of the roots: ISO 8601 (no zone: UTC), unix seconds, settled, or mat or mat_943 of a datastack (default: now)',
        text,
      )
      .option(
        '--timeout <seconds>',
        'most that the opening, and then each million rows, may take; rows without an answer by then have failed (default: no limit)',
        seconds,
      )
      .option('--stats <file>', 'counts, times and the timestamp used, as JSON; - is standard error', text)
      .option('--strict', 'a row without a valid ID is an error')
      .option('--quiet', 'no summary; warnings stay');

  idOptions(
    program
      .command('roots')
      .description(
        'Writes the rows of a table of supervoxel IDs again, with their root_id and status. No voxel is read.',
      )
      .argument('<cloudpath>', 'graphene://… or cave://DATASTACK')
      .requiredOption(
        '--ids <file>',
        'one ID a line, or a table: .csv, .tsv, .jsonl or .ndjson, also .gz or .zst; - is standard input',
      )
      .addOption(
        columnOption(
          'column of the IDs (default: supervoxel_id, or the only one that ends so); may be repeated',
        ),
      )
      .option('--stop-layer <layer>', 'end at this layer instead of the root: 2 gives l2_id', wholeNumber(2))
      .option('--validate', 'IDs that are roots already are asked whether they are valid at the moment')
      .option('--replace', 'write over output columns that exist'),
  )
    .addHelpText('after', ID_HELP)
    .action(async (path: string, flags: RootFlags) => {
      const { roots } = await import('./roots.ts');
      code = (await roots(path, flags, io, report)) ? EXIT.rows : 0;
    });

  idOptions(
    program
      .command('update')
      .description(
        'Brings the root_id of an earlier table to another moment: only what changed is asked, no voxel is read.',
      )
      .argument('<cloudpath>', 'graphene://… or cave://DATASTACK')
      .requiredOption(
        '--in <file>',
        'a table that lookup or roots wrote: supervoxel_id, root_id; - is standard input',
      )
      .addOption(
        columnOption(
          'column of the supervoxels (default: supervoxel_id, or the only one that ends so); PREFIX_supervoxel_id goes with PREFIX_root_id; may be repeated',
        ),
      ),
  )
    .addHelpText('after', UPDATE_HELP)
    .action(async (path: string, flags: UpdateFlags) => {
      const { update } = await import('./update.ts');
      code = (await update(path, flags, io, report)) ? EXIT.rows : 0;
    });

  idOptions(
    program
      .command('latest')
      .description(
        'Writes the rows of a table of root IDs again, with what became of them: latest_root_id, confidence, changed and status.',
      )
      .argument('<cloudpath>', 'graphene://… or cave://DATASTACK')
      .requiredOption(
        '--ids <file>',
        'one root ID a line, or a table: .csv, .tsv, .jsonl or .ndjson, also .gz or .zst; - is standard input',
      )
      .addOption(
        columnOption(
          'column of the roots (default: root_id, or the only one that ends so); pt_root_id gives pt_latest_root_id; may be repeated',
        ),
      )
      .addOption(
        new Option(
          '--by <voters>',
          'which parts of a replaced root vote: its layer-2 nodes, or all its supervoxels',
        )
          .choices(['level2', 'supervoxels'])
          .default('level2'),
      )
      .option('--replace', 'write over output columns that exist'),
  )
    .addHelpText('after', LATEST_HELP)
    .action(async (path: string, flags: LatestFlags) => {
      const { latest } = await import('./latest.ts');
      code = (await latest(path, flags, io, report)) ? EXIT.rows : 0;
    });

  graphCommand(program, graphFlags, async (call, path, args, flags) => {
    const { graph } = await import('./graph.ts');
    code = (await graph(call, path, args, flags, io, report)) ? EXIT.rows : 0;
  });

  graphFlags(
    bucketFlags(
      program
        .command('info')
        .description('Says what a volume is: type, scales, bounds, graph.')
        .argument('<cloudpath>', 'as for lookup')
        .option('--json', 'as JSON')
        .option('--data-dir <path>', 'where the watershed is, instead of where the graph server says', text),
    ),
  ).action(async (path: string, flags: InfoFlags) => {
    const { info } = await import('./info.ts');
    await info(path, flags, io, report);
  });

  program
    .command('login')
    .description(
      'Keeps a token of a CAVE server where this and the Python tools look for it: names the page, reads the token, says what it wrote.',
    )
    .argument('[server]', 'https://HOST (default: https://global.daf-apis.com)')
    .action(async (server: string | undefined) => {
      const { login } = await import('./login.ts');
      await login(server, io, report);
    });

  graphFlags(
    bucketFlags(
      program
        .command('doctor')
        .description(
          'Checks whether a volume can be read from here: Node, secrets, token, servers, clock, bucket, one look-up. Each with what to do next.',
        )
        .argument('[cloudpath]', "as for lookup (default: this machine, and the server's token)")
        .option('--data-dir <path>', 'where the watershed is, instead of where the graph server says', text)
        .option('--json', 'as JSON'),
    ),
  ).action(async (path: string | undefined, flags: DoctorFlags) => {
    const { doctor } = await import('./doctor.ts');
    code = (await doctor(path, flags, io)) ? EXIT.rows : 0;
  });

  program
    .command('cache')
    .description('Says what is in a cache folder, deletes it, or checks every entry.')
    .addArgument(new Argument('<action>').choices(['stats', 'clear', 'verify']))
    .argument('<folder>', 'as given to --cache-dir')
    .action(async (action: string, folder: string) => {
      const { cache } = await import('./cache.ts');
      await cache(action, folder, io);
    });

  program
    .command('demo')
    .description('Looks up points of a small volume that comes with this package, before and after a merge.')
    .action(async () => {
      const { demo } = await import('./demo.ts');
      await demo(io, report);
    });

  program
    .command('mock')
    .description(
      'Serves a volume and a mocked chunkedgraph on this machine until it is interrupted, for tests in any language; prints one line of JSON with the URLs.',
    )
    .requiredOption('--volume <folder>', 'Precomputed volume: the watershed', text)
    .option(
      '--graph <file>',
      'its graph as JSON: info, supervoxels, edges, edits (default: the volume alone)',
      text,
    )
    .option('--port <port>', '0 takes a free one', wholeNumber(0), 0)
    .option('--table <name>', "name of the graph in URLs (default: the file's, or mock)", text)
    .option('--token <token>', 'wanted by the graph server', text)
    .option('--bucket-token <token>', 'wanted by the bucket, as Authorization: Bearer', text)
    .option('--latency-ms <ms>', 'a wait before every answer', wholeNumber(0), 0)
    .option(
      '--cave',
      'with what a CAVE client asks first: auth, info and materializations of the datastack mock',
    )
    .addOption(
      mayRepeat(
        new Option(
          '--materialization <number=timestamp>',
          'of --cave: a materialization and its timestamp, such as 943=2024-06-05T10:10:01Z (repeatable)',
        ).argParser(materialization),
      ),
    )
    .addHelpText('after', MOCK_HELP)
    .action(async (flags: MockFlags) => {
      const { mock } = await import('./mock.ts');
      await mock(flags, io);
    });

  refuseRepeats(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (io.signal.aborted) {
      report.done();
      report.line(error instanceof Interrupted ? error.message : 'interrupted');
      return EXIT.interrupted;
    }
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.refused; // already told
    report.error(error);
    return EXIT.refused;
  } finally {
    report.done();
  }
}

const FILES_HELP = `Tables that end with .gz or .zst are packed, input and output. Lines may end with LF, CR LF or CR. A header that seems to have another separator
is an error that names --delimiter. FILE may be the input itself: it is replaced once the new table is whole, keeps its permissions, and stays as it
was after an error. One run at a time writes a file: FILE.lock says which; the lock of a run that is gone is taken over. A link as FILE
stays, and the file it names is written. Parquet, spreadsheets and the like are not read: the error says how to convert them.
`;

const LOOKUP_HELP = `
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

const ID_HELP = `
Every row is written, in order, its other columns byte for byte. One ID a line makes a CSV with a header; a first line that is
a missing ID, such as nan, belongs to such a list too, but 0 in a .csv or .tsv is the header that pandas gives a Series. Repeated IDs are asked once.
0 is background; a missing ID (an empty cell, NA, nan, <NA>, None, null in any case) is not_looked_up; a value that is not a uint64 (a float has
lost digits) is invalid_id. With --replace an old value stays where there is no answer: status says so.
Where the table has a status column already and no roots, statuses go to root_status.
${FILES_HELP}For pandas: pd.read_csv('roots.csv', dtype={'supervoxel_id': 'UInt64', 'root_id': 'UInt64'}), or an empty cell makes IDs float64, rounded.

Exit code: 0; 1 if any row is root_failed, no_root or invalid_id; 2 for bad usage or unreadable input.`;

const UPDATE_HELP = `
The table keeps its rows, in order, and every byte of those whose root still is one. Rows without a root (no_root, missing, mangled, or an ID
of a lower layer in its place) are asked again; those without a supervoxel stay as they are, and one that is mangled (invalid_id) keeps its
root. Where the server cannot answer, the old root stays too, as root_failed; where it says that there is none, the cell is emptied, as
no_root. A suspect row stays suspect. A status column that holds other words than ours is left alone: statuses go to root_status.
A table of --stop-layer has no roots: \`roots --stop-layer 2 --replace\` renews it.

Exit code: 0; 1 if any row is root_failed, no_root, invalid_id or suspect; 2 for bad usage or unreadable input.`;

const LATEST_HELP = `
A root that still is one at the moment keeps its ID, with confidence 1 and changed false. Of a replaced one the root that most of its parts
are in now is told; confidence is their share. Any node will do, of any layer: one below the roots is never its own answer but gets the root
that its supervoxels are in, with changed true. no_root: the graph does not know the ID, or its parts have no root at the moment.
What lookup wrote has a status already: statuses go to latest_status. For both sides of a synapse: --column pre_pt_root_id --column post_pt_root_id.

Exit code: 0; 1 if any row is root_failed, no_root or invalid_id; 2 for bad usage or unreadable input.`;

const MOCK_HELP = `
The line has url, cloudpath, table, bucket, requests and faults, and with --cave datastack and server: open cave://mock with --server URL. GET requests is the log of all requests, DELETE forgets them; POST
faults has something go wrong, such as {"server": "graph", "match": "roots_binary", "times": 2, "status": 503}, and DELETE ends that.

Ends with 0 on SIGINT or SIGTERM. docs/testing.md says what a graph file holds.`;
