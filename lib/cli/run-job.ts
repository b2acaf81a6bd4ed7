/** Runs `graphene-points job`: makes a job, does its tasks, and joins their answers to the rows. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { JobError, TableError } from '../base/errors.ts';
import type { Refreshed } from '../jobs/done-again.ts';
import { JobCounts } from '../jobs/job-counts.ts';
import { readDoneTasks, type StartedJob, withPlannedJob } from '../jobs/job-files.ts';
import { JobFolder, PLAN } from '../jobs/job-folder.ts';
import {
  type JobInputFile,
  type JobManifest,
  type JobPlan,
  readPlan,
  startedJob,
  writeManifest,
} from '../jobs/job-plan.ts';
import { type PendingRetry, removePending, writePending } from '../jobs/pending-step.ts';
import { retryTasks } from '../jobs/retry-tasks.ts';
import { JobProgress } from '../jobs/job-progress.ts';
import { finishTasks } from '../jobs/out-of-core.ts';
import { planTasks, WINDOW_SIZES } from '../jobs/plan-tasks.ts';
import { preparePointWork, type PointTableOptions, summarizeTimestamps } from '../jobs/point-table.ts';
import { openTable } from '../tables/open-table.ts';
import { copyInputs } from '../jobs/copy-inputs.ts';
import { describeInput, requireSameInputs } from '../jobs/input-identity.ts';
import { type Io, UsageError } from './io.ts';
import {
  absolute,
  absoluteVolume,
  findSecret,
  type JobFlags,
  keptFlags,
  flagsOfManifest,
} from './job-flags.ts';
import { timestampsOfLookups, toPinnedDates } from '../jobs/job-timestamps.ts';
import type { Report } from './report.ts';
import {
  type CheckedLookup,
  checkLookup,
  type OpenedLookup,
  openLookup,
  openLookupFiles,
  pointTableOptions,
} from './lookup-session.ts';
import { advising } from './job-advice.ts';
import { reportJob } from './job-report.ts';
import type { JobReportPage } from './job-report-page.ts';
import type { LookupFlags } from './lookup-session.ts';

/** Flags of the commands on a job that exists. */
export interface ResumeFlags {
  stats?: string;
  quiet?: boolean;
  /** Whether a report is written, also if the job was made without one. */
  report?: boolean;
}

/** A job whose files and volumes are open. */
export interface OpenJob {
  started: StartedJob;
  manifest: JobManifest;
  checked: CheckedLookup;
  opened: OpenedLookup;
  /** The retry that is to be done. */
  pending?: PendingRetry;
  /** What a refresh did before. */
  refreshed?: Refreshed;
  /** The report, if one is written. */
  told?: JobReportPage;
}

/** Begins the report of a run of a job, if the run or the job asks for one. @param step What the run is. */
export async function beginReport(
  step: string,
  folder: JobFolder,
  { report: isAsked }: Pick<LookupFlags, 'report'>,
  report: Report,
): Promise<JobReportPage | undefined> {
  if (isAsked === undefined || isAsked === false) return undefined;
  const { JobReportPage: Page } = await import('./job-report-page.ts');
  return new Page(step, folder, report);
}

/** Does some work of a job. If it fails, the report says so. */
export async function reporting<T>(
  told: JobReportPage | undefined,
  { signal }: Io,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await told?.writeFailed(error, signal.aborted);
    throw error;
  }
}

