/**
 * Refreshes the roots of a job to another timestamp. Voxels are read only where supervoxels were split: nothing
 * else tells what took the place of a supervoxel.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { JobError } from '../base/errors.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { requireFewFailures } from '../jobs/failure-bound.ts';
import { requireSameInputs } from '../jobs/input-identity.ts';
import { JobCounts } from '../jobs/job-counts.ts';
import { addPresets, missingTasks, readDoneTasks, scanTasks, type StartedJob } from '../jobs/job-files.ts';
import { FINISHED, JobFolder } from '../jobs/job-folder.ts';
import {
  type JobManifest,
  type JobPlan,
  readManifest,
  replaceManifest,
  startedJob,
} from '../jobs/job-plan.ts';
import { JobProgress } from '../jobs/job-progress.ts';
import { toPinnedDates } from '../jobs/job-timestamps.ts';
import { type PendingRefresh, readPending, removePending, writePending } from '../jobs/pending-step.ts';
import { RootRefresh } from '../jobs/refresh-roots.ts';
import { refreshTasks, withoutStale } from '../jobs/refresh-tasks.ts';
import { findRetry } from '../jobs/retry-tasks.ts';
import { TaskStore } from '../jobs/task-store.ts';
import { openGraph, resolveJobTimestamp } from '../lookup-table/open-volume.ts';
import { PointStatus } from '../points/status.ts';
import { requireSpace } from '../spill/temporary-file.ts';
import { countPoints } from '../spill/windows.ts';
import { type Io, UsageError } from './io.ts';
import { advising, hasTooManyFailures, resumeAdvice } from './job-advice.ts';
import { absolute, findSecret, flagsOfManifest } from './job-flags.ts';
import type { Refreshed } from '../jobs/done-again.ts';
import { checkLookup, lookupOfFlags } from './lookup-session.ts';
import type { Report } from './report.ts';
import type { JobReportPage } from './job-report-page.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import { beginReport, reopenAndGoOn, reporting, type ResumeFlags } from './run-job.ts';
import { mergeJob, requirePlan } from './run-merge.ts';

const STALE: number = PointStatus.staleSupervoxel;

/** The flags of `job refresh`. */
export interface RefreshFlags extends ResumeFlags {
  timestamp?: string;
  out?: string;
}

/** A job that is refreshed. Its folder is locked. */
interface RefreshedJob {
  folder: JobFolder;
  manifest: JobManifest;
  pending: PendingRefresh;
}

/** A job that is refreshed, and its report, if one is written. */
interface ToldJob extends RefreshedJob {
  told?: JobReportPage;
}

/** Refreshes a job. @returns Whether any row needs attention, and more than may. */
export async function refreshJob(
  path: string,
  { timestamp, out, ...own }: RefreshFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  const folder = new JobFolder(path),
    manifest = await readManifest(folder);
  await folder.refuseCancelled();
  if (manifest.isTemporary)
    throw new UsageError(`${path} is deleted when it is done: ${resumeAdvice(folder)}`);
  if (out === '-') throw new UsageError('a job writes a file: name it with --out');
  if (out !== undefined && findSecret(manifest.volume, { points: [], out }) !== undefined)
    throw new UsageError(
      '--out has a user name or a query, which may be a secret: a job keeps its paths in a file',
    );
  requireRoots(manifest);
  const unlock = await folder.lock((message) => report.warn(message));
  try {
    const begun = await readPending(folder);
    if (begun?.step === 'retry')
      throw new JobError(
        'JOB_INCOMPLETE',
        `a retry of ${folder.path} was stopped: ${resumeAdvice(folder)}; refresh it then`,
      );
    await requirePlan(folder, manifest);
    const output = out === undefined ? manifest.output : absolute(out);
    const goesOn = begun && timestamp === undefined && (out === undefined || begun.output === output);
    const pending =
      goesOn === true
        ? begun
        : {
            step: 'refresh' as const,
            generation: manifest.generation + 1,
            timestamps: await resolveTimestamps(manifest, timestamp ?? 'settled', io, report),
            output,
          };
    await checkLookup(manifest.volume, { ...flagsOfManifest(manifest, {}), out: output }, report);
    // What another refresh has left must not be taken for that of this one.
    if (!goesOn && !(begun && isSame(begun, pending))) await folder.removeTasksExcept(manifest.generation);
    return await goOnRefreshing({ folder, manifest, pending }, own, io, report);
  } finally {
    unlock();
  }
}

