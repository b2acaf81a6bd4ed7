/** Opens the files of a planned job, and sums up what its tasks found. */
import { stat } from 'node:fs/promises';
import { JobError } from '../base/errors.ts';
import { PointSpill } from '../spill/point-spill.ts';
import { TemporaryFile } from '../spill/temporary-file.ts';
import { countPoints } from '../spill/windows.ts';
import type { Batch, TableSink, TableSource } from '../tables/table.ts';
import { FailureTable } from './failure-table.ts';
import type { JobCounts } from './job-counts.ts';
import type { JobFolder } from './job-folder.ts';
import type { JobProgress } from './job-progress.ts';
import { type JobPlan, runsOf, slicesOf } from './job-plan.ts';
import { AnswerJoin, joinRows } from './join-answers.ts';
import type { PointLookup } from './point-lookup.ts';
import type { TaskHeader } from './task-file.ts';
import { type StartedJob, type StoredTask, TaskStore } from './task-store.ts';

export type { StartedJob };

/** The open files of a planned job. */
export interface PlannedJob {
  folder: JobFolder;
  plan: JobPlan;
  spill: PointSpill;
  store: TaskStore;
}

/**
 * Opens the files of a planned job, and closes them after some work.
 * @throws JobError JOB_DAMAGED if its points are cut; JOB_CANCELLED if they are gone.
 */
export async function withPlannedJob<T>(
  started: StartedJob,
  plan: JobPlan,
  work: (planned: PlannedJob) => Promise<T>,
): Promise<T> {
  const { folder } = started;
  await folder.refuseCancelled();
  const size = (await stat(folder.points).catch(() => undefined))?.size;
  if (size !== plan.pointBytes)
    throw new JobError(
      'JOB_DAMAGED',
      `${folder.points} has ${size ?? 'no'} bytes instead of ${plan.pointBytes}: run the job again in a new folder`,
    );
  const points = await TemporaryFile.openNamed(folder.points),
    store = new TaskStore(started);
  try {
    return await work({ folder, plan, spill: new PointSpill(points, 1, runsOf(plan)), store });
  } finally {
    await points.close();
    await store.close();
  }
}

/**
 * Reads what the tasks did that are done, and finds damaged files.
 * @param tasks The tasks that matter. @default All.
 */
export async function scanTasks(
  { plan, store }: Pick<PlannedJob, 'plan' | 'store'>,
  tasks?: ReadonlySet<number>,
): Promise<{ done: StoredTask[]; damaged: number[] }> {
  const done: StoredTask[] = [],
    damaged: number[] = [];
  for (const task of await store.done()) {
    if (task >= plan.tasks.length || (tasks && !tasks.has(task))) continue;
    try {
      const header = await store.readHeader(task);
      if (!header) continue;
      const isWhole =
        header.volumes.length === plan.also.length + 1 &&
        countPoints(header.blocks) === countPoints(slicesOf(plan, task));
      if (isWhole) done.push(header);
      else damaged.push(task);
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      damaged.push(task);
    }
  }
  return { done, damaged };
}

/** Reads what the tasks did that are done. A damaged file is deleted, so that its task is done again. */
export async function readDoneTasks(
  planned: Pick<PlannedJob, 'plan' | 'store'>,
  warn: (message: string) => void = () => {},
  tasks?: ReadonlySet<number>,
): Promise<StoredTask[]> {
  const { done, damaged } = await scanTasks(planned, tasks),
    { store } = planned;
  for (const task of damaged) {
    warn(`${store.pathOf(task)} is damaged: its task is done again`);
    await store.remove(task);
  }
  return done;
}

/** Returns the tasks that are not among those that are done. */
export function missingTasks(plan: JobPlan, done: readonly Pick<TaskHeader, 'task'>[]): number[] {
  const known = new Set(done.map(({ task }) => task));
  return [...plan.tasks.keys()].filter((task) => !known.has(task));
}

/** Adds the points that are not looked up to the counts of a job. */
export function addPresets(counts: JobCounts, { presets }: JobPlan): void {
  for (const { counts: byCode } of counts.volumes) for (const [code, count] of presets) byCode[code] += count;
}

/** Returns the timestamps in ms of the roots that tasks looked up, if rows have their own. */
export const timestampsIn = (tasks: readonly Pick<TaskHeader, 'timestamps'>[]): ReadonlySet<number> =>
  new Set(tasks.flatMap(({ timestamps }) => timestamps));

/** Warns if most points of a table hit nothing. */
export function warnOfTableMisses(
  { volumes }: JobCounts,
  { rows, sides }: JobPlan,
  lookups: readonly PointLookup[],
  warn: (message: string) => void,
): void {
  for (const [k, { prefix, counts, stats }] of volumes.entries())
    for (const message of lookups[k].describeMisses?.(counts, rows * sides.length, stats.chunks) ?? [])
      warn(prefix + message);
}

/** How answers are joined to the rows. */
export interface JoinOptions {
  /** Whether other runs have written the points. @default false */
  verifies?: boolean;
  /** Whether the points that need attention are listed in the folder of the job. @default false */
  listsFailures?: boolean;
  signal?: AbortSignal;
  progress?: JobProgress;
}

/**
 * Writes all rows of a table with their answers.
 * @throws JobError JOB_INCOMPLETE, JOB_DAMAGED; TableError.
 */
export async function mergeTasks<B extends Batch>(
  { folder, plan, spill, store }: PlannedJob,
  tasks: readonly StoredTask[],
  { source, sink }: { source: TableSource<B>; sink: TableSink<B> },
  { verifies = false, listsFailures = false, ...options }: JoinOptions,
): Promise<void> {
  let failures: FailureTable | undefined;
  try {
    const missing = missingTasks(plan, tasks);
    if (missing.length > 0)
      throw new JobError(
        'JOB_INCOMPLETE',
        `${missing.length} of ${plan.tasks.length} tasks are not done: ${missing.slice(0, 10).join(', ')}${missing.length > 10 ? ', …' : ''}`,
      );
    const join = new AnswerJoin(spill, store, tasks, verifies);
    if (listsFailures) failures = await FailureTable.create(folder, plan, { spill, store }, tasks);
    const answersOf = async (batch: Batch): ReturnType<AnswerJoin['readRows']> => {
      const answers = await join.readRows(batch.firstRow, batch.rows, plan.sides.length);
      await failures?.add(batch, answers);
      return answers;
    };
    await joinRows({ source, sink }, plan.rows, answersOf, options);
    await failures?.finish();
  } catch (error) {
    await failures?.abandon();
    throw error;
  } finally {
    await source.close?.();
  }
}
