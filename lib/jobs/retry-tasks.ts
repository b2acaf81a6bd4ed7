/** Looks up the failed points of tasks again, and writes each of these tasks anew. All other answers stay. */
import { JobError } from '../base/errors.ts';
import type { LookupStats } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import type { LoadedPoints } from '../spill/point-spill.ts';
import { countPoints } from '../spill/windows.ts';
import { scanTasks, type StartedJob } from './job-files.ts';
import { readPlan } from './job-plan.ts';
import type { PendingRetry } from './pending-step.ts';
import { runPipeline } from './pipeline.ts';
import type { PointBatch, PointLookup } from './point-lookup.ts';
import { timestampsOf } from './row-timestamps.ts';
import { integersOfSlices, type TaskWork } from './run-tasks.ts';
import { addStats } from './stats.ts';
import { TaskAnswers } from './task-answers.ts';
import { FailureCollector } from './task-failures.ts';
import type { TaskFailures } from './task-file.ts';
import { type StoredTask, TaskStore } from './task-store.ts';

/** How failed points are looked up again. */
export interface RetryWork extends Pick<
  TaskWork,
  'plan' | 'spill' | 'store' | 'order' | 'windowChunks' | 'beforeTask' | 'progress'
> {
  /** The main look-up, then the others. */
  lookups: readonly PointLookup[];
  /** The number of this retry. Tasks that have it are done. */
  attempt: number;
}

/** What a retry did. */
export interface Retried {
  /** The failed points that were looked up again. One that failed in two volumes counts twice. */
  points: number;
  /** Those of them that have not failed again. */
  answered: number;
}

const { failed, rootFailed, staleSupervoxel } = PointStatus;

/** Whether looking up a point again may help. The voxels tell what took the place of a stale supervoxel. */
const isTransient = (code: number): boolean =>
  code === failed || code === rootFailed || code === staleSupervoxel;

/** Returns how many points of a task failed, in all volumes together. */
export const failedPointsIn = ({ volumes }: Pick<StoredTask, 'volumes'>): number =>
  volumes.reduce(
    (sum, { counts }) =>
      sum + counts.reduce((own, [code, count]) => own + (isTransient(code) ? count : 0), 0),
    0,
  );

/** Returns the retry that a job needs; undefined if no point of its tasks has failed. */
export async function findRetry(started: StartedJob): Promise<PendingRetry | undefined> {
  const plan = await readPlan(started.folder, started.job);
  if (!plan) return undefined;
  const { done } = await scanTasks({ plan, store: new TaskStore(started) });
  if (!done.some((task) => failedPointsIn(task) > 0)) return undefined;
  return { step: 'retry', attempt: 1 + done.reduce((most, { attempt }) => Math.max(most, attempt), 0) };
}

/** The failed points of a task. */
interface FailedTask {
  answers: TaskAnswers;
  failures: readonly TaskFailures[];
  all: LoadedPoints;
  integers: Uint8Array | undefined;
}

/** What was found for the failed points of a task. */
interface RetriedTask {
  volumes: { stats: LookupStats; failures: TaskFailures }[];
  timestamps: number[];
  seconds: number;
}

/**
 * Does again the tasks with failed points that this retry has not done yet.
 * @throws JobError JOB_DAMAGED; TableError.
 */
export async function retryTasks(
  work: RetryWork,
  tasks: readonly StoredTask[],
  signal: AbortSignal | undefined,
): Promise<Retried> {
  const { store, plan, progress, attempt } = work,
    toDo = tasks.filter((task) => failedPointsIn(task) > 0 && task.attempt < attempt),
    total = toDo.reduce((sum, task) => sum + failedPointsIn(task), 0);
  const retried: Retried = { points: 0, answered: 0 };
  await runPipeline<FailedTask, RetriedTask>(
    {
      batches: loadFailed(work, toDo),
      async lookUp(task, taskSignal) {
        const found = await lookUpFailed(work, task, taskSignal);
        retried.points += failedPointsIn(task.answers.task);
        progress?.report(
          'looking up',
          Math.floor(retried.points / plan.sides.length),
          retried.points / total,
        );
        return found;
      },
      async write({ answers }, { volumes, timestamps, seconds }) {
        const { task } = answers.task;
        const stored = await answers.write(store, { task, volumes, timestamps, seconds, attempt });
        retried.answered += failedPointsIn(answers.task) - failedPointsIn(stored);
      },
    },
    signal,
  );
  return retried;
}

async function* loadFailed(
  { plan, spill, store, beforeTask }: RetryWork,
  tasks: readonly StoredTask[],
): AsyncGenerator<FailedTask> {
  for (const task of tasks) {
    await beforeTask?.();
    const answers = await TaskAnswers.read(store, task);
    yield {
      answers,
      failures: await store.readFailures(task.task),
      all: await spill.readPoints(task.blocks),
      integers: await integersOfSlices(plan, spill, task.blocks, countPoints(task.blocks)),
    };
  }
}

async function lookUpFailed(
  { store, lookups, order, windowChunks }: RetryWork,
  { answers, failures, all, integers }: FailedTask,
  signal: AbortSignal,
): Promise<RetriedTask> {
  const began = performance.now(),
    { task } = answers,
    used = new Set(task.timestamps);
  const found: RetriedTask['volumes'] = [];
  for (const [volume, { status }] of answers.volumes.entries()) {
    const points = Uint32Array.from(status.keys()).filter((point) => isTransient(status[point])),
      { stats } = task.volumes[volume];
    if (points.length === 0) {
      found.push({ stats, failures: failures[volume] });
      continue;
    }
    const collector = new FailureCollector(),
      placed = order.place(pointsAt(all.points, points)),
      // Rarely are there more chunks than may be looked up together. Then there are as many points at most.
      size = placed.keys.length > windowChunks ? windowChunks : points.length;
    for (let from = 0; from < points.length; from += size) {
      const part = points.subarray(from, from + size),
        own = await lookups[volume].lookUp({ ...batchAt(all, integers, part), signal });
      if (!answers.replace(volume, own, part))
        throw new JobError(
          'JOB_DAMAGED',
          `the volume gives other columns than those of ${store.pathOf(task.task)}: it has changed, or that file is damaged`,
        );
      collector.add(own, (index) => part[index]);
      addStats(stats, own.stats);
      for (const timestamp of own.timestamps ?? []) used.add(timestamp.getTime());
    }
    found.push({ stats, failures: collector.failures() });
  }
  return {
    volumes: found,
    timestamps: [...used],
    seconds: task.seconds + (performance.now() - began) / 1000,
  };
}

/** Returns the batch of some points of a task. */
const batchAt = (
  { points, timestamps }: LoadedPoints,
  integers: Uint8Array | undefined,
  chosen: Uint32Array,
): PointBatch => ({
  points: pointsAt(points, chosen),
  integers: integers && pointsAt(integers, chosen),
  timestamps: timestamps && timestampsOf(Float64Array.from(chosen, (point) => timestamps[point])),
});

/** Returns the three numbers of each of some points. */
function pointsAt<A extends Int32Array | Float64Array | Uint8Array>(all: A, chosen: Uint32Array): A {
  const own = all.slice(0, 3 * chosen.length) as A;
  for (let k = 0; k < chosen.length; k++)
    for (let axis = 0; axis < 3; axis++) own[3 * k + axis] = all[3 * chosen[k] + axis];
  return own;
}
