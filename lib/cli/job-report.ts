/** What a job says when its output is written. */
import { join } from 'node:path';
import { writeFinished } from '../jobs/finished-job.ts';
import { FAILURES, type JobFolder } from '../jobs/job-folder.ts';
import type { JobManifest } from '../jobs/job-plan.ts';
import { needsAttention as anyNeedsAttention } from '../jobs/failure-bound.ts';
import type { TableSummary } from '../jobs/point-table.ts';
import { type LookupFlags, reportLookup } from './lookup-session.ts';
import type { Report } from './report.ts';
import type { JobFiles } from './table-io.ts';

/** A job whose output is written. */
export interface WrittenJob {
  folder: JobFolder;
  manifest: JobManifest;
  summary: TableSummary;
}

/** Reports what a job did, and notes that it is done. @returns Whether any row needs attention, and more than may. */
export async function reportJob(
  { folder, manifest, summary }: WrittenJob,
  files: Pick<JobFiles, 'writeStats'>,
  flags: Pick<LookupFlags, 'quiet' | 'maxFailures'>,
  report: Report,
): Promise<boolean> {
  const needsAttention = await reportLookup(summary, files, flags, report);
  const counts = [summary, ...Object.values(summary.also ?? {})];
  if (!flags.quiet && !manifest.isTemporary && counts.some(({ statuses }) => anyNeedsAttention(statuses)))
    report.line(`the points that need attention are in ${join(folder.path, FAILURES)}`);
  await writeFinished(folder, { output: manifest.output, needsAttention });
  return needsAttention;
}
