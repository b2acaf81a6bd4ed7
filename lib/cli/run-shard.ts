/** Does the tasks of one shard of a planned job, beside other shards on other machines. */
import { JobCounts } from '../jobs/job-counts.ts';
import { missingTasks, readDoneTasks, withPlannedJob } from '../jobs/job-files.ts';
import { JobFolder } from '../jobs/job-folder.ts';
import { readManifest, startedJob } from '../jobs/job-plan.ts';
import { JobProgress } from '../jobs/job-progress.ts';
import { WINDOW_SIZES } from '../jobs/plan-tasks.ts';
import { preparePointWork } from '../jobs/point-table.ts';
import { runTasks } from '../jobs/run-tasks.ts';
import { type Io, UsageError } from './io.ts';
import { advising } from './job-advice.ts';
import { flagsOfManifest, type JobFlags, type JobShard } from './job-flags.ts';
import type { Report } from './report.ts';
import { beginReport, withOpened } from './run-job.ts';
import { checkLookup, type OpenedLookup, pointTableOptions } from './lookup-session.ts';
import { requirePlan } from './run-merge.ts';

/** The flags that a shard may have. The plan has fixed the others. */
const OWN_FLAGS = new Set(['job', 'shard', 'quiet', 'report']);

/**
 * Does the tasks of a shard that are not done. The output is not written.
 * @param given The inputs and the names of the flags on the command line.
 * @throws UsageError for what the plan has fixed.
 */
export async function runShard(
  { index, of }: JobShard,
  given: readonly string[],
  { job: path, quiet, report: isAsked }: Pick<JobFlags, 'job' | 'quiet' | 'report'>,
  io: Io,
  report: Report,
): Promise<void> {
  const fixed = given.find((name) => !OWN_FLAGS.has(name));
  if (fixed !== undefined)
    throw new UsageError(
      `--shard is for a job that is planned, which has its inputs and flags: leave out ${fixed}`,
    );
  const folder = new JobFolder(path),
    manifest = await readManifest(folder),
    warn = (message: string): void => report.warn(message);
  await folder.refuseCancelled();
  const plan = await requirePlan(folder, manifest);
  const flags = flagsOfManifest(manifest, { quiet, report: isAsked }),
    checked = await checkLookup(manifest.volume, flags, report),
    told = await beginReport(`shard ${index}/${of}`, folder, flags, report);
  const lookUp = async (opened: OpenedLookup): Promise<void> => {
    const counts = new JobCounts(plan.also),
      progress = new JobProgress(quiet ? undefined : await report.startProgress(), counts, true),
      { lookUp: find } = preparePointWork(opened.main, pointTableOptions(checked, opened)),
      own = new Set([...plan.tasks.keys()].filter((task) => task % of === index));
    opened.volumes.muteCalls();
    const work = async (): Promise<string> =>
      withPlannedJob(startedJob(folder, manifest), plan, async (planned) => {
        const done = await readDoneTasks(planned, warn, own),
          missing = missingTasks(plan, done).filter((task) => own.has(task));
        const { windowChunks } = WINDOW_SIZES,
          beforeTask = (): Promise<void> => folder.refuseCancelled(),
          how = {
            order: opened.order,
            windowChunks,
            beforeTask,
            onTask: told?.onTask,
            lookUp: find,
            counts,
            progress,
          };
        await runTasks({ ...planned, ...how }, missing, io.signal);
        return `shard ${index}/${of}: ${missing.length} tasks are done now, ${done.length} were done before`;
      });
    const line = await advising(folder, io, report, work);
    report.done();
    if (!quiet) report.line(line);
  };
  // A shard writes no report, as others are at work, but its record is for the report of the whole job.
  try {
    await withOpened(checked, manifest, io, report, lookUp, told);
    await told?.keep({ outcome: 'done' });
  } catch (error) {
    await told?.keep({ outcome: io.signal.aborted ? 'interrupted' : 'failed', error }).catch(() => undefined);
    throw error;
  }
}
