/**
 * Runs a job on a table: reads rows in batches, looks them up, and writes the same rows with their answers.
 * Memory stays bounded.
 */
import { PointStatus } from '../points/status.ts';
import type { IdType } from '../tables/columnar/column.ts';
import type { Batch, TableSink, TableSource } from '../tables/table.ts';
import type { MissingText } from '../tables/missing.ts';
import { type MaxFailures, requireFewFailures } from './failure-bound.ts';
import type { RowCounts } from './job-types.ts';
import { JobCounts } from './job-counts.ts';
import type { TableProgress } from './job-types.ts';
import { JobProgress } from './job-progress.ts';
import type { LookupAnswers } from './point-lookup.ts';
import { messageWithCauses } from './messages.ts';
import { runPipeline } from './pipeline.ts';
import { type RowProblem, type RowWarningOptions, RowWarnings, MAX_WARNINGS } from './row-warnings.ts';

/** Options of all jobs on tables. */
export interface RowOptions extends RowWarningOptions {
  /**
   * A batch ends with the first block of rows (64 KiB of text or more) at which it has this many rows.
   *
   * @default 1_000_000
   */
  batchRows?: number;
  /** The text for a missing answer in CSV and TSV. JSON Lines have null instead. @default 'empty' */
  missing?: MissingText;
  /** The type of IDs in a columnar table. @default that of the column that is replaced, or uint64 */
  idType?: IdType;
  /** How many points may need attention: with more, the job stops, and writes no more rows. @default all */
  maxFailures?: MaxFailures;
  signal?: AbortSignal;
  onProgress?: (progress: TableProgress) => void;
}

type ChunkProgress = (progress: { chunksDone: number; chunks: number }) => void;

/** What a job looks up for each batch. */
export interface TableJob {
  /** What a valid row has, for the summary of warnings: `a valid point`. */
  readonly wanted: string;
  /**
   * The names of the sides of a row, such as the columns of the two sides of a synapse. Known after the first
   * batch is read.
   */
  readonly sides: readonly string[];
  /** The names of the other volumes, in the order of `also` in the answers. */
  readonly also?: readonly string[];
  /** Prepares the look-up of a batch. */
  prepare(batch: Batch): BatchLookup;
}

/** The look-up of one batch. */
export interface BatchLookup {
  /** Returns why a row is invalid, or undefined. Called for all rows, in their order. @throws TableError */
  problemOf(row: number): RowProblem | undefined;
  /**
   * Looks up all rows. The answers of all rows for the first side come first, then those for the second side.
   */
  lookUp(signal: AbortSignal, onProgress: ChunkProgress | undefined): Promise<LookupAnswers>;
}

/**
 * Looks up and writes every row.
 *
 * @param rowWarnings Has perhaps reported the first batch already.
 * @throws TableError if the table cannot be read. The message has the number of the row (data rows count
 *   from 1).
 */
export async function answerTable<B extends Batch>(
  source: TableSource<B>,
  sink: TableSink<B>,
  job: TableJob,
  options: RowOptions,
  rowWarnings = new RowWarnings(job.wanted, options),
): Promise<RowCounts> {
  const { signal, warn = () => {}, onProgress, maxFailures } = options;
  const counts = new JobCounts(job.also),
    progress = new JobProgress(onProgress, counts, false);
  let rows = 0;
  const lookUp = async (batch: B, batchSignal: AbortSignal): Promise<LookupAnswers> => {
    const batchLookup = job.prepare(batch);
    rowWarnings.report(batch, (row) => batchLookup.problemOf(row));
    rows += batch.rows;
    const answers = await batchLookup.lookUp(
      batchSignal,
      onProgress &&
        (({ chunksDone, chunks }) => {
          const before = rows - batch.rows,
            part = chunks > 0 ? chunksDone / chunks : 0;
          // Whether more batches follow is unknown.
          progress.report(
            'looking up',
            before + Math.round(part * batch.rows),
            before === 0 ? part : undefined,
            chunksDone,
          );
        }),
    );
    counts.add(answers);
    for (const [k, { prefix }] of counts.volumes.entries()) {
      const own = k === 0 ? answers : answers.also![k - 1];
      warnOfFailures(own, batch, job.sides, source.rowName, (message) => warn(prefix + message));
    }
    requireFewFailures(maxFailures, counts.volumes, undefined);
    return answers;
  };
  try {
    await runPipeline(
      { batches: source.batches(), lookUp, write: (batch, answers) => sink.write(batch, answers) },
      signal,
    );
    requireFewFailures(maxFailures, counts.volumes, rows * Math.max(1, job.sides.length));
    await sink.finish();
  } finally {
    await source.close?.();
  }
  if (rows === 0 && !source.hasHeader) warn('the table is empty');
  rowWarnings.summarize();
  return counts.summarize(rows, job.sides);
}

/** Warns about failed rows, once per message. */
function warnOfFailures(
  { errors, status: statuses }: LookupAnswers,
  { firstRow, rows }: Batch,
  sides: readonly string[],
  rowName: TableSource['rowName'] = (row) => `row ${row}`,
  warn: (message: string) => void,
): void {
  if (!statuses.includes(PointStatus.failed) && !statuses.includes(PointStatus.rootFailed)) return;
  const seen = new Set<string>();
  for (const { index, status, error } of errors()) {
    if (!error || seen.has(error.message)) continue;
    seen.add(error.message);
    const side = sides.length > 1 ? ` (${sides[Math.floor(index / rows)]})` : '';
    warn(`${rowName(firstRow + (index % rows))}${side}: ${status}: ${messageWithCauses(error)}`);
    if (seen.size === MAX_WARNINGS) return warn('there may be more failures');
  }
}
