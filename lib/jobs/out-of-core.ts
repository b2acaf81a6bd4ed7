/**
 * Looks up a table in three passes, so that each chunk is read about once: its points are sorted by chunk and
 * cut into tasks, the tasks are looked up, and their answers are joined to the rows in the order of the
 * input. The passes keep their results in the folder of a job, so that another run can go on after any of
 * them.
 */
import { randomUUID } from 'node:crypto';
import type { PlacedPoints } from '../points/chunk-order.ts';
import type { TableInput } from '../tables/files/table-input.ts';
import type { Batch, TableSink, TableSource } from '../tables/table.ts';
import type { RowOptions } from './answer-table.ts';
import { JobCounts, type RowCounts } from './job-counts.ts';
import {
  addTasks,
  mergeTasks,
  type StartedJob,
  timestampsIn,
  warnOfTableMisses,
  withPlannedJob,
} from './job-files.ts';
import { JobFolder } from './job-folder.ts';
import { JobProgress } from './job-progress.ts';
import type { LookupAnswers, PointBatch } from './point-lookup.ts';
import { type PlannedTable, planTasks, type WindowSizes } from './plan-tasks.ts';
import { runTasks } from './run-tasks.ts';
import { warnOfFailedPoints } from './task-failures.ts';

/** How large tables are looked up. */
export interface OutOfCoreOptions extends Partial<WindowSizes> {
  /** Finds the chunks of points of the main volume. */
  order: { place(points: Int32Array | Float64Array): PlacedPoints };
  /** The folder of the temporary files. */
  folder: string;
  /**
   * Makes the job that keeps the results of the passes. Its owner deletes it.
   * @default A folder in `folder`, which is deleted at the end, also after an error.
   */
  startJob?: () => Promise<StartedJob>;
  /** Opens the table again. @throws TableError if they have changed. */
  reopen: () => AsyncIterable<Uint8Array> | TableInput;
  /** Returns which part of the table has been read, from 0 to 1; undefined if that is unknown. */
  fractionRead?: () => number | undefined;
  /**
   * Called when the table turns out to be large, before its points are sorted. What it throws ends the job.
   */
  begin?: () => void;
  /** Receives what the job needs and does, for people. */
  note?: (message: string) => void;
}

/** A table that is looked up out of core, and its volumes. */
export interface OutOfCoreJob<B extends Batch> extends PlannedTable {
  lookUp: (batch: PointBatch) => Promise<LookupAnswers>;
  /** Opens the table again, to write its rows. */
  openAgain(): { source: TableSource<B>; sink: TableSink<B> };
}

/** What a table out of core gave. */
export interface OutOfCoreCounts extends RowCounts {
  /** The timestamps of the roots in ms, if rows have their own. */
  timestamps: ReadonlySet<number>;
}

/** Looks up and writes every row. @throws TableError. */
export async function answerOutOfCore<B extends Batch>(
  job: OutOfCoreJob<B>,
  sizes: WindowSizes,
  outOfCore: OutOfCoreOptions,
  options: RowOptions,
): Promise<OutOfCoreCounts> {
  const { order, folder, note, begin, startJob, fractionRead } = outOfCore,
    { warn = () => {} } = options,
    { lookUp, lookups, source, also, rowWarnings } = job;
  const counts = new JobCounts(also),
    progress = new JobProgress(options.onProgress, counts, true);
  let own: JobFolder | undefined;
  const start = async (): Promise<StartedJob> => {
    begin?.();
    if (startJob) return startJob();
    own = await JobFolder.createTemporary(folder);
    return { folder: own, job: randomUUID() };
  };
  try {
    const started = await start().catch(async (error: unknown) => {
      await source.close?.();
      throw error;
    });
    const planning = { order, folder, sizes, note, fractionRead, progress };
    const plan = await counts.time('sorting', () =>
      planTasks(job, started, planning, options).finally(() => source.close?.()),
    );
    addTasks(counts, plan, []);
    return await withPlannedJob(started, plan, async (planned) => {
      const { maxFailures } = options,
        { windowChunks } = sizes,
        work = { ...planned, lookUp, order, windowChunks, counts, progress, maxFailures };
      const tasks = await counts.time('looking up', () =>
        runTasks(work, [...plan.tasks.keys()], options.signal),
      );
      const { prefixes } = counts;
      const table = { sides: plan.sides, prefixes, rowName: source.rowName };
      await warnOfFailedPoints(tasks, planned.spill, table, warn);
      warnOfTableMisses(counts, plan, lookups, warn);
      rowWarnings.summarize();
      await counts.time('writing', () =>
        mergeTasks(planned, tasks, job.openAgain(), { signal: options.signal, progress }),
      );
      return { ...counts.summarize(plan.rows, plan.sides), timestamps: timestampsIn(tasks) };
    });
  } finally {
    await own?.remove();
  }
}
