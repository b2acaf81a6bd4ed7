/** The files of a command on a table: what it reads, where it writes, and that none of them is another of them. */
import { fstatSync, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { onAbort } from '../base/abort.ts';
import {
  readFileBytes,
  readInputStream,
  ReaderClosedError,
  type ByteSink,
  streamSink,
} from '../tables/files/byte-streams.ts';
import { reasonNotWritable } from '../tables/file-kinds.ts';
import { claimOutput, type OutputFile, partialPath, followLinks } from '../tables/files/output-file.ts';
import { decompressTable } from '../tables/files/table-compression.ts';
import { InterruptedError, type Io, UsageError } from './io.ts';
import type { Report } from './report.ts';

export interface JobFileNames {
  /** What is read, by the option that names it; - is standard input. */
  input?: { option: string; file: string };
  /** - is standard output. */
  out: string;
  /** - is standard error. */
  stats?: string;
}

/** Of one job. Whoever opens them closes them. */
export interface JobFiles {
  /** What the input option names. */
  source(): AsyncIterable<Uint8Array>;
  /** Runs a job into the output. A partial file stays only after an interrupt. @returns undefined when the reader has left. */
  writeOutput<T>(job: (sink: ByteSink) => Promise<T>): Promise<T | undefined>;
  writeStats(json: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Takes the output files for this run, before anything is read or asked; the one for counts is opened, so that nobody waits for a job whose
 * counts cannot be written.
 * @throws UsageError for files that would write over each other; TableError IN_USE, UNREADABLE.
 */
export async function openJobFiles(names: JobFileNames, io: Io, report: Report): Promise<JobFiles> {
  const { input, out, stats } = names;
  const unwritten = reasonNotWritable(out);
  if (unwritten !== undefined) throw new UsageError(unwritten);
  await refuseClashes(names, io);
  const options = { warn: (message: string) => report.warn(message), signal: io.signal };
  const output = out === '-' ? undefined : await claimOutput(out, options);
  let counts: ByteSink | undefined;
  try {
    counts =
      stats === undefined
        ? undefined
        : stats === '-'
          ? streamSink(io.stderr, { name: 'standard error', signal: io.signal })
          : await (await claimOutput(stats, { ...options, option: '--stats' })).open();
  } catch (error) {
    output?.release();
    throw error;
  }
  // A job that fails may leave its source behind in the middle of a wait, which only an abort ends.
  const reading = new AbortController(),
    release = onAbort(io.signal, () => reading.abort(io.signal.reason));
  return {
    source: () =>
      input!.file === '-'
        ? decompressTable(readInputStream(io.stdin, reading.signal), 'standard input')
        : decompressTable(readFileBytes(input!.file, reading.signal), input!.file),
    writeOutput: (job) => intoOutput(output, io, job),
    async writeStats(json) {
      await counts?.write(Buffer.from(json));
      await counts?.finish();
    },
    async close() {
      release();
      reading.abort();
      output?.release();
      await counts?.abandon(false);
    },
  };
}

async function intoOutput<T>(
  output: OutputFile | undefined,
  { stdout, signal }: Io,
  job: (sink: ByteSink) => Promise<T>,
): Promise<T | undefined> {
  const sink = output ? await output.open() : streamSink(stdout, { signal });
  try {
    const result = await job(sink);
    await sink.finish();
    return result;
  } catch (error) {
    const left = await sink.abandon(signal.aborted);
    if (error instanceof ReaderClosedError) return undefined;
    throw left === undefined ? error : new InterruptedError(`interrupted; the rows so far are in ${left}`);
  }
}

/** A file that a job reads or writes. */
interface Place {
  /** `--out out.csv`, `standard output` */
  called: string;
  /** Where the bytes are, or will be; undefined for what is not a file. */
  id: string | undefined;
}

/** Only `--out` may be the input's own file: the new table takes its place once it is whole. */
async function refuseClashes({ input, out, stats }: JobFileNames, io: Io): Promise<void> {
  const read: Place[] = [],
    written: (Place & { option: string; path: string })[] = [],
    streams: Place[] = [];
  if (input) {
    const { option, file } = input;
    read.push(
      file === '-'
        ? { called: 'standard input', id: streamId(io.stdin) }
        : { called: `${option} ${file}`, id: fileId(file) },
    );
  }
  streams.push(
    { called: 'standard output', id: streamId(io.stdout) },
    { called: 'standard error', id: streamId(io.stderr) },
  );
  for (const [option, path] of [
    ['--out', out],
    ['--stats', stats],
  ] as const)
    if (path !== undefined && path !== '-') {
      if (MADE_BY_US.test(path))
        throw new UsageError(
          `${option} ${path} has a name of the files that a run makes while it writes: name it otherwise`,
        );
      written.push({ called: `${option} ${path}`, id: await outputId(path), option, path });
    }
  for (const [k, { called, id, option, path }] of written.entries()) {
    const partial = fileId(partialPath(await followLinks(path)), lstatSync);
    for (const other of [...read, ...written.slice(0, k), ...streams]) {
      if (other.id === undefined) continue;
      const isPartial = other.id === partial,
        inPlace = option === '--out' && read.includes(other);
      if (isPartial)
        throw new UsageError(
          `${other.called} is the file that ${called} is written to before it is whole: rename it first`,
        );
      if (other.id === id && !inPlace)
        throw new UsageError(`${called} would write over ${other.called}: they are the same file`);
    }
  }
  if (out === '-' && read[0]?.id !== undefined && read[0].id === streams[0].id)
    throw new UsageError(
      `standard output is ${read[0].called}: name the file with --out, which may be the input`,
    );
}

const MADE_BY_US = /\.(partial|lock)$/;

const idOf = (stats: Stats | undefined): string | undefined =>
  stats?.isFile() ? `${stats.dev}:${stats.ino}` : undefined;

function fileId(
  path: string,
  read: (path: string, options: { throwIfNoEntry: false }) => Stats | undefined = statSync,
): string | undefined {
  try {
    return idOf(read(path, { throwIfNoEntry: false }));
  } catch {
    return undefined; // it is told when it is opened
  }
}

/** Also of a file that is not there yet. */
async function outputId(path: string): Promise<string | undefined> {
  const present = fileId(path);
  if (present !== undefined) return present;
  try {
    if (statSync(path, { throwIfNoEntry: false })) return undefined; // a FIFO or a device
    const target = await followLinks(path);
    return join(realpathSync(dirname(target)), basename(target));
  } catch {
    return undefined;
  }
}

/** A redirected stream is a file. */
function streamId(stream: object): string | undefined {
  const { fd } = stream as { fd?: unknown };
  if (typeof fd !== 'number') return undefined;
  try {
    return idOf(fstatSync(fd));
  } catch {
    return undefined;
  }
}
