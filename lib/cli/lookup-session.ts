/** What the commands that look up points have in common: their flags, volumes, files and report. */
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import { SCATTERED_OPTIONS, SNAP_OPTIONS } from '../graphene/reading-options.ts';
import type { OpenGrapheneOptions, ScatteredPointsOptions, SnapOptions } from '../graphene/option-types.ts';
import type { IdType } from '../tables/columnar/column.ts';
import type { MissingText } from '../tables/missing.ts';
import type { FormatName } from '../tables/formats.ts';
import { type MaxFailures, needsAttention } from '../jobs/failure-bound.ts';
import type { PointTableOptions } from '../jobs/point-table.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import { chooseFormats, type TableFormats } from '../lookup-table/format-options.ts';
import {
  checkTableLookup,
  type OpenedLookup,
  openLookupVolumes,
  rowOptionsOf,
  type TableLookup,
} from '../lookup-table/table-lookup.ts';
import type { TablePath } from '../table-files/cloud-input.ts';
import { findTables } from '../table-files/table-paths.ts';
import { flagNames } from './flag-names.ts';
import { type Io, UsageError } from './io.ts';
import type { NamedPath } from './option-values.ts';
import { readStates, STATE_FORMAT } from './read-states.ts';
import type { ReportWatch } from '../report/report-watch.ts';
import type { Report } from './report.ts';
import { statsJson, summaryLine } from './summary.ts';
import { optionsFromFlags } from './options-from-flags.ts';
import { type JobFiles, openJobFiles } from './table-io.ts';

export type { OpenedLookup };

/** The flags that are not in an option table. */
export interface LookupFlags {
  points: string[];
  out: string;
  format?: FormatName | typeof STATE_FORMAT;
  /** The annotation layer of a Neuroglancer state. */
  layer?: string;
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
  /** The file of the report. In the folder of a job, its report is `report.html`. */
  report?: string | boolean;
  strict?: boolean;
  maxFailures?: MaxFailures;
  quiet?: boolean;
  /** Whether the cost is estimated, and nothing is looked up. */
  dryRun?: boolean;
  /** Whether the estimate is printed as JSON. */
  json?: boolean;
}

/** Returns the look-up that flags ask for. @param path The cloud path of the main volume. */
export function lookupOfFlags(path: string, flags: LookupFlags): TableLookup {
  const storage = optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags),
    given = optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags),
    { radiusNm } = optionsFromFlags<SnapOptions>(SNAP_OPTIONS, flags);
  const { mip, stopLayer, agglomerate, interpolate } = optionsFromFlags<ScatteredPointsOptions>(
    SCATTERED_OPTIONS,
    flags,
  );
  return {
    volume: path,
    open: { ...given, timestamp: undefined, storage },
    also: flags.also?.map(({ name, path: volume }) => ({ name, volume })),
    storage,
    retries: given.retries,
    mip,
    stopLayer,
    agglomerate,
    interpolate,
    snap: radiusNm === undefined ? undefined : { radiusNm },
    timestamp: flags.timestamp,
    timestampColumn: flags.timestampColumn,
    // Standard input has no suffix.
    format:
      flags.format === STATE_FORMAT ? 'csv' : (flags.format ?? (flags.points[0] === '-' ? 'csv' : undefined)),
    outFormat: flags.outFormat,
    delimiter: flags.delimiter,
    decimal: flags.decimal,
    columns: flags.columns,
    positions: flags.position,
    replace: flags.replace,
    missing: flags.missing,
    idType: flags.idType,
    strict: flags.strict,
    maxFailures: flags.maxFailures,
    tempDir: flags.tempDir,
  };
}

/** A look-up whose flags are valid together. */
export interface CheckedLookup extends TableFormats {
  /** The cloud path of the main volume. */
  path: string;
  flags: LookupFlags;
  tables: readonly TablePath[];
}

/**
 * Checks the flags of a look-up, before anything is opened.
 * @param io Where states are read from; undefined if the points are in tables. The flags of the result are then
 *   those of a table that holds their points.
 * @throws UsageError; TypeError; TableError; StateError; TimestampError.
 */
export async function checkLookup(
  path: string,
  flags: LookupFlags,
  report: Report,
  option = '--points',
  io?: Pick<Io, 'env' | 'signal' | 'stdin'>,
): Promise<CheckedLookup> {
  if (flags.report === '-') throw new UsageError('a report is a file: name it with --report');
  if (flags.json && !flags.dryRun) throw new UsageError('--json is for --dry-run');
  const states = io && (await readStates(path, flags, lookupOfFlags(path, flags), io, report)),
    read: LookupFlags & { resolution?: unknown } = states
      ? {
          ...flags,
          points: [states.table.name],
          format: 'csv',
          resolution: states.resolution,
          layer: undefined,
        }
      : flags;
  if (!states && flags.layer !== undefined) throw new UsageError('--layer is for Neuroglancer states');
  const lookup = lookupOfFlags(path, read),
    nameOf = flagNames(option);
  const tables = states ? [states.table] : await findTables(option, flags.points, lookup),
    formats = chooseFormats(tables, flags.out, lookup, nameOf, (message) => report.warn(message));
  checkTableLookup(lookup, nameOf);
  return { path, flags: read, tables, ...formats };
}

/**
 * Opens the volumes of a look-up. The caller closes them.
 * @param options `pinned`: the timestamps of the roots of all volumes, if they are known already. `watch`: watches the
 *   look-ups, for a report.
 */
export const openLookup = (
  { path, flags }: Pick<CheckedLookup, 'path' | 'flags'>,
  signal: AbortSignal,
  report: Report,
  { pinned, watch }: { pinned?: readonly (Date | undefined)[]; watch?: ReportWatch } = {},
): Promise<OpenedLookup> =>
  openLookupVolumes(lookupOfFlags(path, flags), {
    signal,
    logger: report,
    pinned,
    watch,
    nameOf: flagNames('--points'),
  });

/** Opens the files of a look-up. The caller closes them. */
export function openLookupFiles(
  { path, flags, tables, written }: CheckedLookup,
  io: Io,
  report: Report,
  option = '--points',
): Promise<JobFiles> {
  const { storage, retries } = lookupOfFlags(path, flags);
  return openJobFiles(
    {
      input: { option, tables },
      format: written,
      out: flags.out,
      stats: flags.stats,
      report: typeof flags.report === 'string' ? flags.report : undefined,
      cloud: { storage, retries },
      tempDir: flags.tempDir,
    },
    io,
    report,
  );
}

/** Returns how the rows of a look-up are read and written. */
export const pointTableOptions = (
  { path, flags, ...formats }: CheckedLookup,
  opened: Pick<OpenedLookup, 'also'>,
): Omit<PointTableOptions, 'outOfCore'> => rowOptionsOf(lookupOfFlags(path, flags), formats, opened);

/** Reports what a look-up did. @returns Whether any row needs attention, and more than may. */
export async function reportLookup(
  summary: Parameters<typeof statsJson>[0],
  files: Pick<JobFiles, 'writeStats'>,
  { quiet, maxFailures }: Pick<LookupFlags, 'quiet' | 'maxFailures'>,
  report: Report,
): Promise<boolean> {
  await files.writeStats(statsJson(summary));
  if (!quiet) report.line(summaryLine(summary));
  const counts = [summary, ...Object.values(summary.also ?? {})];
  return maxFailures === undefined && counts.some(({ statuses }) => needsAttention(statuses));
}