/** Goes on with a refresh. The folder is locked. @returns Whether any row needs attention, and more than may. */
export async function goOnRefreshing(
  job: RefreshedJob,
  own: ResumeFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  const told = await beginReport('refresh', job.folder, flagsOfManifest(job.manifest, own), report);
  return reporting(told, io, () => refreshAndWrite({ ...job, told }, own, io, report));
}

async function refreshAndWrite(
  { folder, manifest, pending, told }: ToldJob,
  own: ResumeFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  await requireSameInputs(manifest.inputs);
  const plan = await requirePlan(folder, manifest);
  let job = { folder, manifest, plan },
    refreshed: Refreshed | undefined;
  // In the other case, all tasks are refreshed, and only the output is to be written.
  if (pending.generation > manifest.generation) {
    await writePending(folder, pending);
    refreshed = await advising(folder, io, report, () =>
      refreshAll({ ...job, pending, told }, own, io, report),
    );
    job = { ...job, manifest: await readManifest(folder) };
  }
  report.done();
  const started = startedJob(folder, job.manifest);
  // The points in supervoxels that were split are looked up, as a retry does.
  const needsAttention = (await hasStale(started, plan))
    ? await reopenAndGoOn(
        { started, manifest: job.manifest, pending: await findRetry(started), refreshed, told },
        own,
        io,
        report,
      )
    : await mergeJob({ ...job, refreshed, told }, own, io, report);
  await removePending(folder);
  await folder.removeTasksExcept(job.manifest.generation);
  return needsAttention;
}

/** Whether any point of a job lies in a supervoxel that was split. */
async function hasStale(started: StartedJob, plan: JobPlan): Promise<boolean> {
  const { done } = await scanTasks({ plan, store: new TaskStore(started) });
  return done.some(({ volumes }) =>
    volumes.some(({ counts }) => counts.some(([code, count]) => code === STALE && count > 0)),
  );
}

/** Refreshes the tasks that are not refreshed yet. Then the manifest has the new timestamps. */
async function refreshAll(
  { folder, manifest, plan, pending, told }: ToldJob & { plan: JobPlan },
  { quiet }: ResumeFlags,
  io: Io,
  report: Report,
): Promise<Refreshed> {
  const warn = (message: string): void => report.warn(message),
    { generation, timestamps, output } = pending,
    { maxFailures } = flagsOfManifest(manifest, {});
  const from = new TaskStore(startedJob(folder, manifest)),
    to = new TaskStore({ folder, job: manifest.job, generation });
  const earlier = await readDoneTasks({ plan, store: from }, warn),
    missing = missingTasks(plan, earlier);
  if (missing.length > 0) {
    await giveUp(folder, manifest);
    await rm(join(folder.path, FINISHED), { force: true });
    throw new JobError(
      'JOB_INCOMPLETE',
      `${missing.length} of ${plan.tasks.length} tasks are not done: ${resumeAdvice(folder)}; refresh it then`,
    );
  }
  await folder.prepareTasks(generation);
  const done = await readDoneTasks({ plan, store: to }, warn),
    known = new Set(done.map(({ task }) => task));
  const counts = new JobCounts(plan.also),
    progress = new JobProgress(quiet ? undefined : await report.startProgress(), counts, true);
  addPresets(counts, plan);
  for (const { volumes } of done) counts.addCounted(volumes);
  const points = done.reduce((sum, { blocks }) => sum + countPoints(blocks), 0);
  await requireSpace(folder.path, (await from.bytes()) - (await to.bytes()));
  const graphs = await openGraphs(manifest, io, report, told?.watch.onEvent);
  try {
    const [old, later] = [manifest.timestamps, timestamps].map(toPinnedDates),
      { stopLayer } = lookupOfFlags(manifest.volume, flagsOfManifest(manifest, {}));
    const volumes = graphs.map((graph, k) => {
      if (!graph) return undefined;
      const volume = {
        roots: (ids: BigUint64Array, options: Parameters<RootsOf>[1]) => graph.roots(ids, options),
        isLatest: (ids: BigUint64Array, at: Date, signal?: AbortSignal) =>
          graph.graph.isLatestRoots(ids, { timestamp: at, borrow: true, signal }),
      };
      return new RootRefresh(volume, { from: old[k]!, to: later[k]!, stopLayer });
    });
    await refreshTasks(
      { plan, from, to, volumes, counts, progress, maxFailures, beforeTask: () => folder.refuseCancelled() },
      earlier.filter(({ task }) => !known.has(task)),
      points,
      io.signal,
    );
    requireFewFailures(maxFailures, withoutStale(counts), plan.rows * plan.sides.length);
    await rm(join(folder.path, FINISHED), { force: true });
    await replaceManifest(folder, {
      ...manifest,
      generation,
      timestamps,
      output,
      refreshedFrom: manifest.refreshedFrom ?? manifest.timestamps,
    });
    const sum = { roots: 0, expired: 0, asked: 0, changed: 0, rootRequests: 0 };
    for (const volume of volumes)
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += volume?.counts[name] ?? 0;
    return { from: namesOf(manifest.timestamps), to: namesOf(timestamps), ...sum };
  } catch (error) {
    // Going on would give the same answers.
    if (hasTooManyFailures(error)) {
      await giveUp(folder, manifest);
      report.line(`the job stays as it was, with the roots of ${namesOf(manifest.timestamps)}`);
    }
    throw error;
  } finally {
    for (const graph of new Set(graphs)) await graph?.close();
    await from.close();
    await to.close();
  }
}

