/** Looks up the points of tasks, and writes the answers of each task when it is done. */
import type { PlacedPoints } from '../points/chunk-order.ts';
import type { LoadedPoints, PointSpill, RunSlice } from '../spill/point-spill.ts';
import { countPoints, cutByChunks } from '../spill/windows.ts';
import { flagIntegers } from './coordinate-kinds.ts';
import { type MaxFailures, requireFewFailures } from './failure-bound.ts';
import { JobCounts } from './job-counts.ts';
import { type JobPlan, slicesOf } from './job-plan.ts';
import type { JobProgress } from './job-progress.ts';
import { runPipeline } from './pipeline.ts';
import type { LookupAnswers, PointBatch } from './point-lookup.ts';
import { timestampsOf } from './row-timestamps.ts';
import { FailureCollector } from './task-failures.ts';
import type { TaskHeader } from './task-file.ts';
import type { AnsweredSlices, StoredTask, TaskStore } from './task-store.ts';

/** How the tasks of a job are looked up. */
export interface TaskWork {
  plan: JobPlan;
  spill: PointSpill;
  store: TaskStore;
  lookUp: (batch: PointBatch) => Promise<LookupAnswers>;
  /** Finds the chunks of points of the main volume. */
  order: { place(points: Int32Array | Float64Array): PlacedPoints };
  /** The most chunks that are looked up at a time. */
  windowChunks: number;
  /** Counts what is found. */
  counts: JobCounts;
  progress?: JobProgress;
  /** How many of the points that are counted may need attention. @default all */
  maxFailures?: MaxFailures;
  /** Called before each task. What it throws ends the work. */
  beforeTask?: () => Promise<void>;
  /** Called when a task is done. What it throws ends the work. */
  onTask?: (task: StoredTask) => void;
}

/** The points of a task. */
interface LoadedTask {
  task: number;
  /** One part, or several if there are too many chunks. The points of later parts are loaded when needed. */
  parts: readonly (readonly RunSlice[])[];
  first: LoadedPoints;
}

/** What was found for a task. */
interface AnsweredTask {
  header: Omit<TaskHeader, 'job' | 'blocks' | 'crcs' | 'layout'>;
  parts: readonly AnsweredSlices[];
}

/**
 * Does tasks in their order: two are looked up at a time while the one before is written, so that one is planned
 * while the other waits for chunks and roots.
 * @param tasks The numbers of the tasks.
 * @returns The tasks that were done.
 * @throws TableError TOO_MANY_FAILURES, when the task that had too many is written.
 */
export async function runTasks(
  work: TaskWork,
  tasks: readonly number[],
  signal: AbortSignal | undefined,
): Promise<StoredTask[]> {
  const { store, plan, onTask, counts, progress, maxFailures } = work,
    done: StoredTask[] = [],
    total = plan.runs.reduce((sum, { count }) => sum + count, 0),
    toDo = new Set(tasks);
  /** The points that are done, and how far each task that is being looked up is. */
  let points = 0;
  const begun = new Map<number, { points: number; chunks: number }>();
  for (const task of plan.tasks.keys()) if (!toDo.has(task)) points += countPoints(slicesOf(plan, task));
  const checkFailures = (): void =>
    requireFewFailures(maxFailures, counts.volumes, plan.rows * plan.sides.length);
  checkFailures();
  /** Reports how far the look-up is. */
  const report = (): void => {
    let looked = points,
      chunks = 0;
    for (const part of begun.values()) {
      looked += part.points;
      chunks += part.chunks;
    }
    progress?.report(
      'looking up',
      Math.floor(looked / plan.sides.length),
      total > 0 ? looked / total : undefined,
      chunks,
    );
  };
  await runPipeline<LoadedTask, AnsweredTask>(
    {
      batches: loadTasks(work, tasks),
      looksAhead: true,
      lookUp: async (loaded, taskSignal) => {
        const answered = await lookUpTask(work, loaded, taskSignal, (part, chunks) => {
          begun.set(loaded.task, { points: part, chunks });
          report();
        });
        begun.delete(loaded.task);
        points += loaded.parts.reduce((sum, part) => sum + countPoints(part), 0);
        counts.addCounted(answered.header.volumes);
        report();
        return answered;
      },
      write: async (_, { header, parts }) => {
        const stored = await store.write(header, parts);
        done.push(stored);
        onTask?.(stored);
        checkFailures();
      },
    },
    signal,
  );
  return done;
}

