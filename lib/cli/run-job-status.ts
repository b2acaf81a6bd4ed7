/** Shows how far a job is, and cancels jobs. */
import { join } from 'node:path';
import { TableError } from '../base/errors.ts';
import { JobCounts } from '../jobs/job-counts.ts';
import { addPresets, scanTasks } from '../jobs/job-files.ts';
import { FAILURES, JobFolder } from '../jobs/job-folder.ts';
import { type JobPlan, readManifest, readPlan, startedJob } from '../jobs/job-plan.ts';
import { type PendingStep, readPending } from '../jobs/pending-step.ts';
import { TaskStore } from '../jobs/task-store.ts';
import { readFinished } from '../jobs/finished-job.ts';
import type { Io } from './io.ts';
import { alignColumns, type Report } from './report.ts';

/** How far a job is. */
interface JobStatus {
  job: string;
  state: 'planning' | 'looking up' | 'looked up' | 'retrying' | 'refreshing' | 'done' | 'cancelled';
  volume: string;
  inputs: string[];
  output: string;
  timestamps: (string | null)[];
  /** The timestamps that the roots had first, if they were refreshed since. */
  refreshedFrom: (string | null)[] | null;
  /** The refresh that was begun: its timestamps and output, and how many tasks it has done. */
  refresh: { timestamps: (string | null)[]; output: string; tasks: number } | null;
  rows: number | null;
  tasks: { done: number; damaged: number; of: number } | null;
  points: { lookedUp: number; of: number } | null;
  /** By status, for each volume. Points without a valid position count from the beginning. */
  statuses: Record<string, Record<string, number>>;
  chunks: number;
  requests: number;
  bytes: number;
  cacheHits: number;
  rootRequests: number;
  failures: number;
  /** The table of the points that need attention; null if the output is not written yet. */
  failureTable: string | null;
  /** The sum of the times that all tasks took. */
  seconds: number;
}

/** Shows how far a job is. */
export async function showJobStatus(path: string, { json }: { json?: boolean }, io: Io): Promise<void> {
  const status = await readJobStatus(new JobFolder(path));
  io.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : alignColumns(linesOf(status)));
}

