/**
 * Looks up a table that is larger than one batch so that each chunk is read about once. The points are sorted
 * by chunk on disk, looked up window by window, and their answers are joined to the rows in the order of the
 * input.
 */
import { TableError } from '../base/errors.ts';
import { PointStatus } from '../points/status.ts';
import type { PlacedPoints } from '../points/chunk-order.ts';
import { AnswerLayout } from '../spill/answer-layout.ts';
import { AnswerSpool } from '../spill/answer-spool.ts';
import { PointSpill, type RunSlice } from '../spill/point-spill.ts';
import { sortRun } from '../spill/sorted-run.ts';
import { formatSize, requireSpace, TemporaryFile } from '../spill/temporary-file.ts';
import type { RowAnswers } from '../tables/answers.ts';
import type { TableInput } from '../tables/files/table-input.ts';
import type { Batch, TableSink, TableSource } from '../tables/table.ts';
import type { RowOptions } from './answer-table.ts';
import { flagIntegers } from './coordinate-kinds.ts';
import { FailureLog } from './failure-log.ts';
import { JobCounts, type RowCounts } from './job-counts.ts';
import { JobProgress } from './job-progress.ts';
import { messageWithCauses } from './messages.ts';
import { runPipeline } from './pipeline.ts';
import type { LookupAnswers, PointBatch, PointLookup, PointTimestamps } from './point-lookup.ts';
import type { PointRows } from './point-rows.ts';
import { timestampsOf } from './row-timestamps.ts';
import { MAX_WARNINGS, type RowWarnings } from './row-warnings.ts';
import { loadWindows, type Window, type WindowSizes } from './spilled-windows.ts';

/** How large tables are looked up. */
export interface OutOfCoreOptions extends Partial<WindowSizes> {
  /** Finds the chunks of points of the main volume. */
  order: { place(points: Float64Array): PlacedPoints };
  /** The folder of the temporary files. */
  folder: string;
  /** Opens the table again. @throws TableError if they have changed. */
  reopen: () => AsyncIterable<Uint8Array> | TableInput;
  /** Returns which part of the table has been read, from 0 to 1; undefined if that is unknown. */
  fractionRead?: () => number | undefined;
  /**
   * Called when the table turns out to be large, before its points are sorted. What it throws ends the job.
   */
  begin?: () => void;
  /** Receives what the job needs and does, for people. */
  note?: (message: string) => void;
}

/** A table that is looked up out of core, and its volumes. */
export interface OutOfCoreJob<B extends Batch> {
  rows: PointRows;
  rowWarnings: RowWarnings;
  /** The main look-up, then the others. */
  lookups: readonly PointLookup[];
  /** The names of the other volumes. */
  also: readonly string[];
  lookUp: (batch: PointBatch) => Promise<LookupAnswers>;
  /** The table, to read its points. */
  source: TableSource;
  /** The number of rows of the table, as far as it is known. */
  expectedRows: number | undefined;
  /** Opens the table again, to write its rows. */
  openAgain(): { source: TableSource<B>; sink: TableSink<B> };
}

/** Looks up and writes every row. @throws TableError. */
export async function answerOutOfCore<B extends Batch>(
  job: OutOfCoreJob<B>,
  sizes: WindowSizes,
  outOfCore: OutOfCoreOptions,
  options: RowOptions,
): Promise<RowCounts> {
  const counts = new JobCounts(job.also),
    progress = new JobProgress(options.onProgress, counts, true);
  const opened: TemporaryFile[] = [];
  const openFile = async (): Promise<TemporaryFile> => {
    const file = await TemporaryFile.create(outOfCore.folder);
    opened.push(file);
    return file;
  };
  try {
    const { spill, rows } = await counts.time('sorting', () =>
      closing(job.source, async () => {
        outOfCore.begin?.();
        const made = new PointSpill(await openFile(), sizes.samplePoints);
        return { spill: made, rows: await spillRows(job, made, outOfCore, options, counts, progress) };
      }),
    );
    await requireSpace(outOfCore.folder, pointsOf(spill) * answerBytes(job.lookups));
    const file = await openFile();
    const spool = await counts.time('looking up', () =>
      answerWindows(job, spill, file, sizes, outOfCore, options, counts, progress),
    );
    job.rowWarnings.summarize();
    const again = job.openAgain(),
      sides = job.rows.sides.length;
    await counts.time('writing', () =>
      closing(again.source, () =>
        writeRows(
          again,
          rows,
          ({ firstRow, rows: count }) => spool.readRows(firstRow, count, sides),
          options,
          progress,
        ),
      ),
    );
    return counts.summarize(rows, job.rows.sides);
  } finally {
    await Promise.all(opened.map((file) => file.close().catch(() => undefined)));
  }
}

