/** Writes the output of a job whose tasks are done. It opens no volume. */
import { JobError } from '../base/errors.ts';
import { JobCounts } from '../jobs/job-counts.ts';
import { addPresets, mergeTasks, readDoneTasks, timestampsIn, withPlannedJob } from '../jobs/job-files.ts';
import { JobFolder } from '../jobs/job-folder.ts';
import { type JobManifest, type JobPlan, readManifest, readPlan } from '../jobs/job-plan.ts';
import { JobProgress } from '../jobs/job-progress.ts';
import type { TableSummary } from '../jobs/job-types.ts';
import { summarizeTimestamps } from '../jobs/point-table.ts';
import { warnOfFailedPoints } from '../jobs/task-failures.ts';
import { openTable } from '../tables/open-table.ts';
import { requireSameInputs } from '../jobs/input-identity.ts';
import type { Io } from './io.ts';
import { advising, resumeAdvice } from './job-advice.ts';
import { reportJob } from './job-report.ts';
import { flagsOfManifest } from './job-flags.ts';
import { toPinnedDates } from '../jobs/job-timestamps.ts';
import type { Report } from './report.ts';
import { type ResumeFlags, withTemporaryFiles } from './run-job.ts';
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
    const checked = await checkLookup(manifest.volume, flagsOfManifest(manifest, own), report),
      files = await openLookupFiles(withTemporaryFiles(checked, folder, io), io, report);
    try {
      return await advising(folder, io, report, async () => {
        const { flags } = checked,
          warn = (message: string): void => report.warn(message),
          onProgress = own.quiet ? undefined : await report.startProgress();
        const options = { ...pointTableOptions(checked, { also: [] }), signal: io.signal, warn },
          input = files.input(folder.path);
        const summary = await files.writeOutput(
          async (sink) => {
            const summed = await withPlannedJob({ folder, job: manifest.job }, plan, async (planned) => {
              const counts = new JobCounts(plan.also),
                progress = new JobProgress(onProgress, counts, true),
                tasks = await readDoneTasks(planned, warn);
              addPresets(counts, plan);
              for (const { volumes } of tasks) counts.addCounted(volumes);
              const { outputs, sides } = plan,
                { replace = false } = flags;
              await warnOfFailedPoints(tasks, planned, { sides, prefixes: counts.prefixes }, warn);
              const source = openTable(input.source(), () => ({ outputs, replace }), options);
              const table = { source, sink: source.sinkTo(sink, flags.missing) };
              await mergeTasks(planned, tasks, table, {
                signal: io.signal,
                progress,
                verifies: true,
                listsFailures: !manifest.isTemporary,
              });
              const [pinned] = toPinnedDates(manifest.timestamps);
              return summarizeTimestamps(
                counts.summarize(plan.rows, sides),
                pinned,
                timestampsIn(tasks),
                flags.timestampColumn,
              );
            });
            await requireSameInputs(manifest.inputs);
            return summed satisfies TableSummary;
          },
          () => false,
        );
        report.done();
        if (!summary) return false;
        const { maxFailures } = flags;
        return reportJob({ folder, manifest, summary }, files, { ...own, maxFailures }, report);
      });
    } finally {
      await files.close();
    }
  } finally {
    unlock();
  }
}

/** Reads the plan of a job. @throws JobError JOB_MISSING, JOB_DAMAGED. */
export async function requirePlan(folder: JobFolder, { job }: JobManifest): Promise<JobPlan> {
  const plan = await readPlan(folder, job);
  if (!plan)
    throw new JobError('JOB_MISSING', `the job ${folder.path} is not planned yet: ${resumeAdvice(folder)}`);
  return plan;
}
