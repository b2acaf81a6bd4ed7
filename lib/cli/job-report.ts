/** What a job says when its output is written. */
import { join } from 'node:path';
import { writeFinished } from '../jobs/finished-job.ts';
import { FAILURES, type JobFolder } from '../jobs/job-folder.ts';
import type { JobManifest } from '../jobs/job-plan.ts';
import { needsAttention as anyNeedsAttention } from '../jobs/failure-bound.ts';
import type { TableSummary } from '../jobs/job-types.ts';
import type { DoneAgain } from '../jobs/done-again.ts';
import { retryAdvice } from './job-advice.ts';
import { type LookupFlags, reportLookup } from './lookup-session.ts';
import type { Report } from './report.ts';
import type { JobFiles } from './table-io.ts';

/** A job whose output is written. */
export interface WrittenJob {
  folder: JobFolder;
  manifest: JobManifest;
  summary: TableSummary & DoneAgain;
}

/** Reports what a job did, and notes that it is done. @returns Whether any row needs attention, and more than may. */
export async function reportJob(
  { folder, manifest, summary }: WrittenJob,
  files: Pick<JobFiles, 'writeStats'>,
  flags: Pick<LookupFlags, 'quiet' | 'maxFailures'>,
  report: Report,
): Promise<boolean> {
  const { retried, refreshed, also = {} } = summary;
  if (refreshed && !flags.quiet)
    report.line(
      `roots of ${refreshed.from} are refreshed to ${refreshed.to}: ${number(refreshed.expired)} of ${number(refreshed.roots)} roots have expired; ${number(refreshed.asked)} points were looked up, and ${number(refreshed.changed)} have another root; ${number(refreshed.rootRequests)} root requests${retried ? '' : ', no voxel was read'}`,
    );
  if (retried && !flags.quiet)
    report.line(
      `${number(retried.points)} failed ${retried.points === 1 ? 'point was' : 'points were'} looked up again: ${number(retried.answered)} ${retried.answered === 1 ? 'has' : 'have'} not failed again`,
    );
  const needsAttention = await reportLookup(summary, files, flags, report);
  const statuses = [summary, ...Object.values(also)].map((one) => one.statuses);
  if (!flags.quiet && !manifest.isTemporary && statuses.some(anyNeedsAttention)) {
    const mayHelp = statuses.some(
      ({ failed = 0, root_failed = 0, stale_supervoxel = 0 }) => failed + root_failed + stale_supervoxel > 0,
    );
    report.line(
      `the points that need attention are in ${join(folder.path, FAILURES)}${mayHelp ? `; ${retryAdvice(folder)}` : ''}`,
    );
  }
  await folder.removeDrafts();
  await writeFinished(folder, { output: manifest.output, needsAttention });
  return needsAttention;
}

const number = (n: number): string => n.toLocaleString('en-US');
