/** `graphene-points lookup`: flags to a job on a table. */
import { writeFile } from 'node:fs/promises';
import type { LruEncoding } from '../chunks/reencoding-source.ts';
import { parseTimestamp } from '../chunkedgraph/timestamp.ts';
import { fileSink, readFileBytes, ReaderGone, readStream, type Sink, streamSink } from '../jobs/files.ts';
import { formatOfFile, type FormatName } from '../jobs/format.ts';
import { graphLookup, type Lookup, valueLookup } from '../jobs/lookup.ts';
import { lookupTable, type TableSummary } from '../jobs/lookup-table.ts';
import { type Io, UsageError } from './io.ts';
import { isGraphene, openVolume } from './open.ts';
import type { Report } from './report.ts';

export interface LookupFlags {
  points: string;
  out: string;
  format?: FormatName;
  columns?: [string, string, string];
  position?: string;
  replace?: boolean;
  resolution?: number[];
  mip?: number;
  snapNm?: number;
  timestamp?: string;
  timestampColumn?: string;
  stopLayer?: number;
  supervoxelsOnly?: boolean;
  dataDir?: string;
  lruBytes?: number;
  lruEncoding?: LruEncoding;
  concurrency?: number;
  stats?: string;
  strict?: boolean;
  quiet?: boolean;
}

const GRAPH_FLAGS = ['timestamp', 'timestampColumn', 'stopLayer', 'supervoxelsOnly', 'dataDir'] as const;

/** Statuses a user has to do something about. */
const BAD_STATUSES = ['failed', 'root_failed', 'no_root', 'suspect', 'invalid_point'];

/** @returns whether any row needs attention. */
export async function lookup(path: string, flags: LookupFlags, io: Io, report: Report): Promise<boolean> {
  const { resolution, mip, snapNm, dataDir, lruBytes, lruEncoding, concurrency, stopLayer, supervoxelsOnly, timestampColumn, replace, strict } = flags;
  const { signal } = io;
  const format = formatOf(flags, report);
  const misplaced = isGraphene(path) ? [] : GRAPH_FLAGS.filter((name) => flags[name] !== undefined);
  if (misplaced.length > 0) throw new UsageError(`--${misplaced[0].replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} is for graphene:// paths`);
  const timestamp = flags.timestamp === undefined || flags.timestamp === 'now' ? undefined : parseTimestamp(flags.timestamp);

  const volume = await openVolume(path, { mip, dataDir, lruBytes, lruEncoding, concurrency, signal, logger: report });
  try {
    const read = { resolution, mip, snap: snapNm === undefined ? undefined : { radiusNm: snapNm } };
    const asked: Lookup = volume.graph ? graphLookup(volume.graph, { ...read, timestamp, stopLayer, supervoxelsOnly }) : valueLookup(volume.plain, read);
    const source = flags.points === '-' ? readStream(io.stdin, signal) : readFileBytes(flags.points, signal);
    const onProgress = flags.quiet ? undefined : await report.startProgress();
    const point = flags.position !== undefined ? ([flags.position] as const) : (flags.columns ?? (['x', 'y', 'z'] as const));
    const warn = (message: string): void => report.warn(message);
    const summary = await intoSink(flags.out, io, (sink) => lookupTable(asked, source, sink, { format, point, timestampColumn, replace, strict, signal, warn, onProgress }));
    report.done();
    if (!summary) return false; // nobody reads on
    if (flags.stats !== undefined) await writeStats(flags.stats, summary, io);
    if (!flags.quiet) report.line(describe(summary));
    return BAD_STATUSES.some((status) => summary.statuses[status] > 0);
  } finally {
    await (volume.graph ?? volume.plain).close();
  }
}

function formatOf({ points, out, format }: LookupFlags, report: Report): FormatName {
  const input = format ?? (points === '-' ? 'csv' : formatOfFile(points));
  if (!input) throw new UsageError(`the format of ${points} is not known by its suffix: add --format csv, tsv or jsonl`);
  const output = out === '-' ? undefined : formatOfFile(out);
  if (output && output !== input) report.warn(`${out} will hold ${input}, the format of the input`);
  return input;
}

/** Runs a job into a file or standard output. A partial file stays only after an interrupt. @returns undefined when the reader has left. */
async function intoSink<T>(out: string, io: Io, job: (sink: Sink) => Promise<T>): Promise<T | undefined> {
  const sink = out === '-' ? streamSink(io.stdout) : await fileSink(out);
  try {
    const result = await job(sink);
    await sink.finish();
    return result;
  } catch (error) {
    await sink.abandon(io.signal.aborted);
    if (error instanceof ReaderGone) return undefined;
    throw error;
  }
}

async function writeStats(file: string, { rows, statuses, timestamp, stats }: TableSummary, io: Io): Promise<void> {
  const text = `${JSON.stringify({ timestamp: timestamp?.toISOString() ?? null, rows, statuses, ...stats }, null, 2)}\n`;
  if (file === '-') io.stderr.write(text);
  else await writeFile(file, text);
}

function describe({ rows, statuses, timestamp, stats }: TableSummary): string {
  const count = (n: number, what: string): string => `${n.toLocaleString('en-US')} ${what}`;
  const byStatus = Object.entries(statuses).sort(([, a], [, b]) => b - a);
  return [
    `${count(rows, rows === 1 ? 'row' : 'rows')}${byStatus.length > 0 ? `: ${byStatus.map(([status, n]) => count(n, status)).join(', ')}` : ''}`,
    ...(timestamp ? [`roots as of ${timestamp.toISOString()}`] : []),
    `${count(stats.requests, 'storage requests')}, ${count(stats.bytes, 'bytes')}, ${count(stats.rootRequests, 'root requests')}`,
  ].join('; ');
}
