/** A table through a question and out again: the same rows with their answers, in batches so that memory stays bounded. */
import type { LookupStats } from '../points/result.ts';
import { PointStatus, statusText } from '../points/status.ts';
import type { Batch, TableSink, TableSource } from '../tables/table.ts';
import type { MissingText } from '../tables/text/answer-cells.ts';
import type { LookupAnswers } from './point-lookup.ts';
import { messageWithCauses } from './messages.ts';
import { runPipeline } from './pipeline.ts';
import { type RowProblem, type RowWarningOptions, RowWarnings, MAX_WARNINGS } from './row-warnings.ts';
import { addStats, emptyStats } from './stats.ts';

export interface RowOptions extends RowWarningOptions {
  /** A batch ends with the block of rows (64 KiB or more of text) that reaches this many. @default 1_000_000 */
  batchRows?: number;
  /** What stands in CSV and TSV where there is no answer; JSON Lines have null. @default 'empty' */
  missing?: MissingText;
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
  prepare(batch: Batch): BatchLookup;
}

/** What a job asks about the rows of one batch. */
export interface BatchLookup {
  /** Why a row has no valid question; of all rows, in their order. @throws TableError */
  problemOf(row: number): RowProblem | undefined;
  /** Answers the first questions of all rows, then the second, and so on. */
  lookUp(signal: AbortSignal, onProgress: ChunkProgress | undefined): Promise<LookupAnswers>;
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
  const refusals = new RowWarnings(job.wanted, options);
  const counts = new Float64Array(256);
  const stats = emptyStats();
  let rows = 0;
  const ask = async (batch: B, asking: AbortSignal): Promise<LookupAnswers> => {
    const questions = job.prepare(batch);
    refusals.report(batch, (row) => questions.problemOf(row));
    rows += batch.rows;
    const answers = await questions.lookUp(
      asking,
      onProgress && (({ chunksDone, chunks }) => onProgress({ rows, chunksDone, chunks })),
    );
    for (const code of answers.status) counts[code]++;
    addStats(stats, answers.stats);
    warnOfFailures(answers, batch, job.sides, warn);
    return answers;
  };
  await runPipeline(
    { batches: source.batches(), lookUp: ask, write: (batch, answers) => sink.write(batch, answers) },
    signal,
  );
  await sink.finish();
  if (rows === 0 && !source.hasHeader) warn('the table is empty');
  refusals.summarize();
  const { sides } = job;
  stats.points = rows * Math.max(1, sides.length);
  stats.ms.total = performance.now() - began;
  const statuses: Record<string, number> = {};
  counts.forEach((count, code) => count > 0 && (statuses[statusText(code)] = count));
  return { rows, ...(sides.length > 1 && { sides }), statuses, stats };
}

function warnOfFailures(
  { errors, status: statuses }: LookupAnswers,
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
    warn(`row ${firstRow + (index % rows)}${side}: ${status}: ${messageWithCauses(error)}`);
    if (seen.size === MAX_WARNINGS) return warn('… there may be more failures');
  }
}
