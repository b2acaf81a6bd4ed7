/** The main job on a table: rows in, the same rows out with their answers, a batch at a time so that memory stays bounded. */
import { LookupError, TableError } from '../base/errors.ts';
import { parseTimestamp } from '../chunkedgraph/timestamp.ts';
import type { LookupStats } from '../points/result.ts';
import { PointStatus, statusText } from '../points/status.ts';
import { ByteWriter } from './byte-writer.ts';
import { answerCells } from './cells.ts';
import { outputNames } from './columns.ts';
import type { Sink } from './files.ts';
import { type FormatName, openFormat } from './format.ts';
import type { Lookup, Moments } from './lookup.ts';
import { withCauses } from './messages.ts';
import { lineOf, readRows, type RowBlock } from './rows.ts';
import type { TableFormat } from './table.ts';

export interface TableJobOptions {
  format: FormatName;
  /** Three columns of coordinates, or one whose cells hold all three. */
  point: readonly [string, string, string] | readonly [string];
  /** Column with the timestamp of each row; an empty cell means the job's own. */
  timestampColumn?: string;
  /** Write over output columns that exist. @default false */
  replace?: boolean;
  /** A row without a valid point is an error. @default false */
  strict?: boolean;
  /** A batch ends with the block of rows (64 KiB or more of text) that reaches this many. @default 1_000_000 */
  batchRows?: number;
  signal?: AbortSignal;
  warn?: (message: string) => void;
  onProgress?: (progress: TableProgress) => void;
}

export interface TableProgress {
  /** Rows read so far. */
  rows: number;
  /** Of the batch under way. */
  chunksDone: number;
  chunks: number;
}

export interface TableSummary {
  rows: number;
  /** Rows by status, in its text form; those that did not occur are left out. */
  statuses: Record<string, number>;
  /** The one instant of all roots; undefined when none was asked for, or where rows have their own. */
  timestamp?: Date;
  /** Where rows have their own: the instants at which roots were asked. */
  timestamps?: { first: Date | null; last: Date | null; count: number };
  /** Sums over all batches (a chunk or supervoxel that several batches touch counts in each); `ms.total` is the wall time of the whole job. */
  stats: LookupStats;
}

const BATCH_BYTES = 2 ** 28;
const WRITE_BYTES = 2 ** 20;
/** Warnings of one kind that are spelled out. */
const SHOWN = 3;

/**
 * Looks up every row of a table. The caller finishes or abandons the sink.
 * @throws TableError for a table that cannot be read as asked, with the number of the row (data rows count from 1).
 */
export async function lookupTable(lookup: Lookup, source: AsyncIterable<Uint8Array>, sink: Sink, options: TableJobOptions): Promise<TableSummary> {
  const { point, timestampColumn, replace = false, batchRows = 1_000_000, signal, warn = () => {}, onProgress } = options;
  const began = performance.now();
  const { kind, stopLayer, channels, snaps } = lookup;
  const outputs = outputNames({ position: point.length === 1 ? point[0] : undefined, kind, stopLayer, channels, snaps });
  const format = openFormat(options.format, { point, timestamp: timestampColumn, outputs, replace });
  const out = new ByteWriter(2 * WRITE_BYTES);
  const counts = new Float64Array(256);
  const stats: LookupStats = emptyStats();
  const instants = new Set<number>(); // each has cost a root request: there are not too many
  let rows = 0;
  let invalid = 0;

  const refuse = (row: number, line: number, reason: string): void => {
    const message = `row ${row} (line ${line}): ${reason}`;
    if (options.strict) throw new TableError('BAD_ROW', message);
    if (invalid++ < SHOWN) warn(`${message}; invalid_point`);
  };

  for await (const blocks of readBatches(source, format, out, batchRows)) {
    signal?.throwIfAborted();
    const batch = readPoints(blocks, format, rows + 1, timestampColumn !== undefined, refuse);
    const firstRow = rows + 1;
    rows += batch.count;
    const progress = onProgress && ((p: { chunksDone: number; chunks: number }): void => onProgress({ rows, chunksDone: p.chunksDone, chunks: p.chunks }));
    const answers = await lookup.ask({ points: batch.points, moments: batch.moments, signal, onProgress: progress });
    for (const code of answers.status) counts[code]++;
    addStats(stats, answers.stats);
    for (const instant of answers.instants ?? []) instants.add(instant.getTime());
    if (answers.status.includes(PointStatus.failed) || answers.status.includes(PointStatus.rootFailed)) warnOfFailures(answers.errors(), firstRow, warn);

    const cells = answerCells(answers);
    let row = 0;
    for (const { bytes, start, ends } of blocks) {
      let from = start;
      for (const end of ends) {
        format.writeRow(out, bytes, from, end, cells, row++);
        from = end;
        if (out.length >= WRITE_BYTES) await sink.write(out.take());
      }
      out.copy(bytes, from); // blank lines at the end of the table
    }
    await sink.write(out.take()); // an interrupt keeps the rows of this batch
  }
  if (rows === 0 && options.format === 'jsonl') warn('the table is empty');
  stats.points = rows;
  stats.ms.total = performance.now() - began;
  if (invalid > SHOWN) warn(`${invalid - SHOWN} more rows without a valid point`);
  const statuses: Record<string, number> = {};
  counts.forEach((count, code) => count > 0 && (statuses[statusText(code)] = count));
  const moments = timestampColumn === undefined ? { timestamp: kind === 'graph' ? lookup.timestamp : undefined } : { timestamps: spanOf(instants) };
  return { rows, statuses, ...moments, stats };
}

