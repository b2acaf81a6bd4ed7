/** Refreshes the roots of all tasks of a job: the answers at the other timestamp are written as a new generation. */
import type { JobCounts } from './job-counts.ts';
import { PointStatus } from '../points/status.ts';
import { countPoints } from '../spill/windows.ts';
import { type MaxFailures, requireFewFailures } from './failure-bound.ts';
import type { JobPlan } from './job-plan.ts';
import type { JobProgress } from './job-progress.ts';
import { runPipeline } from './pipeline.ts';
import type { RootRefresh } from './refresh-roots.ts';
import { TaskAnswers } from './task-answers.ts';
import type { StoredTask, TaskStore } from './task-store.ts';

/** How the roots of tasks are refreshed. */
export interface RefreshWork {
  plan: JobPlan;
  /** The answers so far, and where the new ones go. */
  from: TaskStore;
  to: TaskStore;
  /** The main volume, then the others; undefined for one without roots. */
  volumes: readonly (RootRefresh | undefined)[];
  /** Counts what is found. */
  counts: JobCounts;
  progress?: JobProgress;
  /** How many of the points that are counted may need attention. @default all */
  maxFailures?: MaxFailures;
  /** Called before each task. What it throws ends the work. */
  beforeTask?: () => Promise<void>;
}

/** Returns what is counted, without the points whose voxels are still to be read again. */
export const withoutStale = ({ volumes }: JobCounts): { counts: ArrayLike<number> }[] =>
  volumes.map(({ counts }) => ({
    counts: counts.map((count, code) => (code === PointStatus.staleSupervoxel ? 0 : count)),
  }));

/**
 * Refreshes tasks.
 * @param tasks Those that are not refreshed yet.
 * @param points The number of points of the tasks that are.
 * @throws TableError TOO_MANY_FAILURES; JobError JOB_DAMAGED; the errors of root requests.
 */
export async function refreshTasks(
  { plan, from, to, volumes, counts, progress, maxFailures, beforeTask }: RefreshWork,
  tasks: readonly StoredTask[],
  points: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const total = points + tasks.reduce((sum, { blocks }) => sum + countPoints(blocks), 0);
  let done = points;
  const checkFailures = (): void =>
    requireFewFailures(maxFailures, withoutStale(counts), plan.rows * plan.sides.length);
  checkFailures();
  const load = async function* (): AsyncGenerator<TaskAnswers> {
    for (const task of tasks) {
      await beforeTask?.();
      yield await TaskAnswers.read(from, task);
    }
  };
  await runPipeline<TaskAnswers, StoredTask['volumes']>(
    {
      batches: load(),
      async lookUp(answers, taskSignal) {
        const found: StoredTask['volumes'][number][] = [];
        for (const [k, volume] of answers.task.volumes.entries()) {
          const began = performance.now(),
            refresh = volumes[k],
            requests = refresh?.counts.rootRequests ?? 0,
            { columns, status } = answers.volumes[k];
          await refresh?.refresh(
            {
              supervoxelIds: columns[0].values as BigUint64Array,
              rootIds: columns[1].values as BigUint64Array,
              status,
            },
            taskSignal,
          );
          const { stats } = volume;
          stats.rootRequests += (refresh?.counts.rootRequests ?? 0) - requests;
          if (refresh) stats.ms.roots += performance.now() - began;
          found.push({ ...volume, stats, counts: answers.countsOf(k) });
        }
        counts.addCounted(found);
        done += countPoints(answers.slices);
        progress?.report(
          'looking up',
          Math.floor(done / plan.sides.length),
          total > 0 ? done / total : undefined,
        );
        return found;
      },
      async write(answers, found) {
        const { task, timestamps, seconds, attempt } = answers.task,
          failures = await from.readFailures(task);
        await answers.write(to, {
          task,
          timestamps,
          seconds,
          attempt,
          volumes: found.map(({ stats }, k) => ({ stats, failures: failures[k] })),
        });
        checkFailures();
      },
    },
    signal,
  );
}