type RootsOf = GrapheneVolume['roots'];

/** Deletes what was refreshed so far: the job is what it was before. */
async function giveUp(folder: JobFolder, { generation }: JobManifest): Promise<void> {
  await folder.removeTasksExcept(generation);
  await removePending(folder);
}

/** @throws UsageError if a job has no roots with a common timestamp. */
function requireRoots(manifest: JobManifest): void {
  const { timestampColumn } = flagsOfManifest(manifest, {});
  if (timestampColumn !== undefined)
    throw new UsageError(
      `the rows of this job have their own timestamps, in the column ${timestampColumn}: a refresh cannot replace them`,
    );
  if (manifest.timestamps.every((timestamp) => timestamp === null))
    throw new UsageError('this job has looked up no roots: there is nothing to refresh');
}

/** Opens the graphs whose roots a job has; undefined for a volume without roots. The caller closes them. */
async function openGraphs(
  manifest: JobManifest,
  { signal }: Io,
  report: Report,
  onEvent?: OpenGrapheneOptions['onEvent'],
): Promise<(GrapheneVolume | undefined)[]> {
  const flags = flagsOfManifest(manifest, {}),
    { open } = lookupOfFlags(manifest.volume, flags),
    { server, ocdbt, retries, timeoutMs } = open ?? {},
    opened = new Map<string, GrapheneVolume>();
  const paths = [manifest.volume, ...(flags.also ?? []).map(({ path }) => path)];
  try {
    for (const [k, path] of paths.entries())
      if (manifest.timestamps[k] !== null && !opened.has(path)) {
        const options = { server, ocdbt, retries, timeoutMs, signal, logger: report, onEvent };
        opened.set(path, await openGraph(path, options, { readsVoxels: false }));
      }
    return paths.map((path, k) => (manifest.timestamps[k] === null ? undefined : opened.get(path)));
  } catch (error) {
    for (const graph of opened.values()) await graph.close();
    throw error;
  }
}

async function resolveTimestamps(
  manifest: JobManifest,
  timestamp: string,
  io: Io,
  report: Report,
): Promise<(string | null)[]> {
  const graphs = await openGraphs(manifest, io, report);
  try {
    const resolved: (string | null)[] = [];
    for (const graph of graphs)
      resolved.push(
        graph
          ? ((await resolveJobTimestamp(timestamp, graph, io.signal)) ?? graph.now()).toISOString()
          : null,
      );
    return resolved;
  } finally {
    for (const graph of new Set(graphs)) await graph?.close();
  }
}

const isSame = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Names the different timestamps of the volumes of a job. */
const namesOf = (timestamps: readonly (string | null)[]): string =>
  [...new Set(timestamps.filter((timestamp) => timestamp !== null))].join(', ');
