/** Writes the output of a job whose tasks are done. It opens no volume. */
import { JobError } from '../base/errors.ts';
import { JobCounts } from '../jobs/job-counts.ts';
import {
  addPresets,
  mergeTasks,
  type PlannedJob,
  readDoneTasks,
  timestampsIn,
  withPlannedJob,
} from '../jobs/job-files.ts';
import { requireFewFailures } from '../jobs/failure-bound.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import { JobFolder } from '../jobs/job-folder.ts';
import { type JobManifest, type JobPlan, readManifest, readPlan, startedJob } from '../jobs/job-plan.ts';
import { JobProgress } from '../jobs/job-progress.ts';
import type { TableSummary } from '../jobs/job-types.ts';
import { summarizeTimestamps } from '../jobs/point-table.ts';
import { warnOfFailedPoints } from '../jobs/task-failures.ts';
import { openTable } from '../tables/open-table.ts';
import { requireSameInputs } from '../jobs/input-identity.ts';
import type { Io } from './io.ts';
import { advising, resumeAdvice } from './job-advice.ts';
import type { Refreshed } from '../jobs/done-again.ts';
import { reportJob } from './job-report.ts';
import { flagsOfManifest } from './job-flags.ts';
import { toPinnedDates } from '../jobs/job-timestamps.ts';
import type { Report } from './report.ts';
import type { JobReportPage } from './job-report-page.ts';
import { beginReport, reporting, type ResumeFlags, withTemporaryFiles } from './run-job.ts';
import { checkLookup, openLookupFiles, pointTableOptions } from './lookup-session.ts';

/** Runs the command. @returns Whether any row needs attention, and more than may. */
export async function runMerge(path: string, own: ResumeFlags, io: Io, report: Report): Promise<boolean> {
  const folder = new JobFolder(path),
    manifest = await readManifest(folder);
  await folder.refuseCancelled();
  const plan = await requirePlan(folder, manifest),
    unlock = await folder.lock((message) => report.warn(message));
  try {
    await requireSameInputs(manifest.inputs);
    const told = await beginReport('merge', folder, flagsOfManifest(manifest, own), report);
    return await reporting(told, io, () => mergeJob({ folder, manifest, plan, told }, own, io, report));
  } finally {
    unlock();
  }
}

/** A job whose tasks are done. */
export interface DoneJob {
  folder: JobFolder;
  manifest: JobManifest;
  plan: JobPlan;
  /** What a refresh did. */
  refreshed?: Refreshed;
  /** The report, if one is written. */
  told?: JobReportPage;
}

/**
 * Writes the output of a job, which the caller has locked.
 * @returns Whether any row needs attention, and more than may.
 */
export async function mergeJob(
  { folder, manifest, plan, refreshed, told }: DoneJob,
  own: ResumeFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  const checked = await checkLookup(manifest.volume, flagsOfManifest(manifest, own), report),
    files = await openLookupFiles(withTemporaryFiles(checked, folder, io), io, report);
  try {
    return await advising(folder, io, report, async () => {
      const { flags } = checked,
        { maxFailures } = flags,
        warn = (message: string): void => report.warn(message),
        onProgress = own.quiet ? undefined : await report.startProgress();
      const options = { ...pointTableOptions(checked, { also: [] }), signal: io.signal, warn },
        input = files.input(folder.path);
      const writeRows = async (planned: PlannedJob, sink: ByteSink): Promise<TableSummary> => {
        const counts = new JobCounts(plan.also),
          progress = new JobProgress(onProgress, counts, true),
          tasks = await readDoneTasks(planned, warn);
        addPresets(counts, plan);
        for (const { volumes } of tasks) counts.addCounted(volumes);
        const { outputs, sides } = plan,
          { replace = false } = flags;
        requireFewFailures(maxFailures, counts.volumes, plan.rows * sides.length);
        await warnOfFailedPoints(tasks, planned, { sides, prefixes: counts.prefixes }, warn);
        const source = openTable(input.source(), () => ({ outputs, replace }), options);
        const table = { source, sink: source.sinkTo(sink, flags.missing) };
        const how = { signal: io.signal, progress, verifies: true, listsFailures: !manifest.isTemporary };
        await counts.time('writing', () => mergeTasks(planned, tasks, table, how));
        const [pinned] = toPinnedDates(manifest.timestamps),
          summed = counts.summarize(plan.rows, sides);
        return summarizeTimestamps(summed, pinned, timestampsIn(tasks), flags.timestampColumn);
      };
      const summary = await files.writeOutput(
        async (sink) => {
          const written = await withPlannedJob(startedJob(folder, manifest), plan, (planned) =>
            writeRows(planned, sink),
          );
          await requireSameInputs(manifest.inputs);
          return written;
        },
        () => false,
      );
      report.done();
      if (!summary) return false;
      const job = { folder, manifest, summary: { ...summary, refreshed } };
      const needsAttention = await reportJob(job, files, { ...own, maxFailures }, report);
      await told?.write(files);
      return needsAttention;
    });
  } finally {
    await files.close();
  }
}

/** Reads the plan of a job. @throws JobError JOB_MISSING, JOB_DAMAGED. */
export async function requirePlan(folder: JobFolder, { job }: JobManifest): Promise<JobPlan> {
  const plan = await readPlan(folder, job);
  if (!plan)
    throw new JobError('JOB_MISSING', `the job ${folder.path} is not planned yet: ${resumeAdvice(folder)}`);
  return plan;
}
