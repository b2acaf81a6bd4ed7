/** A table through a question and out again: the same rows with their answers, a batch at a time so that memory stays bounded. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TableError } from '../base/errors.ts';
import type { LookupStats } from '../points/result.ts';
import { PointStatus, statusText } from '../points/status.ts';
import { ByteWriter } from '../tables/text/byte-writer.ts';
import { answerCells, type Missing } from '../tables/text/cells.ts';
import type { Sink } from '../tables/files/streams.ts';
import type { Answers } from './lookup.ts';
import { withCauses } from './messages.ts';
import { lineOf, readRows, type RowBlock } from '../tables/text/rows.ts';
import type { TableFormat } from '../tables/table.ts';

export interface RowOptions {
  /** A row that holds no valid question is an error. @default false */
  strict?: boolean;
  /** A batch ends with the block of rows (64 KiB or more of text) that reaches this many. @default 1_000_000 */
  batchRows?: number;
  /** What stands in CSV and TSV where there is no answer; JSON Lines have null. @default 'empty' */
  missing?: Missing;
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

/** Why a row has no valid question, and what its status will be. */
export interface Refusal {
  reason: string;
  status: string;
}

/** One batch of a table, bound to the rows it came from. */
export interface RowJob {
  /** What a row without a valid question is called in the summary of warnings: `a valid point`. */
  readonly wanted: string;
  /** What the questions of a row are called: known once the first row has been met. */
  readonly sides: readonly string[];
  /** Makes room for the questions of so many rows. */
  begin(count: number): void;
  /** Reads the questions of a row. @returns why one is not valid. @throws TableError, to which the number of the row is added. */
  read(bytes: Buffer, start: number, end: number, row: number): Refusal | undefined;
  /** Answers all rows read since `begin`: the first questions of all, then the second, and so on. */
  ask(onProgress: ((progress: { chunksDone: number; chunks: number }) => void) | undefined): Promise<Answers>;
}

export interface RowCounts {
  rows: number;
  /** What a row is asked about, where it is more than one thing: the prefixes or columns. */
  sides?: readonly string[];
  /** Questions by status, in its text form; those that did not occur are left out. */
  statuses: Record<string, number>;
  /** Sums over all batches (a chunk or supervoxel that several batches touch counts in each); `ms.total` is the wall time of the whole job. */
  stats: LookupStats;
}

const BATCH_BYTES = 2 ** 28;
const WRITE_BYTES = 2 ** 20;
/** Warnings of one kind that are spelled out. */
const SHOWN = 3;

/**
 * Answers every row. The caller finishes or abandons the sink.
 * @throws TableError for a table that cannot be read as asked, with the number of the row (data rows count from 1).
 */
