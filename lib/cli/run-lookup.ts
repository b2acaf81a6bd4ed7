/**
 * Runs `graphene-points lookup`: looks up the points of a table and writes the same rows with their answers.
 */
import { WINDOW_SIZES } from '../jobs/plan-tasks.ts';
import { ShownPoints } from '../lookup-table/shown-points.ts';
import { lookUpInto } from '../lookup-table/table-lookup.ts';
import { DEFAULT_MAX_POINTS } from '../neuroglancer/state-of-answers.ts';
import { temporaryFolder } from '../table-files/temporary-folder.ts';
import { isColumnar } from '../tables/open-table.ts';
import type { Io } from './io.ts';
import type { LookupReport } from './lookup-report.ts';
import {
  checkLookup,
  type LookupFlags,
  lookupOfFlags,
  type OpenedLookup,
  openLookup,
  openLookupFiles,
  reportLookup,
} from './lookup-session.ts';
import type { Report } from './report.ts';
import { TemporaryJob } from './temporary-job.ts';
import { checkStateFlags, writesState, writeState, type WrittenStateFlags } from './write-state.ts';

/** Runs the command. @returns Whether any row needs attention, and more than may. */
export async function runLookup(
  path: string,
  flags: LookupFlags & WrittenStateFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  await checkStateFlags(flags);
  const { signal } = io,
    checked = await checkLookup(path, flags, report, '--points', io);
  if (flags.dryRun) {
    const { runDryRun } = await import('./run-dry-run.ts');
    return runDryRun(checked, WINDOW_SIZES.windowPoints, io, report);
  }
  const files = await openLookupFiles(checked, io, report);
  let opened: OpenedLookup | undefined, told: LookupReport | undefined;
  try {
    if (flags.report !== undefined)
      told = new (await import('./lookup-report.ts')).LookupReport(checked, files, report);
    opened = await openLookup(checked, signal, report, { watch: told?.watch });
    const shown = writesState(flags)
      ? new ShownPoints(flags.neuroglancerPoints ?? DEFAULT_MAX_POINTS)
      : undefined;
    shown?.watch(opened.main);
    const rowsAreShown = flags.out === '-' && io.stdout.isTTY; // on the same terminal as the progress bar
    const folder = rowsAreShown ? undefined : await temporaryFolder(flags, io.env),
      ready = {
        lookup: lookupOfFlags(path, checked.flags),
        formats: checked,
        opened,
        input: files.input(folder),
      };
    const onProgress = flags.quiet || rowsAreShown ? undefined : await report.startProgress(),
      job = rowsAreShown ? undefined : await TemporaryJob.prepare(checked);
    let writesRows = true;
    const running = {
      folder,
      signal,
      onProgress,
      warn: (message: string) => report.warn(message),
      note: flags.quiet ? undefined : (message: string) => report.line(message),
      startJob: () => job!.start(folder!, ready.opened),
      onSorting: () => void (writesRows = false),
      onWriting: () => void (writesRows = true),
    };
    const keepsRows = (): boolean => writesRows && !isColumnar(checked.written) && !job?.isResumable;
    const summary = await files
      .writeOutput((sink) => lookUpInto(sink, ready, running), keepsRows)
      .catch(async (error: unknown) => {
        throw (await job?.keep(error, signal.aborted, report)) ?? error;
      });
    await job?.remove();
    report.done();
    await told?.write(summary);
    told = undefined;
    if (!summary) return false; // the reader has closed the output
    if (shown) await writeState(shown, opened.volumes.forViewer(path), flags, io, report);
    return await reportLookup(summary, files, flags, report);
  } catch (error) {
    await told?.writeFailed(error, signal.aborted);
    throw error;
  } finally {
    await files.close();
    await opened?.volumes.close();
  }
}