/** Does some work, and closes a source after it. */
async function closing<T>(source: TableSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await source.close?.();
  }
}

/** Reads the table, warns about its rows and keeps their points. @returns The number of rows. */
async function spillRows<B extends Batch>(
  { rows: pointRows, rowWarnings, lookups, source, expectedRows }: OutOfCoreJob<B>,
  spill: PointSpill,
  { order, folder, note, fractionRead }: OutOfCoreOptions,
  options: RowOptions,
  counts: JobCounts,
  progress: JobProgress,
): Promise<number> {
  let rows = 0;
  await runPipeline(
    {
      batches: source.batches(),
      lookUp: async (batch) => {
        const { timestamps, problemOf } = pointRows.prepare(batch);
        rowWarnings.report(batch, problemOf);
        rows += batch.rows;
        pointRows.noteNumbers(batch);
        const { points, pointStatus } = batch;
        counts.addPreset(pointStatus);
        const times = timestamps && timesOf(timestamps);
        return sortRun({ points, pointStatus, timestamps: times }, order.place(points), spill.samplePoints);
      },
      write: async (batch, run) => {
        await spill.append(run, batch);
        progress.report('sorting', batch.firstRow - 1 + batch.rows, fractionRead?.());
        if (spill.runs.length > 1) return;
        const perRow = spill.bytes / Math.max(1, batch.rows) + pointRows.sides.length * answerBytes(lookups);
        if (expectedRows !== undefined) await requireSpace(folder, expectedRows * perRow - spill.bytes);
        const size = expectedRows === undefined ? '' : ` about ${formatSize(expectedRows * perRow)} of`;
        note?.(
          `the table is large: its points are sorted by chunk first, in${size} temporary files in ${folder}`,
        );
      },
    },
    options.signal,
  );
  return rows;
}

/** Looks up all points, window by window, and keeps their answers. */
async function answerWindows<B extends Batch>(
  { rows: { sides, namesVoxels }, lookups, lookUp, source }: OutOfCoreJob<B>,
  spill: PointSpill,
  file: TemporaryFile,
  sizes: WindowSizes,
  { order }: OutOfCoreOptions,
  { warn = () => {}, onProgress, signal }: RowOptions,
  counts: JobCounts,
  progress: JobProgress,
): Promise<AnswerSpool> {
  const { rowName = (row: number) => `row ${row}` } = source;
  const logs = counts.volumes.map(() => new FailureLog());
  const total = sides.length * spill.runs.reduce((sum, { rows }) => sum + rows, 0),
    toLookUp = pointsOf(spill);
  let points = 0,
    spool: AnswerSpool | undefined;
  /** Reports how far the look-up is. */
  const report = (done: number, chunksInCall = 0): void =>
    progress.report(
      'looking up',
      Math.floor(done / sides.length),
      toLookUp > 0 ? done / toLookUp : undefined,
      chunksInCall,
    );
  await runPipeline<Window, LookupAnswers>(
    {
      batches: loadWindows(spill, sizes, order),
      lookUp: async (window, windowSignal) => {
        const before = points;
        points += window.points.length / 3;
        const { timestamps } = window;
        const answers = await lookUp({
          points: window.points,
          integers: namesVoxels && (await integersOf(spill, window, namesVoxels, sides.length)),
          timestamps: timestamps && timestampsOf(timestamps),
          signal: windowSignal,
          onProgress:
            onProgress &&
            (({ chunksDone, chunks }) =>
              report(before + (chunks > 0 ? (chunksDone / chunks) * (points - before) : 0), chunksDone)),
        });
        counts.add(answers);
        report(points);
        for (const [k, log] of logs.entries())
          await logFailures(k === 0 ? answers : answers.also![k - 1], window.slices, spill, log);
        return answers;
      },
      write: async ({ slices }, answers) => {
        spool ??= new AnswerSpool(file, spill, new AnswerLayout(answers));
        await spool.write(slices, answers);
      },
    },
    signal,
  );
  for (const [run, { firstRow, rows }] of spill.runs.entries())
    for (const [k, { prefix }] of counts.volumes.entries()) {
      const failures = logs[k].of(run);
      for (const { place, text } of failures) {
        const side = sides.length > 1 ? ` (${sides[Math.floor(place / rows)]})` : '';
        warn(`${prefix}${rowName(firstRow + (place % rows))}${side}: ${text}`);
      }
      if (failures.length === MAX_WARNINGS) warn(`${prefix}there may be more failures`);
    }
  for (const [k, { prefix, counts: byStatus, stats }] of counts.volumes.entries())
    for (const message of lookups[k].describeMisses?.(byStatus, total, stats.chunks) ?? [])
      warn(prefix + message);
  return spool!;
}

