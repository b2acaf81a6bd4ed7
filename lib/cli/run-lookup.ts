/**
 * Runs `graphene-points lookup`: looks up the points of a table and writes the same rows with their answers.
 */
import { lookUpPointTable, type TableSummary } from '../jobs/point-table.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import { isColumnar } from '../tables/open-table.ts';
import type { Io } from './io.ts';
import {
  checkLookup,
  type LookupFlags,
  type OpenedLookup,
  openLookup,
  openLookupFiles,
  pointTableOptions,
  reportLookup,
} from './lookup-session.ts';
import type { Report } from './report.ts';
import { temporaryFolder } from '../table-files/temporary-folder.ts';
import { TemporaryJob } from './temporary-job.ts';

/** Runs the command. @returns Whether any row needs attention, and more than may. */
export async function runLookup(path: string, flags: LookupFlags, io: Io, report: Report): Promise<boolean> {
  const { signal } = io,
    checked = await checkLookup(path, flags, report);
  const files = await openLookupFiles(checked, io, report);
  let opened: OpenedLookup | undefined;
  try {
    opened = await openLookup(checked, signal, report);
    const { main, order, volumes } = opened;
    const rowsAreShown = flags.out === '-' && io.stdout.isTTY; // on the same terminal as the progress bar
    const folder = rowsAreShown ? undefined : await temporaryFolder(flags, io.env),
      input = files.input(folder),
      source = input.source();
    const onProgress = flags.quiet || rowsAreShown ? undefined : await report.startProgress();
    const warn = (message: string): void => report.warn(message);
    const job = rowsAreShown ? undefined : await TemporaryJob.prepare(checked);
    let writesRows = true;
    const outOfCore =
      folder === undefined
        ? undefined
        : {
            folder,
            order,
            startJob: () => job!.start(folder, opened!),
            reopen: () => ((writesRows = true), input.again()),
            fractionRead: () => input.fractionRead(),
            begin() {
              writesRows = false;
              volumes.muteCalls();
              input.requireAgain();
            },
            note: flags.quiet ? undefined : (message: string) => report.line(message),
          };
    const lookUp = (sink: ByteSink): Promise<TableSummary> =>
      lookUpPointTable(main, source, sink, {
        ...pointTableOptions(checked, opened!),
        outOfCore,
        signal,
        warn,
        onProgress,
      });
    const keepsRows = (): boolean => writesRows && !isColumnar(checked.written) && !job?.isResumable;
    const summary = await files.writeOutput(lookUp, keepsRows).catch(async (error: unknown) => {
      throw (await job?.keep(error, signal.aborted, report)) ?? error;
    });
    await job?.remove();
    report.done();
    if (!summary) return false; // the reader has closed the output
    return await reportLookup(summary, files, flags, report);
  } finally {
    await files.close();
    await opened?.volumes.close();
  }
}