export async function answerRows(
  format: TableFormat,
  job: RowJob,
  source: AsyncIterable<Uint8Array>,
  sink: Sink,
  options: RowOptions,
): Promise<RowCounts> {
  const { batchRows = 1_000_000, signal, warn = () => {}, onProgress, strict, missing } = options;
  const began = performance.now();
  const out = new ByteWriter(2 * WRITE_BYTES);
  const counts = new Float64Array(256);
  const stats: LookupStats = emptyStats();
  let rows = 0;
  let invalid = 0;

  const refuse = (row: number, block: RowBlock, index: number, { reason, status }: Refusal): void => {
    if (!strict && ++invalid > SHOWN) return;
    const message = `row ${row} (line ${lineOf(block, index)}): ${reason}`; // to find the line takes a look at the whole block
    if (strict) throw new TableError('BAD_ROW', message);
    warn(`${message}; ${status}`);
  };

  for await (const blocks of readBatches(source, format, out, batchRows)) {
    signal?.throwIfAborted();
    const firstRow = rows + 1;
    rows += await readQuestions(blocks, job, firstRow, refuse, signal);
    const answers = await job.ask(
      onProgress && (({ chunksDone, chunks }) => onProgress({ rows, chunksDone, chunks })),
    );
    for (const code of answers.status) counts[code]++;
    addStats(stats, answers.stats);
    if (answers.status.includes(PointStatus.failed) || answers.status.includes(PointStatus.rootFailed))
      warnOfFailures(answers, firstRow, job.sides, warn);

    const cells = answerCells(answers, job.sides.length, missing);
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
  await sink.write(out.take()); // a header without rows
  if (rows === 0 && format.rules.delimiter === undefined) warn('the table is empty');
  const { sides } = job;
  stats.points = rows * Math.max(1, sides.length);
  stats.ms.total = performance.now() - began;
  if (invalid > SHOWN) warn(`${invalid - SHOWN} more rows without ${job.wanted}`);
  const statuses: Record<string, number> = {};
  counts.forEach((count, code) => count > 0 && (statuses[statusText(code)] = count));
  return { rows, ...(sides.length > 1 && { sides }), statuses, stats };
}

/** Blocks of rows, batch by batch; what comes before the first row (byte order mark, header) goes to `out`. */
async function* readBatches(
  source: AsyncIterable<Uint8Array>,
  format: TableFormat,
  out: ByteWriter,
  batchRows: number,
): AsyncGenerator<RowBlock[]> {
  let batch: RowBlock[] = [];
  let rows = 0;
  let bytes = 0;
  let begun = false;
  const taken = (): RowBlock[] => {
    const blocks = begun ? batch : begin(format, batch, out);
    begun = true;
    batch = [];
    rows = bytes = 0;
    return blocks;
  };
  for await (const block of readRows(source, format.rules)) {
    batch.push(block);
    rows += block.ends.length;
    bytes += block.bytes.length;
    if (rows >= batchRows || bytes >= BATCH_BYTES) yield taken();
  }
  if (batch.length > 0) yield taken();
  else if (!begun) begin(format, [], out);
}

/**
 * Meets the first row. Only what is wrong with it alone has its number; what is wrong with the columns is so in every row.
 * @returns the blocks without the header.
 */
function begin(format: TableFormat, blocks: RowBlock[], out: ByteWriter): RowBlock[] {
  if (blocks.length === 0) return (format.begin(Buffer.alloc(0), 0, 0, out, []), []);
  const [block] = blocks,
    { bytes, start, ends } = block;
  out.copy(bytes, 0, start);
  try {
    const isHeader = format.begin(bytes, start, ends[0] ?? start, out, {
      [Symbol.iterator]: () => rowsOf(blocks),
    });
    return isHeader ? [{ ...block, start: ends[0], ends: ends.subarray(1) }, ...blocks.slice(1)] : blocks;
  } catch (error) {
    throw error instanceof TableError && error.code === 'BAD_ROW'
      ? atRow(error, format.rules.firstRow, block, 0)
      : error;
  }
}

function* rowsOf(blocks: readonly RowBlock[]): Generator<{ bytes: Buffer; start: number; end: number }> {
  for (const { bytes, start, ends } of blocks) {
    let from = start;
    for (const end of ends) {
      yield { bytes, start: from, end };
      from = end;
    }
  }
}

/** Other work gets its turn after so long. */
const TURN_MS = 20;

/** @returns how many rows there are. @throws signal.reason */
async function readQuestions(
  blocks: readonly RowBlock[],
  job: RowJob,
  firstRow: number,
  refuse: (row: number, block: RowBlock, index: number, refusal: Refusal) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  const count = blocks.reduce((sum, { ends }) => sum + ends.length, 0);
  job.begin(count);
  let row = 0;
  let turn = performance.now();
  for (const block of blocks) {
    if (performance.now() - turn > TURN_MS) {
      await nextTurn();
      signal?.throwIfAborted();
      turn = performance.now();
    }
    let from = block.start;
    for (let k = 0; k < block.ends.length; k++, row++) {
      let refusal: Refusal | undefined;
      try {
        refusal = job.read(block.bytes, from, block.ends[k], row);
      } catch (error) {
        throw atRow(error, firstRow + row, block, k);
      }
      if (refusal) refuse(firstRow + row, block, k, refusal);
      from = block.ends[k];
    }
  }
  return count;
}

/** An error of a row, which says which it is. */
const atRow = (error: unknown, row: number, block: RowBlock, index: number): unknown =>
  error instanceof TableError
    ? new TableError(error.code, `row ${row} (line ${lineOf(block, index)}): ${error.message}`)
    : error;

function warnOfFailures(
  { errors, status: statuses }: Answers,
  firstRow: number,
  sides: readonly string[],
  warn: (message: string) => void,
): void {
  const seen = new Set<string>(),
    rows = statuses.length / sides.length;
  for (const { index, status, error } of errors()) {
    if (!error || seen.has(error.message)) continue;
    seen.add(error.message);
    const side = sides.length > 1 ? ` (${sides[Math.floor(index / rows)]})` : '';
    warn(`row ${firstRow + (index % rows)}${side}: ${status}: ${withCauses(error)}`);
    if (seen.size === SHOWN) return warn('… there may be more failures');
  }
}

export const emptyStats = (): LookupStats => ({
  points: 0,
  chunks: 0,
  requests: 0,
  bytes: 0,
  cacheHits: 0,
  absentBy403: 0,
  rootRequests: 0,
  distinctSupervoxels: 0,
  ms: { plan: 0, chunks: 0, roots: 0, total: 0 },
});

function addStats<T extends object>(sum: T, part: T): void {
  for (const key of Object.keys(part) as (keyof T)[]) {
    const value = part[key];
    if (typeof value === 'number')
      (sum as Record<keyof T, unknown>)[key] = ((sum[key] as number | undefined) ?? 0) + value;
    else if (typeof value === 'object' && value !== null)
      addStats(((sum as Record<keyof T, object>)[key] ??= {}), value as object);
  }
}
