/** A table through a question and out again: the same rows with their answers, in batches so that memory stays bounded. */
import type { LookupStats } from '../points/result.ts';
import { PointStatus, statusText } from '../points/status.ts';
import type { Batch, TableSink, TableSource } from '../tables/table.ts';
import type { Missing } from '../tables/text/cells.ts';
import type { Answers } from './lookup.ts';
import { withCauses } from './messages.ts';
import { runPipeline } from './pipeline.ts';
import { type Refusal, type RefusalOptions, Refusals, SHOWN } from './refusals.ts';
import { addStats, emptyStats } from './stats.ts';

export interface RowOptions extends RefusalOptions {
  /** A batch ends with the block of rows (64 KiB or more of text) that reaches this many. @default 1_000_000 */
  batchRows?: number;
  /** What stands in CSV and TSV where there is no answer; JSON Lines have null. @default 'empty' */
  missing?: Missing;
  signal?: AbortSignal;
  onProgress?: (progress: TableProgress) => void;
}

export interface TableProgress {
  /** Up to the end of the batch under way. */
  rows: number;
  /** Of the batch under way. */
  chunksDone: number;
  chunks: number;
}

type ChunkProgress = (progress: { chunksDone: number; chunks: number }) => void;

export interface TableJob {
  /** What a row without a valid question is called in the summary of warnings: `a valid point`. */
  readonly wanted: string;
  /** What the questions of a row are called: known once the first batch has been read. */
  readonly sides: readonly string[];
  questions(batch: Batch): Questions;
}

/** What a job asks about the rows of one batch. */
export interface Questions {
  /** Why a row has no valid question; of all rows, in their order. @throws TableError */
  refusalOf(row: number): Refusal | undefined;
  /** Answers the first questions of all rows, then the second, and so on. */
  ask(signal: AbortSignal, onProgress: ChunkProgress | undefined): Promise<Answers>;
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

/**
 * Answers every row.
 * @throws TableError for a table that cannot be read as asked, with the number of the row (data rows count from 1).
 */
export async function answerTable<B extends Batch>(
  source: TableSource<B>,
  sink: TableSink<B>,
  job: TableJob,
  options: RowOptions,
): Promise<RowCounts> {
  const { signal, warn = () => {}, onProgress } = options;
  const began = performance.now();
  const refusals = new Refusals(job.wanted, options);
  const counts = new Float64Array(256);
  const stats = emptyStats();
  let rows = 0;
  const ask = async (batch: B, asking: AbortSignal): Promise<Answers> => {
    const questions = job.questions(batch);
    refusals.tell(batch, (row) => questions.refusalOf(row));
    rows += batch.rows;
    const answers = await questions.ask(
      asking,
      onProgress && (({ chunksDone, chunks }) => onProgress({ rows, chunksDone, chunks })),
    );
    for (const code of answers.status) counts[code]++;
    addStats(stats, answers.stats);
    warnOfFailures(answers, batch, job.sides, warn);
    return answers;
  };
  await runPipeline(
    { batches: source.batches(), ask, write: (batch, answers) => sink.write(batch, answers) },
    signal,
  );
  await sink.finish();
  if (rows === 0 && !source.hasHeader) warn('the table is empty');
  refusals.sumUp();
  const { sides } = job;
  stats.points = rows * Math.max(1, sides.length);
  stats.ms.total = performance.now() - began;
  const statuses: Record<string, number> = {};
  counts.forEach((count, code) => count > 0 && (statuses[statusText(code)] = count));
  return { rows, ...(sides.length > 1 && { sides }), statuses, stats };
}

function warnOfFailures(
  { errors, status: statuses }: Answers,
  { firstRow, rows }: Batch,
  sides: readonly string[],
  warn: (message: string) => void,
): void {
  if (!statuses.includes(PointStatus.failed) && !statuses.includes(PointStatus.rootFailed)) return;
  const seen = new Set<string>();
  for (const { index, status, error } of errors()) {
    if (!error || seen.has(error.message)) continue;
    seen.add(error.message);
    const side = sides.length > 1 ? ` (${sides[Math.floor(index / rows)]})` : '';
    warn(`row ${firstRow + (index % rows)}${side}: ${status}: ${withCauses(error)}`);
    if (seen.size === SHOWN) return warn('… there may be more failures');
  }
}