function spanOf(instants: ReadonlySet<number>): TableSummary['timestamps'] {
  let first = Infinity, last = -Infinity;
  for (const ms of instants) {
    first = Math.min(first, ms);
    last = Math.max(last, ms);
  }
  const date = (ms: number): Date | null => (Number.isFinite(ms) ? new Date(ms) : null);
  return { first: date(first), last: date(last), count: instants.size };
}

/** Blocks of rows, batch by batch; what comes before the first row (byte order mark, header) goes to `out`. */
async function* readBatches(source: AsyncIterable<Uint8Array>, format: TableFormat, out: ByteWriter, batchRows: number): AsyncGenerator<RowBlock[]> {
  let batch: RowBlock[] = [];
  let rows = 0;
  let bytes = 0;
  let begun = false;
  for await (let block of readRows(source, format.rules)) {
    if (!begun) {
      begun = true;
      const { bytes, start, ends } = block;
      out.copy(bytes, 0, start);
      if (begin(format, block, out)) block = { ...block, start: ends[0], ends: ends.subarray(1) };
    }
    batch.push(block);
    rows += block.ends.length;
    bytes += block.bytes.length;
    if (rows < batchRows && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    rows = bytes = 0;
  }
  if (!begun) format.begin(Buffer.alloc(0), 0, 0, out);
  if (batch.length > 0) yield batch;
}

/** Only what is wrong with the first row alone has its number; what is wrong with the columns is so in every row. */
function begin(format: TableFormat, block: RowBlock, out: ByteWriter): boolean {
  try {
    return format.begin(block.bytes, block.start, block.ends[0] ?? block.start, out);
  } catch (error) {
    throw error instanceof TableError && error.code === 'BAD_ROW' ? atRow(error, format.rules.firstRow, block, 0) : error;
  }
}

interface BatchPoints {
  count: number;
  points: Float64Array;
  moments?: Moments;
}

function readPoints(
  blocks: readonly RowBlock[],
  format: TableFormat,
  firstRow: number,
  timed: boolean,
  refuse: (row: number, line: number, reason: string) => void,
): BatchPoints {
  const count = blocks.reduce((sum, { ends }) => sum + ends.length, 0);
  const points = new Float64Array(3 * count);
  const of = new Int32Array(timed ? count : 0);
  const calendar = new Calendar();
  let row = 0;
  for (const block of blocks) {
    let from = block.start;
    for (let k = 0; k < block.ends.length; k++, row++) {
      let reason: string | undefined;
      try {
        reason = format.readPoint(block.bytes, from, block.ends[k], points, 3 * row);
      } catch (error) {
        throw atRow(error, firstRow + row, block, k);
      }
      if (timed && reason === undefined) {
        const moment = calendar.momentOf(format.timestamp());
        if (typeof moment === 'number') of[row] = moment;
        else {
          reason = moment;
          points.fill(NaN, 3 * row, 3 * row + 3);
        }
      }
      if (reason !== undefined) refuse(firstRow + row, lineOf(block, k), reason);
      from = block.ends[k];
    }
  }
  return { count, points, moments: timed ? { of, instants: calendar.instants } : undefined };
}

/** An error of a row, which says which it is. */
const atRow = (error: unknown, row: number, block: RowBlock, index: number): unknown =>
  error instanceof TableError ? new TableError(error.code, `row ${row} (line ${lineOf(block, index)}): ${error.message}`) : error;

const OWN_MOMENT = -1;

/** The distinct instants of a batch; each spelling is parsed once. */
class Calendar {
  readonly instants: Date[] = [];
  readonly #byText = new Map<string, number | string>([['', OWN_MOMENT], ['now', OWN_MOMENT]]);
  readonly #byMs = new Map<number, number>();

  /** Index of the instant (or the job's own), or why the text is none. */
  momentOf(text: string): number | string {
    let moment = this.#byText.get(text);
    if (moment === undefined) this.#byText.set(text, (moment = this.#parse(text)));
    return moment;
  }

  #parse(text: string): number | string {
    let instant: Date;
    try {
      instant = parseTimestamp(text);
    } catch (error) {
      if (error instanceof LookupError) return error.message;
      throw error;
    }
    let moment = this.#byMs.get(instant.getTime());
    if (moment === undefined) {
      this.#byMs.set(instant.getTime(), (moment = this.instants.length));
      this.instants.push(instant);
    }
    return moment;
  }
}

function warnOfFailures(errors: Iterable<{ index: number; status: string; error?: Error }>, firstRow: number, warn: (message: string) => void): void {
  const seen = new Set<string>();
  for (const { index, status, error } of errors) {
    if (!error || seen.has(error.message)) continue;
    seen.add(error.message);
    warn(`row ${firstRow + index}: ${status}: ${withCauses(error)}`);
    if (seen.size === SHOWN) return warn('… there may be more failures');
  }
}

const emptyStats = (): LookupStats => ({
  points: 0, chunks: 0, requests: 0, bytes: 0, cacheHits: 0, absentBy403: 0, rootRequests: 0, distinctSupervoxels: 0,
  ms: { plan: 0, chunks: 0, roots: 0, total: 0 },
});

function addStats<T extends object>(sum: T, part: T): void {
  for (const key of Object.keys(part) as (keyof T)[]) {
    const value = part[key];
    if (typeof value === 'number') (sum as Record<keyof T, unknown>)[key] = ((sum[key] as number | undefined) ?? 0) + value;
    else if (typeof value === 'object' && value !== null) addStats((sum as Record<keyof T, object>)[key] ??= {}, value as object);
  }
}