async function* loadTasks(
  { plan, spill, order, windowChunks, beforeTask }: TaskWork,
  tasks: readonly number[],
): AsyncGenerator<LoadedTask> {
  for (const task of tasks) {
    await beforeTask?.();
    const slices = slicesOf(plan, task),
      loaded = await spill.readPoints(slices);
    const placed = countPoints(slices) > windowChunks ? order.place(loaded.points) : undefined;
    if (!placed || placed.keys.length <= windowChunks) yield { task, parts: [slices], first: loaded };
    else {
      const keys = Float64Array.from(placed.ordinals, (ordinal) => placed.keys[ordinal]);
      const parts = cutByChunks(slices, keys, windowChunks);
      yield { task, parts, first: await spill.readPoints(parts[0]) };
    }
  }
}

async function lookUpTask(
  { plan, spill, lookUp }: TaskWork,
  { task, parts, first }: LoadedTask,
  signal: AbortSignal,
  report: (points: number, chunks: number) => void,
): Promise<AnsweredTask> {
  const began = performance.now(),
    counts = new JobCounts(plan.also),
    failures = counts.volumes.map(() => new FailureCollector()),
    used = new Set<number>(),
    answered: AnsweredSlices[] = [];
  let before = 0,
    chunksBefore = 0;
  for (const [k, slices] of parts.entries()) {
    const { points, timestamps } = k === 0 ? first : await spill.readPoints(slices);
    const answers = await lookUp({
      points,
      integers: await integersOfSlices(plan, spill, slices, points.length / 3),
      timestamps: timestamps && timestampsOf(timestamps),
      signal,
      onProgress: ({ chunksDone, chunks }) =>
        report(
          before + (chunks > 0 ? (chunksDone / chunks) * (points.length / 3) : 0),
          chunksBefore + chunksDone,
        ),
    });
    counts.add(answers);
    chunksBefore = counts.sums().chunksDone;
    for (const [volume, collector] of failures.entries()) {
      const own = volume === 0 ? answers : answers.also![volume - 1];
      const start = before;
      collector.add(own, (index) => start + index);
      for (const timestamp of own.timestamps ?? []) used.add(timestamp.getTime());
    }
    answered.push({ slices, answers });
    before += points.length / 3;
  }
  return {
    header: {
      task,
      volumes: counts.volumes.map(({ counts: byCode, stats }, k) => ({
        counts: Array.from(byCode.entries()).filter(([, count]) => count > 0),
        stats,
        failures: failures[k].failures(),
      })),
      timestamps: [...used],
      seconds: (performance.now() - began) / 1000,
      attempt: 0,
    },
    parts: answered,
  };
}

/** Flags the coordinates of slices that name voxels. */
export async function integersOfSlices(
  { namesVoxels, sides }: JobPlan,
  spill: PointSpill,
  slices: readonly RunSlice[],
  count: number,
): Promise<Uint8Array | undefined> {
  if (!namesVoxels) return undefined;
  if (sides.length === 1) return flagIntegers(namesVoxels, count, () => 0);
  const sideOf = new Uint32Array(count);
  let at = 0;
  for (const slice of slices)
    for (const place of await spill.readPlaces(slice))
      sideOf[at++] = Math.floor(place / spill.runs[slice.run].rows);
  return flagIntegers(namesVoxels, count, (point) => sideOf[point]);
}
