/** The steps of a look-up of a table, for `lookup` and for jobs: check the flags, open the volumes and files, report. */
import type { NameOption } from '../base/option-names.ts';
import type { AnyOptionTable } from '../base/option-table.ts';
import { parseTimestampOption } from '../chunkedgraph/ids/timestamp.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS } from '../graphene/opening-options.ts';
import { READ_OPTIONS, SCATTERED_OPTIONS, SNAP_OPTIONS } from '../graphene/reading-options.ts';
import type { OpenGrapheneOptions, ScatteredPointsOptions, SnapOptions } from '../graphene/option-types.ts';
import type { IdType } from '../tables/columnar/column.ts';
import type { MissingText } from '../tables/text/answer-cells.ts';
import { reasonNotReadable } from '../tables/file-kinds.ts';
import { FORMAT_NAMES, formatOfFile, type FormatName } from '../tables/formats.ts';
import type { TextOptions } from '../tables/open-table.ts';
import { type MaxFailures, needsAttention } from '../jobs/failure-bound.ts';
import type { PointLookup } from '../jobs/point-lookup.ts';
import type { OutputFormat } from '../tables/convert/outputs.ts';
import type { PointTableOptions, TableSummary } from '../jobs/point-table.ts';
import type { NamedLookup } from '../jobs/side-by-side.ts';
import type { ChunkOrder } from '../points/chunk-order.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import type { TablePath } from '../table-files/cloud-input.ts';
import { chooseOutput, refuseOptions, requireOneFormat } from '../lookup-table/format-options.ts';
import { flagNames } from './flag-names.ts';
import { type Io, UsageError } from './io.ts';
import { checkMissingOption } from '../lookup-table/missing-option.ts';
import { LookupVolumes, type NamedPath } from '../lookup-table/lookup-volumes.ts';
import { isGraphenePath } from '../lookup-table/open-volume.ts';
import type { Report } from './report.ts';
import { statsJson, summaryLine } from './summary.ts';
import { attributeOfFlag, optionsFromFlags } from './options-from-flags.ts';
import { findTables } from '../table-files/table-paths.ts';
import { type JobFiles, openJobFiles } from './table-io.ts';

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

/** A look-up whose flags are valid together. */
export interface CheckedLookup {
  /** The cloud path of the main volume. */
  path: string;
  flags: LookupFlags;
  tables: readonly TablePath[];
  format: FormatName;
  /** The format of the output, if it is another. */
  output: OutputFormat | undefined;
  /** The format of the output. */
  written: FormatName;
  storage: Partial<StorageOptions>;
  given: Partial<OpenGrapheneOptions>;
}

/** Checks the flags of a look-up, before anything is opened. @throws UsageError. */
export async function checkLookup(
  path: string,
  flags: LookupFlags,
  report: Report,
  option = '--points',
): Promise<CheckedLookup> {
  const storage = optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags);
  const given = optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags);
  const tables = await findTables(option, flags.points, { storage, retries: given.retries }),
    [points] = tables;
  const nameOf = flagNames(option);
  requireOneFormat(tables, flags.format, nameOf);
  const format = chooseFormat({ ...flags, points: points.name }, nameOf);
  const { out, outFormat } = flags,
    output = chooseOutput({ out, outFormat, input: format, isJoined: tables.length > 1 }, nameOf),
    written = output?.format ?? format;
  refuseOptions(written, { idType: flags.idType }, nameOf);
  checkMissingOption(flags.missing, written, nameOf, (message) => report.warn(message));
  const others = flags.also ?? [];
  const misplaced = [path, ...others.map((other) => other.path)].some(isGraphenePath)
    ? undefined
    : GRAPH_FLAGS.find((flag) => flags[attributeOfFlag(flag) as keyof LookupFlags] !== undefined);
  if (misplaced !== undefined)
    throw new UsageError(`${misplaced.split(' ')[0]} is for graphene:// and cave:// paths`);
  parseTimestampOption(flags.timestamp);
  return { path, flags, tables, format, output, written, storage, given };
}