/** Writes all rows of the table with their answers. */
async function writeRows<B extends Batch>(
  { source, sink }: { source: TableSource<B>; sink: TableSink<B> },
  rows: number,
  answersOf: (batch: B) => Promise<RowAnswers>,
  { signal }: RowOptions,
  progress: JobProgress,
): Promise<void> {
  let written = 0;
  const requireRows = (isSame: boolean): void => {
    if (!isSame)
      throw new TableError('UNREADABLE', 'the table has changed while it was read: run the command again');
  };
  await runPipeline(
    {
      batches: source.batches(),
      lookUp: async (batch) => {
        if (batch.readError) throw batch.readError.error;
        requireRows(batch.firstRow === written + 1 && written + batch.rows <= rows);
        written += batch.rows;
        return answersOf(batch);
      },
      async write(batch, answers) {
        await sink.write(batch, answers);
        const done = batch.firstRow - 1 + batch.rows;
        progress.report('writing', done, rows > 0 ? done / rows : undefined);
      },
    },
    signal,
  );
  requireRows(written === rows);
  await sink.finish();
}

/** Notes the failed points of a window by their batches and places. */
async function logFailures(
  { status, errors }: LookupAnswers,
  slices: readonly RunSlice[],
  spill: PointSpill,
  log: FailureLog,
): Promise<void> {
  if (!status.includes(PointStatus.failed) && !status.includes(PointStatus.rootFailed)) return;
  const places: Uint32Array[] = [];
  for (const slice of slices) places.push(await spill.readPlaces(slice));
  let k = 0,
    before = 0,
    last = -1;
  for (const { index, status: text, error } of errors()) {
    if (!error) continue;
    if (index < last) k = before = 0; // the errors of roots come after those of points
    last = index;
    while (index >= before + places[k].length) before += places[k++].length;
    const place = places[k][index - before];
    log.add(slices[k].run, place, error.message, () => `${text}: ${messageWithCauses(error)}`);
  }
}

/** Flags the coordinates of a window that name voxels. */
async function integersOf(
  spill: PointSpill,
  { points, slices }: Window,
  namesVoxels: readonly boolean[],
  sides: number,
): Promise<Uint8Array> {
  const count = points.length / 3;
  if (sides === 1) return flagIntegers(namesVoxels, count, () => 0);
  const sideOf = new Uint32Array(count);
  let at = 0;
  for (const slice of slices)
    for (const place of await spill.readPlaces(slice))
      sideOf[at++] = Math.floor(place / spill.runs[slice.run].rows);
  return flagIntegers(namesVoxels, count, (point) => sideOf[point]);
}

/** Returns the timestamp of each point in ms, NaN for that of the job. A removed point has any. */
const timesOf = ({ indices, timestamps }: PointTimestamps): Float64Array => {
  const ms = Float64Array.from(timestamps, (timestamp) => timestamp.getTime());
  return Float64Array.from(indices, (index) => (index < 0 ? NaN : ms[index]));
};

/** Returns the bytes of the answers of a point, or a little more. */
const answerBytes = (lookups: readonly PointLookup[]): number =>
  lookups.reduce(
    (sum, { kind, channels, snaps }) => sum + 8 * channels + (kind === 'graph' ? 8 : 0) + (snaps ? 4 : 0) + 1,
    0,
  );

const pointsOf = ({ runs }: PointSpill): number => runs.reduce((sum, { count }) => sum + count, 0);
