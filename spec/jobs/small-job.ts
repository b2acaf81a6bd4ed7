/** A small table that is looked up as a job, in the process of the spec. */
import { tmpdir } from 'node:os';
import { JobCounts } from '../../lib/jobs/job-counts.ts';
import type { StartedJob } from '../../lib/jobs/job-files.ts';
import { readPlan } from '../../lib/jobs/job-plan.ts';
import { finishTasks } from '../../lib/jobs/out-of-core.ts';
import { planTasks } from '../../lib/jobs/plan-tasks.ts';
import { createGraphLookup, type GraphVolume, type PointBatch } from '../../lib/jobs/point-lookup.ts';
import { lookUpPointTable, preparePointWork, type PointTableOptions } from '../../lib/jobs/point-table.ts';
import { ChunkOrder } from '../../lib/points/chunk-order.ts';
import { openTable } from '../../lib/tables/open-table.ts';
import { fakeGraphVolume } from './fake-volume.ts';

export const SIZES = { windowPoints: 40, windowChunks: 6, samplePoints: 4 };
export const order = new ChunkOrder(
  { size: [1000, 1000, 1000], chunkSize: [100, 100, 100], voxelOffset: [0, 0, 0], resolution: [8, 8, 40] },
  [8, 8, 40],
);
/** The rows of some statuses, and rows without a point; a batch of 64 KiB holds 33 rows. */
export const TABLE = `id,pre,post_x,post_y,post_z,note\n${Array.from({ length: 120 }, (_, k) => {
  const x = (k * 379) % 1000;
  return `${k},"${k % 11 === 0 ? '' : `[${x}, ${k}, 3]`}",${k % 7 === 0 ? 905 : (x * 7) % 900},${k % 13 === 0 ? 'x' : 5},6,${'n'.repeat(2000)}\n`;
}).join('')}`;
export const OPTIONS: PointTableOptions = { format: 'csv', positions: ['pre', 'post'], batchRows: 1 };
export const JOB = 'job-of-the-spec';

async function* piecesOf(table: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(table);
  for (let at = 0; at < bytes.length; at += 2 ** 14) yield bytes.subarray(at, at + 2 ** 14);
}

export interface Output {
  parts: Uint8Array[];
  sink: {
    write: (bytes: Uint8Array) => Promise<void>;
    finish: () => Promise<void>;
    abandon: () => Promise<undefined>;
  };
}
export function output(): Output {
  const parts: Uint8Array[] = [];
  return {
    parts,
    sink: {
      write: async (bytes) => void parts.push(bytes),
      finish: async () => undefined,
      abandon: async () => undefined,
    },
  };
}
export const textOf = ({ parts }: Output): string => Buffer.concat(parts).toString('latin1');

export interface Ran {
  text: string;
  /** The number of points that were looked up. */
  asked: number;
  warnings: string[];
  statuses?: Record<string, number>;
}

/** Goes on with the job in a folder, as a new process would: it plans only if there is no plan. */
export async function goOn(
  started: StartedJob,
  onTask?: (batch: PointBatch) => void,
  volume: GraphVolume = fakeGraphVolume(),
): Promise<Ran> {
  const ran: Ran = { text: '', asked: 0, warnings: [] };
  const warn = (message: string): void => void ran.warnings.push(message);
  const lookup = createGraphLookup(volume, {}),
    work = preparePointWork(lookup, { ...OPTIONS, warn });
  const lookUp: typeof work.lookUp = (batch) => {
    onTask?.(batch);
    ran.asked += batch.points.length / 3;
    return work.lookUp(batch);
  };
  let plan = await readPlan(started.folder, started.job);
  if (!plan) {
    const source = openTable(piecesOf(TABLE), work.rows.choose, OPTIONS);
    const how = { order, folder: tmpdir(), sizes: SIZES };
    plan = await planTasks({ ...work, source, expectedRows: undefined }, started, how, {});
  }
  const out = output(),
    counts = new JobCounts();
  const openAgain = (): ReturnType<Parameters<typeof finishTasks>[0]['openAgain']> => {
    const source = openTable(piecesOf(TABLE), work.rows.chooseOutputs, OPTIONS);
    return { source, sink: source.sinkTo(out.sink, undefined) };
  };
  const { statuses } = await finishTasks(
    { ...work, lookUp, openAgain },
    started,
    plan,
    { order, windowChunks: SIZES.windowChunks, verifies: true, listsFailures: true, counts },
    { warn },
  );
  return { ...ran, text: textOf(out), statuses };
}

/** Looks the table up in one pass. */
export async function lookUpAtOnce(): Promise<Ran> {
  const out = output(),
    warnings: string[] = [];
  const { statuses } = await lookUpPointTable(
    createGraphLookup(fakeGraphVolume(), {}),
    piecesOf(TABLE),
    out.sink,
    { ...OPTIONS, warn: (message) => warnings.push(message) },
  );
  return { text: textOf(out), asked: 240, warnings, statuses };
}