/** Reads how far a job is. */
export async function readJobStatus(folder: JobFolder): Promise<JobStatus> {
  const manifest = await readManifest(folder),
    plan = await readPlan(folder, manifest.job),
    isCancelled = await folder.isCancelled(),
    pending = await readPending(folder),
    store = new TaskStore(startedJob(folder, manifest)),
    { done, damaged } = plan && !isCancelled ? await scanTasks({ plan, store }) : { done: [], damaged: [] };
  const counts = new JobCounts(plan?.also);
  if (plan) addPresets(counts, plan);
  for (const { volumes } of done) counts.addCounted(volumes);
  const { chunksDone, ...sums } = counts.sums(),
    { statuses, stats, also = {} } = counts.summarize(plan?.rows ?? 0, plan?.sides ?? []);
  const state = await stateOf(folder, { isCancelled, pending, plan, done: done.length });
  const ofVolumes = Object.entries(also).map(([name, own]) => [name, own.statuses] as const);
  return {
    job: folder.path,
    state,
    volume: manifest.volume,
    inputs: manifest.inputs.map(({ name }) => name),
    output: manifest.output,
    timestamps: manifest.timestamps,
    refreshedFrom: manifest.refreshedFrom,
    refresh:
      pending?.step === 'refresh'
        ? {
            timestamps: pending.timestamps,
            output: pending.output,
            tasks: (await new TaskStore({ folder, job: manifest.job, generation: pending.generation }).done())
              .length,
          }
        : null,
    rows: plan?.rows ?? null,
    tasks: plan ? { done: done.length, damaged: damaged.length, of: plan.tasks.length } : null,
    points: plan
      ? {
          lookedUp: done.reduce((sum, { blocks }) => sum + countIn(blocks), 0),
          of: plan.runs.reduce((sum, { count }) => sum + count, 0),
        }
      : null,
    statuses: Object.fromEntries([['', statuses], ...ofVolumes]),
    chunks: chunksDone,
    requests: stats.requests + Object.values(also).reduce((sum, own) => sum + own.stats.requests, 0),
    ...sums,
    failureTable: (await folder.has(FAILURES)) ? join(folder.path, FAILURES) : null,
    seconds: done.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

interface StateFacts {
  isCancelled: boolean;
  pending: PendingStep | undefined;
  plan: JobPlan | undefined;
  /** The number of tasks that are done. */
  done: number;
}

async function stateOf(
  folder: JobFolder,
  { isCancelled, pending, plan, done }: StateFacts,
): Promise<JobStatus['state']> {
  if (isCancelled) return 'cancelled';
  if (pending) return pending.step === 'retry' ? 'retrying' : 'refreshing';
  if (await readFinished(folder)) return 'done';
  if (!plan) return 'planning';
  return done === plan.tasks.length ? 'looked up' : 'looking up';
}

const countIn = (blocks: readonly { from: number; end: number }[]): number =>
  blocks.reduce((sum, { from, end }) => sum + end - from, 0);

const distinct = (timestamps: readonly (string | null)[]): string[] => [
  ...new Set(timestamps.filter((timestamp) => timestamp !== null)),
];

const number = (n: number): string => Math.round(n).toLocaleString('en-US');

function linesOf(status: JobStatus): string[][] {
  const { state, tasks, points, rows, statuses, timestamps } = status;
  const lines = [
    ['job', status.job],
    ['state', state],
    ['volume', status.volume],
    ['inputs', status.inputs.join(', ')],
    ['output', status.output],
  ];
  const pinned = distinct(timestamps);
  if (pinned.length > 0) lines.push(['roots as of', pinned.join(', ')]);
  const { refreshedFrom, refresh } = status;
  if (refreshedFrom) lines.push(['refreshed from', distinct(refreshedFrom).join(', ')]);
  if (refresh)
    lines.push([
      'refresh to',
      `${distinct(refresh.timestamps).join(', ')}, in ${refresh.output}: ${number(refresh.tasks)} of ${number(tasks?.of ?? 0)} tasks`,
    ]);
  if (rows !== null) lines.push(['rows', number(rows)]);
  if (tasks)
    lines.push([
      'tasks',
      `${number(tasks.done)} of ${number(tasks.of)} done${tasks.damaged > 0 ? `, ${tasks.damaged} damaged` : ''}`,
    ]);
  if (points) lines.push(['points', `${number(points.lookedUp)} of ${number(points.of)} looked up`]);
  for (const [name, own] of Object.entries(statuses))
    for (const [text, count] of Object.entries(own))
      lines.push([name === '' ? text : `${name}: ${text}`, number(count)]);
  for (const name of ['chunks', 'requests', 'bytes', 'cacheHits', 'rootRequests', 'failures'] as const)
    lines.push([LABELS[name] ?? name, number(status[name])]);
  if (status.failureTable !== null) lines.push(['failure table', status.failureTable]);
  lines.push(['seconds of all tasks', status.seconds.toFixed(1)]);
  return lines;
}

const LABELS: Readonly<Record<string, string>> = { cacheHits: 'cache hits', rootRequests: 'root requests' };

/** Cancels a job: a run of it stops before its next task, and what it has found is deleted. */
export async function cancelJob(path: string, report: Report): Promise<void> {
  const folder = new JobFolder(path);
  await readManifest(folder);
  await folder.cancel();
  let unlock: () => void;
  try {
    unlock = await folder.lock((message) => report.warn(message));
  } catch (error) {
    if (!(error instanceof TableError && error.code === 'IN_USE')) throw error;
    report.line(`the job ${folder.path} is cancelled: its run stops before its next task`);
    return;
  }
  try {
    await folder.removeData();
    report.line(`the job ${folder.path} is cancelled; its points and answers are deleted`);
  } finally {
    unlock();
  }
}