/** Makes a job and does it, or only its plan. @returns Whether any row needs attention, and more than may. */
export async function runNewJob(
  inputs: readonly string[],
  given: JobFlags,
  upTo: 'plan' | 'output',
  io: Io,
  report: Report,
): Promise<boolean> {
  const { volume, job: path } = given;
  if (inputs.length === 0) throw new UsageError('name the tables of points');
  if (volume === undefined) throw new UsageError('--volume names the volume');
  if (((given.out as string | undefined) ?? '-') === '-')
    throw new UsageError('a job writes a file: name it with --out');
  const flags = { ...given, points: [...inputs] },
    own = { quiet: given.quiet };
  const secret = findSecret(volume, flags);
  if (secret !== undefined)
    throw new UsageError(
      `${secret} has a user name or a query, which may be a secret: a job keeps its paths in a file`,
    );
  const first = await checkLookup(volume, flags, report, 'the input', io);
  if (flags.dryRun) {
    const { runDryRun } = await import('./run-dry-run.ts');
    return runDryRun(first, flags.taskPoints ?? WINDOW_SIZES.windowPoints, io, report);
  }
  const folder = await JobFolder.create(path),
    unlock = await folder.lock((message) => report.warn(message)),
    told = await beginReport(upTo === 'plan' ? 'plan' : 'run', folder, given, report);
  let isMade = false;
  try {
    const copied = await copyInputs(first.tables, folder, io),
      kept = keptFlags({ ...flags, ...first.flags, format: first.format });
    const described: JobInputFile[] = [];
    for (const { name, path: file } of copied) described.push(await describeInput(name, file));
    const checked = {
      ...first,
      path: absoluteVolume(volume),
      // Tasks may be looked up over days: no edit may still appear at their timestamp.
      flags: { ...first.flags, timestamp: flags.timestamp ?? 'settled' },
      tables: described.map(({ path: file }) => ({ name: file })),
    };
    const work = async (opened: OpenedLookup): Promise<boolean> => {
      const manifest = await writeManifest(folder, {
        job: randomUUID(),
        isTemporary: false,
        volume: opened.volumes.pinnedPath(absoluteVolume(volume)),
        flags: kept,
        inputs: described,
        output: absolute(flags.out),
        timestamps: timestampsOfLookups([opened.main, ...opened.also.map(({ lookup }) => lookup)]),
      });
      isMade = true;
      const started = startedJob(folder, manifest);
      return goOn({ started, manifest, checked, opened, told }, own, upTo, io, report);
    };
    return await reporting(told, io, () => withOpened(checked, undefined, io, report, work, told));
  } catch (error) {
    // A table that cannot be read, or that has changed, is mended, and the same command run again.
    const isOfTable =
        error instanceof TableError || (error instanceof JobError && error.code === 'INPUT_CHANGED'),
      isUseless = isOfTable && !io.signal.aborted && !(await folder.isWorthResuming());
    if (!isMade || isUseless) await folder.remove();
    throw error;
  } finally {
    unlock();
  }
}

/** Puts temporary files into the folder of the job, unless another is named. */
export const withTemporaryFiles = (
  checked: CheckedLookup,
  { path }: JobFolder,
  { env }: Io,
): CheckedLookup => ({
  ...checked,
  flags: { ...checked.flags, tempDir: checked.flags.tempDir ?? (env.TMPDIR || path) },
});

/** Opens the volumes of a job for some work. */
export async function withOpened<T>(
  checked: CheckedLookup,
  manifest: JobManifest | undefined,
  { signal }: Io,
  report: Report,
  work: (opened: OpenedLookup) => Promise<T>,
  told?: JobReportPage,
): Promise<T> {
  const pinned = manifest && toPinnedDates(manifest.timestamps);
  const opened = await openLookup(checked, signal, report, { pinned, watch: told?.watch });
  try {
    return await work(opened);
  } finally {
    await opened.volumes.close();
  }
}

/** Opens the volumes of a job that exists, and goes on with it. @returns As {@link goOn}. */
export async function reopenAndGoOn(
  { manifest, ...job }: Omit<OpenJob, 'checked' | 'opened'>,
  own: ResumeFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  const checked = await checkLookup(manifest.volume, flagsOfManifest(manifest, own), report);
  const work = (opened: OpenedLookup): Promise<boolean> =>
    goOn({ ...job, manifest, checked, opened }, own, 'output', io, report);
  return withOpened(checked, manifest, io, report, work, job.told);
}

