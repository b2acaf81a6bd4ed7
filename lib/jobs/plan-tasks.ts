/** Reads the points of a table, sorts them by chunk on disk, and cuts them into tasks. */
import type { PlacedPoints } from '../points/chunk-order.ts';
import { PointSpill } from '../spill/point-spill.ts';
import { sortRun } from '../spill/sorted-run.ts';
import { formatSize, requireSpace, TemporaryFile } from '../spill/temporary-file.ts';
import { chooseBoundaries, windowsOf } from '../spill/windows.ts';
import type { Batch, TableSource } from '../tables/table.ts';
import type { RowOptions } from './answer-table.ts';
import { countCodes } from './job-counts.ts';
import type { StartedJob } from './job-files.ts';
import type { JobProgress } from './job-progress.ts';
import { flatSlices, type JobPlan, writePlan } from './job-plan.ts';
import { runPipeline } from './pipeline.ts';
import type { PointLookup, PointTimestamps } from './point-lookup.ts';
import type { PointRows } from './point-rows.ts';
import type { RowWarnings } from './row-warnings.ts';

/** The size of tasks. */
export interface WindowSizes {
  /** A task has about this many points, and never more than 1.5 times as many. @default 1_000_000 */
  windowPoints: number;
  /** At most this many chunks are looked up together. @default 131_072 */
  windowChunks: number;
  /** Every how many points of a batch the chunk is noted in memory. @default 1024 */
  samplePoints: number;
}

/** The default size of tasks. */
export const WINDOW_SIZES: WindowSizes = {
  windowPoints: 1_000_000,
  windowChunks: 2 ** 17,
  samplePoints: 1024,
};

/** A table whose points are sorted. */
export interface PlannedTable {
  rows: PointRows;
  rowWarnings: RowWarnings;
  /** The main look-up, then the others. */
  lookups: readonly PointLookup[];
  /** The names of the other volumes. */
  also: readonly string[];
  source: TableSource;
  /** The number of rows of the table, as far as it is known. */
  expectedRows: number | undefined;
}

/** Where and how points are sorted. */
export interface PlanOptions {
  /** Finds the chunks of points of the main volume. */
  order: { place(points: Int32Array | Float64Array): PlacedPoints };
  /** What the folder of the temporary files is called in messages. */
  folder: string;
  sizes: WindowSizes;
  note?: (message: string) => void;
  /** Returns which part of the table has been read, from 0 to 1; undefined if that is unknown. */
  fractionRead?: () => number | undefined;
  progress?: JobProgress;
}

/**
 * Plans a job: writes its points and its plan. The caller closes the source.
 * @throws TableError.
 */
export async function planTasks(
  table: PlannedTable,
  { folder, job }: StartedJob,
  { order, folder: folderName, sizes, note, fractionRead, progress }: PlanOptions,
  { signal, warn }: RowOptions,
): Promise<JobPlan> {
  const { rows: pointRows, rowWarnings, lookups, source, expectedRows } = table;
  const file = await TemporaryFile.createNamed(folder.points);
  try {
    const spill = new PointSpill(file, sizes.samplePoints),
      presets = new Float64Array(256);
    let rows = 0;
    await runPipeline<Batch, ReturnType<typeof sortRun>>(
      {
        batches: source.batches(),
        lookUp: async (batch) => {
          const { timestamps, problemOf } = pointRows.prepare(batch);
          rowWarnings.report(batch, problemOf);
          rows += batch.rows;
          pointRows.noteNumbers(batch);
          const { points, pointStatus } = batch;
          countCodes(pointStatus, presets);
          const times = timestamps && timesOf(timestamps);
          return sortRun({ points, pointStatus, timestamps: times }, order.place(points), spill.samplePoints);
        },
        write: async (batch, run) => {
          await spill.append(run, batch);
          progress?.report('sorting', batch.firstRow - 1 + batch.rows, fractionRead?.());
          if (spill.runs.length > 1) return;
          const perRow =
            spill.bytes / Math.max(1, batch.rows) + pointRows.sides.length * answerBytes(lookups);
          if (expectedRows !== undefined) await requireSpace(folderName, expectedRows * perRow - spill.bytes);
          const size = expectedRows === undefined ? '' : ` about ${formatSize(expectedRows * perRow)} of`;
          note?.(
            `the table is large: its points are sorted by chunk first, in${size} temporary files in ${folderName}`,
          );
        },
      },
      signal,
    );
    if (rows === 0 && !source.hasHeader) warn?.('the table is empty');
    await requireSpace(folderName, countAll(spill) * answerBytes(lookups));
    if (folder.flushes) await file.flush();
    const plan = {
      job,
      rows,
      sides: [...pointRows.sides],
      also: [...table.also],
      outputs: [...pointRows.chooseOutputs().outputs],
      namesVoxels: pointRows.namesVoxels ? [...pointRows.namesVoxels] : null,
      presets: Array.from(presets.entries()).filter(([code, count]) => code !== 0 && count > 0),
      pointBytes: spill.bytes,
      runs: spill.runs.map(({ samples: _, ...run }) => run),
      tasks: await cutTasks(spill, sizes, order),
    };
    await folder.prepareTasks();
    return await writePlan(folder, plan);
  } finally {
    await file.close();
  }
}

/** Cuts the points into tasks, chunk after chunk. A table without points has one task without points. */
async function cutTasks(
  spill: PointSpill,
  { windowPoints, samplePoints }: WindowSizes,
  order: PlanOptions['order'],
): Promise<number[][]> {
  const { runs } = spill;
  const boundaries = chooseBoundaries(
    runs.map(({ samples }) => samples),
    samplePoints,
    windowPoints,
  );
  const cuts: number[][] = [];
  for (const run of runs.keys())
    cuts.push(await spill.cutRun(run, boundaries, (points) => order.place(points)));
  const counts = runs.map(({ count }) => count);
  const tasks = Array.from(windowsOf(cuts, counts, windowPoints), flatSlices);
  return tasks.length > 0 ? tasks : [[]];
}

/** Returns the timestamp of each point in ms, NaN for that of the job. A removed point has any. */
const timesOf = ({ indices, timestamps }: PointTimestamps): Float64Array => {
  const ms = Float64Array.from(timestamps, (timestamp) => timestamp.getTime());
  return Float64Array.from(indices, (index) => (index < 0 ? NaN : ms[index]));
};

/** Returns the bytes of the answers of a point, or a little more. */
const answerBytes = (lookups: readonly PointLookup[]): number =>
  lookups.reduce(
    (sum, { kind, channels, snaps }) => sum + 8 * channels + (kind === 'graph' ? 8 : 0) + (snaps ? 4 : 0) + 1,
    0,
  );

const countAll = ({ runs }: PointSpill): number => runs.reduce((sum, { count }) => sum + count, 0);
