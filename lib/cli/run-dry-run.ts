/** Runs `--dry-run` of `lookup` and `job`: prints what a look-up is expected to cost. Writes nothing. */
import { ROOT_BATCH_SIZE } from '../chunkedgraph/roots/root-batcher.ts';
import { estimateLookup } from '../jobs/estimate-lookup.ts';
import { JobCounts } from '../jobs/job-counts.ts';
import { JobProgress } from '../jobs/job-progress.ts';
import { preparePointWork } from '../jobs/point-table.ts';
import { openInputs } from '../table-files/open-files.ts';
import { temporaryFolder } from '../table-files/temporary-folder.ts';
import { openTable } from '../tables/open-table.ts';
import { estimateText } from './estimate-text.ts';
import type { Io } from './io.ts';
import { toJsonLine } from './json-line.ts';
import { type CheckedLookup, lookupOfFlags, openLookup, pointTableOptions } from './lookup-session.ts';
import type { Report } from './report.ts';
import { withStandardInput } from './table-io.ts';

/** With `--concurrency auto`, so many chunks are sampled at once. */
const SAMPLED_AT_ONCE = 16;

/**
 * Prints the estimate to standard output.
 * @param taskPoints About how many points a task has.
 * @returns Whether a chunk of the sample failed.
 */
export async function runDryRun(
  checked: CheckedLookup,
  taskPoints: number,
  io: Io,
  report: Report,
): Promise<boolean> {
  const { path, flags, tables } = checked,
    { signal } = io;
  const input = openInputs(
    withStandardInput(tables, io.stdin),
    signal,
    await temporaryFolder(flags, io.env),
    false,
  );
  try {
    const opened = await openLookup(checked, signal, report);
    try {
      const { volumes, main, also } = opened,
        warn = (message: string): void => report.warn(message),
        options = { ...pointTableOptions(checked, opened), warn, signal };
      const { rows, rowWarnings } = preparePointWork(main, options),
        volumesOfRows = volumes.surveys(lookupOfFlags(path, flags), { main, also }),
        onProgress = flags.quiet ? undefined : await report.startProgress(),
        progress = new JobProgress(onProgress, new JobCounts(), false),
        { concurrency = 'auto' } = flags as { concurrency?: number | 'auto' };
      const table = openTable(input.source(), rows.choose, options);
      const estimate = await estimateLookup(table, {
        rows,
        rowWarnings,
        volumes: volumesOfRows,
        taskPoints,
        rootBatchSize: ROOT_BATCH_SIZE,
        atOnce: concurrency === 'auto' ? SAMPLED_AT_ONCE : concurrency,
        hasOwnTimestamps: flags.timestampColumn !== undefined,
        signal,
        warn,
        onRows: (count) => progress.report('sorting', count, input.fractionRead()),
      }).finally(() => table.close?.());
      report.done();
      io.stdout.write(flags.json ? toJsonLine(estimate, true) : estimateText(estimate));
      return estimate.volumes.some(({ sample }) => sample.failed > 0);
    } finally {
      await opened.volumes.close();
    }
  } finally {
    await input.close();
  }
}
