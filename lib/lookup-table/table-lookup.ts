/** The steps of a look-up of a table, for `lookupTable` and the command line: check, open, look up. */
import type { Logger } from '../base/logger.ts';
import type { NameOption } from '../base/option-names.ts';
import { parseTimestampOption } from '../chunkedgraph/ids/timestamp.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS } from '../graphene/opening-options.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import type { RowOptions } from '../jobs/answer-table.ts';
import type { MaxFailures } from '../jobs/failure-bound.ts';
import type { StartedJob } from '../jobs/job-files.ts';
import type { WindowSizes } from '../jobs/plan-tasks.ts';
import type { PointLookup } from '../jobs/point-lookup.ts';
import type { TableSummary } from '../jobs/job-types.ts';
import { lookUpPointTable, type PointTableOptions } from '../jobs/point-table.ts';
import type { NamedLookup } from '../jobs/side-by-side.ts';
import type { ReportWatch } from '../report/report-watch.ts';
import type { ChunkOrder } from '../points/chunk-order.ts';
import type { JobSource } from '../table-files/several-inputs.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import type { TableFormats } from './format-options.ts';
import { isGraphVolume, LookupVolumes } from './lookup-volumes.ts';
import type { LookupTableOptions, LookupVolume } from './table-types.ts';

/** A look-up of a table: what `lookupTable` and the flags of the command line ask for. */
export interface TableLookup extends Omit<
  LookupTableOptions,
  'position' | 'maxFailures' | 'signal' | 'onProgress' | 'warn'
> {
  /** The points of a row. @default the columns of `columns` */
  positions?: readonly string[];
  maxFailures?: MaxFailures;
}

const OF_GRAPHS = ['timestamp', 'stopLayer', 'agglomerate', 'timestampColumn'] as const;

/**
 * Checks what does not fit together, before anything is opened.
 * @throws TypeError; TimestampError.
 */
export function checkTableLookup(lookup: TableLookup, nameOf: NameOption): void {
  const { volume, also = [], open = {}, agglomerate, columns, positions, timestamp } = lookup,
    volumes = [volume, ...also.map((other) => other.volume)];
  if (!volumes.some(isGraphVolume)) {
    const opening = Object.keys(GRAPHENE_OPTIONS).filter((name) => !(name in OPEN_OPTIONS)),
      misplaced =
        opening.find((name) => open[name as keyof OpenGrapheneOptions] !== undefined) ??
        OF_GRAPHS.find((name) => lookup[name] !== undefined);
    if (misplaced !== undefined)
      throw new TypeError(`${nameOf(misplaced)} is for graphene:// and cave:// paths`);
  }
  const unused =
    agglomerate === false
      ? (['timestamp', 'timestampColumn', 'stopLayer'] as const).find((name) => lookup[name] !== undefined)
      : undefined;
  if (unused !== undefined)
    throw new TypeError(`${nameOf(unused)} is for roots, and ${nameOf('agglomerate')} false looks up none`);
  if (lookup.open && volumes.every((given) => typeof given !== 'string'))
    throw new TypeError(`${nameOf('open')} is for volumes that are paths, and all are open`);
  if (columns && positions)
    throw new TypeError(`${nameOf('columns')} and ${nameOf('position')} name the points twice: give one`);
  parseTimestampOption(timestamp);
}

/** The open volumes of a look-up. The caller closes them. */
export interface OpenedLookup {
  volumes: LookupVolumes;
  main: PointLookup;
  also: NamedLookup[];
  /** The order of the chunks of the main volume. It is made when the first points are placed. */
  order: Pick<ChunkOrder, 'place'>;
}

/** How the volumes of a look-up are opened. */
export interface OpeningOptions {
  signal: AbortSignal | undefined;
  logger: Logger;
  /** The timestamps of the roots of all volumes, if they are known already. */
  pinned?: readonly (Date | undefined)[];
  /** Watches the volumes and their look-ups, for a report. */
  watch?: ReportWatch;
  nameOf: NameOption;
}

