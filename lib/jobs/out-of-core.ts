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
import type { RowCounts } from './job-types.ts';
import { JobCounts } from './job-counts.ts';
import {
  addPresets,
  mergeTasks,
  missingTasks,
  readDoneTasks,
  type StartedJob,
  timestampsIn,
  warnOfTableMisses,
  withPlannedJob,
} from './job-files.ts';
import { JobFolder } from './job-folder.ts';
import { JobProgress } from './job-progress.ts';
import type { JobPlan } from './job-plan.ts';
import type { LookupAnswers, PointBatch, PointLookup } from './point-lookup.ts';
import { type PlannedTable, planTasks, type WindowSizes } from './plan-tasks.ts';
import type { RowWarnings } from './row-warnings.ts';
import { runTasks, type TaskWork } from './run-tasks.ts';
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
export interface OutOfCoreJob<B extends Batch>
  extends PlannedTable, Omit<TaskTable<B>, 'rowWarnings' | 'rowName'> {}

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
    { source, also } = job;
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
    const { windowChunks } = sizes;
    return await finishTasks(
      { ...job, rowName: source.rowName },
      started,
      plan,
      { order, windowChunks, counts, progress },
      options,
    );
  } finally {
    await own?.remove();
  }
}

/** The look-ups of a table whose points are sorted, and how its rows are written. */
export interface TaskTable<B extends Batch> {
  /** The main look-up, then the others. */
  lookups: readonly PointLookup[];
  rowWarnings?: RowWarnings;
  rowName?: TableSource['rowName'];
  lookUp: (batch: PointBatch) => Promise<LookupAnswers>;
  /** Opens the table again, to write its rows. */
  openAgain(): { source: TableSource<B>; sink: TableSink<B> };
}

/** How tasks are looked up and their answers are joined. */
export interface FinishOptions extends Pick<TaskWork, 'order' | 'windowChunks' | 'beforeTask' | 'onTask'> {
  /** What is found is added to them. */
  counts: JobCounts;
  progress?: JobProgress;
  /** Whether other runs may have written the points. @default false */
  verifies?: boolean;
  /** Whether the points that need attention are listed in the folder of the job. @default false */
  listsFailures?: boolean;
}

/** Does the tasks of a planned job that are not done, and writes every row. @throws JobError; TableError. */
export async function finishTasks<B extends Batch>(
  table: TaskTable<B>,
  started: StartedJob,
  plan: JobPlan,
  { counts, progress, verifies, listsFailures, ...how }: FinishOptions,
  { warn = () => {}, signal, maxFailures }: Pick<RowOptions, 'warn' | 'signal' | 'maxFailures'>,
): Promise<OutOfCoreCounts> {
  const { lookups, rowWarnings, rowName, lookUp } = table;
  addPresets(counts, plan);
  return withPlannedJob(started, plan, async (planned) => {
    const done = await readDoneTasks(planned, warn);
    for (const { volumes } of done) counts.addCounted(volumes);
    const work = { ...planned, ...how, lookUp, counts, progress, maxFailures };
    const tasks = await counts.time('looking up', async () => [
      ...done,
      ...(await runTasks(work, missingTasks(plan, done), signal)),
    ]);
    await warnOfFailedPoints(tasks, planned, { sides: plan.sides, prefixes: counts.prefixes, rowName }, warn);
    warnOfTableMisses(counts, plan, lookups, warn);
    rowWarnings?.summarize();
    await counts.time('writing', () =>
      mergeTasks(planned, tasks, table.openAgain(), { signal, progress, verifies, listsFailures }),
    );
    return { ...counts.summarize(plan.rows, plan.sides), timestamps: timestampsIn(tasks) };
  });
}
