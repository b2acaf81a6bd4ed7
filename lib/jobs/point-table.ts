/** Runs the main job: looks up the points of a table and writes the same rows with their answers. */
import type { Batch } from '../tables/table.ts';
import { flagIntegers } from './coordinate-kinds.ts';
import { answerTable, type RowOptions, type TableJob } from './answer-table.ts';
import type { RowCounts, TableSummary } from './job-types.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import type { TableInput } from '../tables/files/table-input.ts';
import type { OutputFormat } from '../tables/convert/outputs.ts';
import type { FormatName } from '../tables/formats.ts';
import { openTable, type TextOptions } from '../tables/open-table.ts';
import type { OutOfCoreOptions } from './out-of-core.ts';
import { peekSource } from './peek-source.ts';
import { type LookupAnswers, type PointBatch, type PointLookup, withPresetStatus } from './point-lookup.ts';
import { type PointRowOptions, PointRows } from './point-rows.ts';
import { RowWarnings } from './row-warnings.ts';
import { lookUpSideBySide } from './side-by-side.ts';

/** Options of `lookUpPointTable`. */
export interface PointTableOptions extends RowOptions, PointRowOptions {
  format: FormatName;
  /** The format of the output, if it is another. @default the format of the input */
  output?: OutputFormat;
  text?: TextOptions;
  warn?: (message: string) => void;
  strict?: boolean;
  /** How a table with more than one batch is sorted on disk. @default It is looked up batch by batch. */
  outOfCore?: OutOfCoreOptions;
}

/** What a valid row has. */
const WANTED = 'a valid point';

/** The look-ups of one table, and how its rows are read. */
export interface PointWork {
  rows: PointRows;
  rowWarnings: RowWarnings;
  /** The main look-up, then the others. */
  lookups: readonly PointLookup[];
  /** The names of the other volumes. */
  also: readonly string[];
  /** Looks up points in all volumes. */
  lookUp: (batch: PointBatch) => Promise<LookupAnswers>;
}

/** Prepares the look-up of one table. */
export function preparePointWork(lookup: PointLookup, options: PointRowOptions): PointWork {
  const { also = [] } = options;
  return {
    rows: new PointRows(lookup, options),
    rowWarnings: new RowWarnings(WANTED, options),
    lookups: [lookup, ...also.map((other) => other.lookup)],
    also: also.map(({ name }) => name),
    lookUp: (batch) => lookUpSideBySide(lookup, also, batch),
  };
}

/** Adds the timestamps of the roots to the counts of a job. */
export const summarizeTimestamps = (
  counts: RowCounts,
  timestamp: Date | undefined,
  usedTimestamps: ReadonlySet<number>,
  timestampColumn: string | undefined,
): TableSummary => ({
  ...counts,
  ...(timestampColumn === undefined ? { timestamp } : { timestamps: findSpan(usedTimestamps) }),
});

/**
 * Looks up and writes every row of a table. The caller finishes or abandons the sink.
 *
 * @throws TableError if the table cannot be read. The message has the number of the row (data rows count
 *   from 1).
 */
export async function lookUpPointTable(
  lookup: PointLookup,
  source: AsyncIterable<Uint8Array> | TableInput,
  sink: ByteSink,
  options: PointTableOptions,
): Promise<TableSummary> {
  const { outOfCore } = options,
    work = preparePointWork(lookup, options),
    { rows, rowWarnings } = work;
  const table = openTable(source, rows.choose, options);
  const usedTimestamps = new Set<number>(); // few enough to keep: each cost a root request
  const job: TableJob = {
    wanted: WANTED,
    sides: rows.sides,
    also: work.also,
    prepare(batch) {
      const { points, pointStatus } = batch,
        { timestamps, problemOf } = rows.prepare(batch);
      return {
        problemOf,
        async lookUp(signal, onProgress) {
          rows.noteNumbers(batch);
          const integers = integersOf(batch, rows.namesVoxels);
          const answers = await work.lookUp({ points, integers, timestamps, signal, onProgress });
          for (const own of [answers, ...(answers.also ?? [])])
            for (const timestamp of own.timestamps ?? []) usedTimestamps.add(timestamp.getTime());
          return withPresetStatus(answers, pointStatus);
        },
      };
    },
  };
  const report = (batch: Batch): void => rowWarnings.report(batch, rows.prepare(batch).problemOf);
  const peeked = outOfCore && (await peekSource(table, report, options.signal));
  const ownTimestamp = (): Date | undefined => (lookup.kind === 'graph' ? lookup.timestamp : undefined);
  if (!outOfCore || !peeked?.isLarge) {
    const sinkOfTable = table.sinkTo(sink, options.missing);
    const counts = await answerTable(peeked?.source ?? table, sinkOfTable, job, options, rowWarnings);
    return summarizeTimestamps(counts, ownTimestamp(), usedTimestamps, options.timestampColumn);
  }
  // Small tables do not wait until this is loaded.
  const { answerOutOfCore } = await import('./out-of-core.ts'),
    { WINDOW_SIZES } = await import('./plan-tasks.ts');
  const fraction = outOfCore.fractionRead?.() ?? 0;
  const { timestamps, ...counts } = await answerOutOfCore(
    {
      ...work,
      source: peeked.source,
      expectedRows: fraction > 0 ? Math.ceil(peeked.rows / fraction) : undefined,
      openAgain() {
        const again = openTable(outOfCore.reopen(), rows.chooseOutputs, options);
        return { source: again, sink: again.sinkTo(sink, options.missing) };
      },
    },
    { ...WINDOW_SIZES, ...outOfCore },
    outOfCore,
    options,
  );
  return summarizeTimestamps(counts, ownTimestamp(), timestamps, options.timestampColumn);
}

/** Flags the coordinates of a batch that name voxels; undefined if none does. */
export const integersOf = (
  { rows }: Pick<Batch, 'rows'>,
  namesVoxels: readonly boolean[] | undefined,
): Uint8Array | undefined =>
  namesVoxels &&
  flagIntegers(namesVoxels, (rows * namesVoxels.length) / 3, (point) => Math.floor(point / rows));

function findSpan(usedTimestamps: ReadonlySet<number>): TableSummary['timestamps'] {
  let first = Infinity,
    last = -Infinity;
  for (const ms of usedTimestamps) {
    first = Math.min(first, ms);
    last = Math.max(last, ms);
  }
  const date = (ms: number): Date | null => (Number.isFinite(ms) ? new Date(ms) : null);
  return { first: date(first), last: date(last), count: usedTimestamps.size };
}
