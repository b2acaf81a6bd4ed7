/** What people can do about a job that was stopped. */
import { TableError } from '../base/errors.ts';
import type { JobFolder } from '../jobs/job-folder.ts';
import { InterruptedError, type Io } from './io.ts';
import type { Report } from './report.ts';

/** Says how a job is resumed. */
export const resumeAdvice = ({ path }: JobFolder): string =>
  `graphene-points job resume ${quoteForShell(path)} goes on`;

/** Says how failed points are looked up again. */
export const retryAdvice = ({ path }: JobFolder): string =>
  `graphene-points job retry ${quoteForShell(path)} looks up again those that failed`;

/** Whether an error says that more points need attention than may. */
export const hasTooManyFailures = (error: unknown): boolean =>
  error instanceof TableError && error.code === 'TOO_MANY_FAILURES';

/** Quotes an argument for a shell, if it needs that. */
export const quoteForShell = (text: string): string =>
  /^[\w./+=:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Does some work on a job. After an interrupt, the error says how the job is resumed. */
export async function advising<T>(
  folder: JobFolder,
  { signal }: Io,
  report: Report,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    report.done();
    if (await folder.isCancelled()) {
      await folder.removeData();
      await folder.refuseCancelled();
    }
    if (hasTooManyFailures(error)) report.line(retryAdvice(folder));
    if (signal.aborted) throw new InterruptedError(`interrupted; ${resumeAdvice(folder)}`);
    throw error;
  }
}
