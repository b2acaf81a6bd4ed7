/**
 * Runs `graphene-points lookup`: looks up the points of a table and writes the same rows with their answers.
 */
import type { AnyOptionTable } from '../base/option-table.ts';
import { parseTimestampOption } from '../chunkedgraph/ids/timestamp.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS } from '../graphene/opening-options.ts';
import { READ_OPTIONS, SCATTERED_OPTIONS, SNAP_OPTIONS } from '../graphene/reading-options.ts';
import type { OpenGrapheneOptions, ScatteredPointsOptions, SnapOptions } from '../graphene/option-types.ts';
import type { IdType } from '../tables/columnar/column.ts';
import type { MissingText } from '../tables/text/answer-cells.ts';
import { reasonNotReadable } from '../tables/file-kinds.ts';
import { FORMAT_NAMES, formatOfFile, type FormatName } from '../tables/formats.ts';
import { isColumnar, type TextOptions } from '../tables/open-table.ts';
import { type MaxFailures, needsAttention } from '../jobs/failure-bound.ts';
import { lookUpPointTable, type TableSummary } from '../jobs/point-table.ts';
import type { ChunkOrder } from '../points/chunk-order.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import { chooseOutput, refuseOptions, requireOneFormat } from './format-options.ts';
import { type Io, UsageError } from './io.ts';
import { checkMissingOption } from './missing-option.ts';
import { LookupVolumes } from './lookup-volumes.ts';
import { isGraphenePath } from './open-volume.ts';
import type { NamedPath } from './option-values.ts';
import type { Report } from './report.ts';
import { statsJson, summaryLine } from './summary.ts';
import { attributeOfFlag, optionsFromFlags } from './options-from-flags.ts';
import { findTables } from './table-paths.ts';
import { openJobFiles } from './table-io.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The flags that are not in an option table. */
export interface LookupFlags {
  points: string[];
  out: string;
  format?: FormatName;
  /** The format of the output. */
  outFormat?: FormatName;
  /** The character between fields, if it is not that of the format. */
  delimiter?: string;
  /** The character before decimals. */
  decimal?: '.' | ',';
  columns?: [string, string, string];
  position?: string[];
  also?: NamedPath[];
  replace?: boolean;
  /** The folder of the temporary files of a large table. */
  tempDir?: string;
  missing?: MissingText;
  idType?: IdType;
  timestamp?: string;
  timestampColumn?: string;
  stats?: string;
  strict?: boolean;
  maxFailures?: MaxFailures;
  quiet?: boolean;
}

const flagsNotIn = (table: AnyOptionTable, plain: object): string[] =>
  Object.entries(table).flatMap(([name, { flag }]) => (flag === undefined || name in plain ? [] : [flag]));

/** The flags that need a graph. */
const GRAPH_FLAGS = [
  ...flagsNotIn(GRAPHENE_OPTIONS, OPEN_OPTIONS),
  ...flagsNotIn(SCATTERED_OPTIONS, { ...READ_OPTIONS, timestamp: undefined }),
  '--timestamp-column <column>',
];

