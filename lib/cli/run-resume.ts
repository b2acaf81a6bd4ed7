/** Goes on with a job that was stopped, and looks up its failed points again. */
import { JobError } from '../base/errors.ts';
import { readFinished } from '../jobs/finished-job.ts';
import { requireSameInputs } from '../jobs/input-identity.ts';
import { JobFolder } from '../jobs/job-folder.ts';
import { readManifest, startedJob } from '../jobs/job-plan.ts';
import { readPending } from '../jobs/pending-step.ts';
import { findRetry } from '../jobs/retry-tasks.ts';
import type { Io } from './io.ts';
import { resumeAdvice } from './job-advice.ts';
import type { Report } from './report.ts';
import { flagsOfManifest } from './job-flags.ts';
import { beginReport, reopenAndGoOn, reporting, type ResumeFlags } from './run-job.ts';
import { goOnRefreshing } from './run-refresh.ts';

/**
 * Goes on with a job.
 * @param retries Whether its failed points are looked up again.
 * @returns Whether any row needs attention, and more than may.
 */
export async function resumeJob(
  path: string,
  own: ResumeFlags,
  retries: boolean,
  io: Io,
  report: Report,
): Promise<boolean> {
  const folder = new JobFolder(path),
    manifest = await readManifest(folder);
  await folder.refuseCancelled();
  const unlock = await folder.lock((message) => report.warn(message));
  let isDone = false;
  try {
    const started = startedJob(folder, manifest),
      begun = await readPending(folder);
    if (begun?.step === 'refresh') {
      if (retries)
        throw new JobError(
          'JOB_INCOMPLETE',
          `a refresh of ${folder.path} was stopped: ${resumeAdvice(folder)}; retry then`,
        );
      return await goOnRefreshing({ folder, manifest, pending: begun }, own, io, report);
    }
    const finished = await readFinished(folder),
      pending = begun ?? (retries ? await findRetry(started) : undefined);
    if (finished && !pending) {
      report.line(`the job is done${retries ? ', and no point has failed' : ''}: ${finished.output}`);
      return finished.needsAttention;
    }
    await requireSameInputs(manifest.inputs);
    const step = pending ? 'retry' : 'resume',
      told = await beginReport(step, folder, flagsOfManifest(manifest, own), report);
    const needsAttention = await reporting(told, io, () =>
      reopenAndGoOn({ started, manifest, pending, told }, own, io, report),
    );
    isDone = true;
    return needsAttention;
  } finally {
    unlock();
    if (isDone && manifest.isTemporary) await folder.remove();
  }
}