/** Opens the volumes of a look-up. */
export async function openLookupVolumes(
  { volume, also = [], open = {}, ...lookup }: TableLookup,
  { signal, logger, pinned, watch, nameOf }: OpeningOptions,
): Promise<OpenedLookup> {
  const opening = { ...open, signal, logger, ...(watch && { onEvent: joinObservers(watch, open.onEvent) }) };
  const volumes = await LookupVolumes.open(volume, also, opening, nameOf);
  try {
    const { resolution, mip, stopLayer, agglomerate, interpolate, snap, timestamp } = lookup,
      reading = { resolution, mip, stopLayer, agglomerate, interpolate, snap, timestamp, pinned };
    const lookups = await volumes.lookups(reading, signal);
    if (watch) watchLookups(watch, volumes, lookups, [volume, ...also.map((other) => other.volume)]);
    return { volumes, ...lookups, order: lazily(() => volumes.orderOf(mip)) };
  } catch (error) {
    await volumes.close();
    throw error;
  }
}

const joinObservers =
  (watch: ReportWatch, given: OpenGrapheneOptions['onEvent']): NonNullable<OpenGrapheneOptions['onEvent']> =>
  (event) => {
    watch.onEvent(event);
    return given?.(event);
  };

/** Puts the watched look-ups in the place of the others. */
function watchLookups(
  watch: ReportWatch,
  volumes: LookupVolumes,
  lookups: { main: PointLookup; also: NamedLookup[] },
  paths: readonly LookupVolume[],
): void {
  watch.noteGraph(volumes.graphServer);
  watch.run.noteVolumes(volumes.describe(paths), volumes.unit);
  lookups.main = watch.watch(lookups.main, 0);
  lookups.also = lookups.also.map(({ name, lookup }, k) => ({ name, lookup: watch.watch(lookup, k + 1) }));
}

/** Makes the order of chunks when the first points are placed. */
function lazily(create: () => ChunkOrder): Pick<ChunkOrder, 'place'> {
  let order: ChunkOrder | undefined;
  return { place: (points) => (order ??= create()).place(points) };
}

/** Returns how the rows of a look-up are read and written. */
export const rowOptionsOf = (
  lookup: TableLookup,
  { format, output }: Pick<TableFormats, 'format' | 'output'>,
  { also }: Pick<OpenedLookup, 'also'>,
): Omit<PointTableOptions, 'outOfCore'> => ({
  also,
  interpolates: lookup.interpolate === 'linear',
  format,
  output,
  text: { delimiter: lookup.delimiter, decimalComma: lookup.decimal === ',' },
  columns: lookup.columns,
  positions: lookup.positions,
  timestampColumn: lookup.timestampColumn,
  replace: lookup.replace,
  missing: lookup.missing,
  idType: lookup.idType,
  strict: lookup.strict,
  maxFailures: lookup.maxFailures,
});

/** A look-up whose volumes and input are open. */
export interface ReadyLookup {
  lookup: TableLookup;
  formats: Pick<TableFormats, 'format' | 'output'>;
  opened: OpenedLookup;
  input: JobSource;
}

/** How a look-up is run. */
export interface RunOptions extends Pick<RowOptions, 'signal' | 'warn' | 'onProgress' | 'batchRows'> {
  /**
   * The folder of the temporary files of a table with more than one batch.
   * @default It is looked up batch by batch.
   */
  folder: string | undefined;
  sizes?: Partial<WindowSizes>;
  /** Makes the job of a table with more than one batch. @default a temporary folder, which is deleted */
  startJob?: () => Promise<StartedJob>;
  /** Called when the points of a table are sorted before its rows are written, and when those are written. */
  onSorting?: () => void;
  onWriting?: () => void;
  /** Receives what the look-up needs and does, for people. */
  note?: (message: string) => void;
}

/** Looks up and writes every row. The caller finishes or abandons the sink. @throws TableError. */
export function lookUpInto(
  sink: ByteSink,
  { lookup, formats, opened, input }: ReadyLookup,
  { folder, sizes, startJob, onSorting, onWriting, note, ...running }: RunOptions,
): Promise<TableSummary> {
  const { main, order, volumes } = opened;
  return lookUpPointTable(main, input.source(), sink, {
    ...rowOptionsOf(lookup, formats, opened),
    ...running,
    outOfCore:
      folder === undefined
        ? undefined
        : {
            ...sizes,
            folder,
            order,
            startJob,
            reopen() {
              onWriting?.();
              return input.again();
            },
            fractionRead: () => input.fractionRead(),
            begin() {
              onSorting?.();
              volumes.muteCalls();
              input.requireAgain();
            },
            note,
          },
  });
}