/** Runs the command. @returns Whether any row needs attention, and more than may. */
export async function runLookup(path: string, flags: LookupFlags, io: Io, report: Report): Promise<boolean> {
  const { timestampColumn, replace, missing, idType, strict } = flags;
  const { signal } = io;
  const storage = optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags);
  const given = optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags);
  const tables = await findTables('--points', flags.points, { storage, retries: given.retries }),
    [points, ...moreTables] = tables;
  requireOneFormat('--points', tables, flags.format);
  const format = chooseFormat({ ...flags, points: points.name });
  const { out, outFormat } = flags,
    output = chooseOutput({ out, outFormat, input: format, isJoined: tables.length > 1 }),
    written = output?.format ?? format;
  refuseOptions(written, { 'id-type': idType });
  checkMissingOption(missing, written, report);
  const others = flags.also ?? [];
  const misplaced = [path, ...others.map((other) => other.path)].some(isGraphenePath)
    ? undefined
    : GRAPH_FLAGS.find((flag) => flags[attributeOfFlag(flag) as keyof LookupFlags] !== undefined);
  if (misplaced !== undefined)
    throw new UsageError(`${misplaced.split(' ')[0]} is for graphene:// and cave:// paths`);
  parseTimestampOption(flags.timestamp); // checked before anything is opened

  const files = await openJobFiles(
    {
      input: { option: '--points', file: points.name, open: points.open, url: points.url },
      others: moreTables,
      format: written,
      out: flags.out,
      stats: flags.stats,
      cloud: { storage, retries: given.retries },
      tempDir: flags.tempDir,
    },
    io,
    report,
  );
  let volumes: LookupVolumes | undefined;
  try {
    const open = { ...given, timestamp: undefined };
    volumes = await LookupVolumes.open(path, others, { ...open, storage, signal, logger: report });
    const { mip, stopLayer, agglomerate, interpolate } = optionsFromFlags<ScatteredPointsOptions>(
        SCATTERED_OPTIONS,
        flags,
      ),
      { radiusNm } = optionsFromFlags<SnapOptions>(SNAP_OPTIONS, flags);
    const { main, also } = await volumes.lookups(
      { mip, stopLayer, agglomerate, interpolate, radiusNm, timestamp: flags.timestamp },
      signal,
    );
    const rowsAreShown = flags.out === '-' && io.stdout.isTTY; // on the same terminal as the progress bar
    const folder = rowsAreShown ? undefined : await temporaryFolder(flags, io.env),
      input = files.input(folder),
      source = input.source();
    const onProgress = flags.quiet || rowsAreShown ? undefined : await report.startProgress();
    const warn = (message: string): void => report.warn(message);
    let writesRows = true;
    const outOfCore =
      folder === undefined
        ? undefined
        : {
            folder,
            order: lazily(() => volumes!.orderOf(mip)),
            reopen: () => ((writesRows = true), input.again()),
            fractionRead: () => input.fractionRead(),
            begin() {
              writesRows = false;
              volumes!.muteCalls();
              input.requireAgain();
            },
            note: flags.quiet ? undefined : (message: string) => report.line(message),
          };
    const lookUp = (sink: ByteSink): Promise<TableSummary> =>
      lookUpPointTable(main, source, sink, {
        outOfCore,
        also,
        interpolates: interpolate === 'linear',
        format,
        output,
        text: toTextOptions(flags),
        columns: flags.columns,
        positions: flags.position,
        timestampColumn,
        replace,
        missing,
        idType,
        strict,
        maxFailures: flags.maxFailures,
        signal,
        warn,
        onProgress,
      });
    const summary = await files.writeOutput(lookUp, () => writesRows && !isColumnar(written));
    report.done();
    if (!summary) return false; // the reader has closed the output
    await files.writeStats(statsJson(summary));
    if (!flags.quiet) report.line(summaryLine(summary));
    const counts = [summary, ...Object.values(summary.also ?? {})];
    return flags.maxFailures === undefined && counts.some(({ statuses }) => needsAttention(statuses));
  } finally {
    await files.close();
    await volumes?.close();
  }
}

/** Makes the order of chunks when the first points are placed. */
function lazily(create: () => ChunkOrder): Pick<ChunkOrder, 'place'> {
  let order: ChunkOrder | undefined;
  return { place: (points) => (order ??= create()).place(points) };
}

const toTextOptions = ({ delimiter, decimal }: LookupFlags): TextOptions => ({
  delimiter,
  decimalComma: decimal === ',',
});

function chooseFormat({
  points,
  format,
  delimiter,
  decimal,
}: Omit<LookupFlags, 'points'> & { points: string }): FormatName {
  const input = format ?? (points === '-' ? 'csv' : formatOfFile(points));
  if (!input)
    throw new UsageError(
      reasonNotReadable(points) ??
        `the suffix of ${points} does not tell its format: add --format ${FORMAT_NAMES}`,
    );
  refuseOptions(input, { delimiter, decimal });
  return input;
}