/**
 * Plans a job if it is not planned, does the tasks that are not done, after those that are to be done again, and
 * writes the output.
 */
export async function goOn(
  { started, manifest, checked, opened, pending, refreshed, told }: OpenJob,
  { quiet }: ResumeFlags,
  upTo: 'plan' | 'output',
  io: Io,
  report: Report,
): Promise<boolean> {
  const { folder, job } = started,
    { flags } = checked,
    { taskPoints = WINDOW_SIZES.windowPoints } = flags as Partial<JobFlags>,
    { main, order, volumes } = opened;
  const options: PointTableOptions = {
    ...pointTableOptions(checked, opened),
    signal: io.signal,
    warn: (message) => report.warn(message),
    onProgress: quiet ? undefined : await report.startProgress(),
  };
  const work = preparePointWork(main, options),
    counts = new JobCounts(work.also),
    progress = new JobProgress(options.onProgress, counts, true);
  volumes.muteCalls();
  const files = await openLookupFiles(withTemporaryFiles(checked, folder, io), io, report);
  try {
    return await advising(folder, io, report, async () => {
      const input = files.input(folder.path);
      let plan = await readPlan(folder, job);
      const isPlanned = plan !== undefined;
      if (!plan) {
        const source = openTable(input.source(), work.rows.choose, options);
        const planning = {
          order,
          folder: folder.path,
          sizes: { ...WINDOW_SIZES, windowPoints: taskPoints },
          fractionRead: () => input.fractionRead(),
          progress,
        };
        const table = { ...work, source, expectedRows: undefined };
        const made = planTasks(table, started, planning, options).finally(() => source.close?.());
        plan = await counts.time('sorting', () => made);
        await requireSameInputs(manifest.inputs).catch(async (error: unknown) => {
          await rm(join(folder.path, PLAN), { force: true });
          throw error;
        });
      }
      const planned = plan;
      if (upTo === 'plan') {
        report.done();
        await told?.keep({ outcome: 'done' });
        if (!quiet) report.line(plannedLine(planned, folder));
        return false;
      }
      const how = {
        order,
        windowChunks: WINDOW_SIZES.windowChunks,
        beforeTask: () => folder.refuseCancelled(),
        onTask: told?.onTask,
        progress,
      };
      const retried =
        pending &&
        (await withPlannedJob(started, planned, async (files) => {
          await writePending(folder, pending);
          const tasks = await readDoneTasks(files, options.warn);
          return retryTasks({ ...files, ...how, ...pending, lookups: work.lookups }, tasks, io.signal);
        }));
      const result = await files.writeOutput(
        async (sink) => {
          const found = await finishTasks(
            {
              ...work,
              openAgain() {
                const again = openTable(
                  isPlanned ? input.source() : input.again(),
                  work.rows.chooseOutputs,
                  options,
                );
                return { source: again, sink: again.sinkTo(sink, flags.missing) };
              },
            },
            started,
            planned,
            { ...how, verifies: isPlanned, listsFailures: !manifest.isTemporary, counts },
            options,
          );
          await requireSameInputs(manifest.inputs);
          return found;
        },
        () => false,
      );
      report.done();
      if (!result) return false;
      const { timestamps, ...rest } = result;
      const summary = summarizeTimestamps(
        rest,
        main.kind === 'graph' ? main.timestamp : undefined,
        timestamps,
        flags.timestampColumn,
      );
      const { maxFailures } = flags;
      const needsAttention = await reportJob(
        { folder, manifest, summary: { ...summary, retried, refreshed } },
        files,
        { quiet, maxFailures },
        report,
      );
      await removePending(folder);
      await told?.write(files);
      return needsAttention;
    });
  } finally {
    await files.close();
  }
}

const plannedLine = ({ rows, tasks }: JobPlan, { path }: JobFolder): string =>
  `${rows.toLocaleString('en-US')} rows are planned in ${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}: graphene-points job run --job ${path} --shard I/N does a part of them, graphene-points job resume ${path} all`;