/** The open volumes of a look-up. The caller closes them. */
export interface OpenedLookup {
  volumes: LookupVolumes;
  main: PointLookup;
  also: NamedLookup[];
  /** The order of the chunks of the main volume. It is made when the first points are placed. */
  order: Pick<ChunkOrder, 'place'>;
}

/**
 * Opens the volumes of a look-up.
 * @param pinned The timestamps of the roots of all volumes, if they are known already.
 */
export async function openLookup(
  { path, flags, storage, given }: CheckedLookup,
  signal: AbortSignal,
  report: Report,
  pinned?: readonly (Date | undefined)[],
): Promise<OpenedLookup> {
  const open = { ...given, timestamp: undefined };
  const volumes = await LookupVolumes.open(
    path,
    flags.also ?? [],
    { ...open, storage, signal, logger: report },
    flagNames('--points'),
  );
  try {
    const { mip, stopLayer, agglomerate, interpolate } = optionsFromFlags<ScatteredPointsOptions>(
        SCATTERED_OPTIONS,
        flags,
      ),
      { radiusNm } = optionsFromFlags<SnapOptions>(SNAP_OPTIONS, flags);
    const reading = {
      mip,
      stopLayer,
      agglomerate,
      interpolate,
      radiusNm,
      timestamp: flags.timestamp,
      pinned,
    };
    const lookups = await volumes.lookups(reading, signal);
    return { volumes, ...lookups, order: lazily(() => volumes.orderOf(mip)) };
  } catch (error) {
    await volumes.close();
    throw error;
  }
}

/** Opens the files of a look-up. The caller closes them. */
export const openLookupFiles = (
  { flags, tables, written, storage, given }: CheckedLookup,
  io: Io,
  report: Report,
  option = '--points',
): Promise<JobFiles> =>
  openJobFiles(
    {
      input: { option, tables },
      format: written,
      out: flags.out,
      stats: flags.stats,
      cloud: { storage, retries: given.retries },
      tempDir: flags.tempDir,
    },
    io,
    report,
  );

/** Returns how the rows of a look-up are read and written. */
export const pointTableOptions = (
  { flags, format, output }: CheckedLookup,
  { also }: Pick<OpenedLookup, 'also'>,
): Omit<PointTableOptions, 'outOfCore'> => ({
  also,
  interpolates: optionsFromFlags<ScatteredPointsOptions>(SCATTERED_OPTIONS, flags).interpolate === 'linear',
  format,
  output,
  text: toTextOptions(flags),
  columns: flags.columns,
  positions: flags.position,
  timestampColumn: flags.timestampColumn,
  replace: flags.replace,
  missing: flags.missing,
  idType: flags.idType,
  strict: flags.strict,
  maxFailures: flags.maxFailures,
});

/** Reports what a look-up did. @returns Whether any row needs attention, and more than may. */
export async function reportLookup(
  summary: TableSummary,
  files: Pick<JobFiles, 'writeStats'>,
  { quiet, maxFailures }: Pick<LookupFlags, 'quiet' | 'maxFailures'>,
  report: Report,
): Promise<boolean> {
  await files.writeStats(statsJson(summary));
  if (!quiet) report.line(summaryLine(summary));
  const counts = [summary, ...Object.values(summary.also ?? {})];
  return maxFailures === undefined && counts.some(({ statuses }) => needsAttention(statuses));
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

function chooseFormat(
  { points, format, delimiter, decimal }: Omit<LookupFlags, 'points'> & { points: string },
  nameOf: NameOption,
): FormatName {
  const input = format ?? (points === '-' ? 'csv' : formatOfFile(points));
  if (!input)
    throw new UsageError(
      reasonNotReadable(points) ??
        `the suffix of ${points} does not tell its format: add --format ${FORMAT_NAMES}`,
    );
  refuseOptions(input, { delimiter, decimal }, nameOf);
  return input;
}
