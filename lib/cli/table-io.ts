/**
 * Opens the input and output files of a job, and checks that no output overwrites another file of the job.
 */
import { fstatSync, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { onAbort } from '../base/abort.ts';
import {
  readInputStream,
  ReaderClosedError,
  type ByteSink,
  streamSink,
} from '../tables/files/byte-streams.ts';
import { reasonNotWritable } from '../tables/file-kinds.ts';
import { formatOfFile, type FormatName } from '../tables/formats.ts';
import { claimOutput, type OutputFile, partialPath, followLinks } from '../tables/files/output-file.ts';
import { fileInput, streamInput } from '../tables/files/table-input.ts';
import { InterruptedError, type Io, UsageError } from './io.ts';
import type { CloudOptions, TablePath } from '../table-files/cloud-input.ts';
import { type CloudOutput, openCloudOutput } from '../table-files/cloud-output.ts';
import { JobInput } from '../table-files/job-input.ts';
import { isCloudOutput, localPath } from '../table-files/output-path.ts';
import type { Report } from './report.ts';
import { type JobSource, SeveralInputs } from '../table-files/several-inputs.ts';
import { temporaryFolder } from '../table-files/temporary-folder.ts';

/** The names of the files of a job, as the user wrote them. */
export interface JobFileNames {
  /**
   * The input file, and the option that names it; - is standard input. `open` opens an input that is not a
   * file of this machine, and `url` is its URL.
   */
  input?: { option: string; file: string } & Pick<TablePath, 'open' | 'url'>;
  /** More files of the same table. */
  others?: readonly TablePath[];
  /** The format of the output, if its suffix does not tell. @default that of the suffix of the input */
  format?: FormatName;
  /** The output: a file, a cloud path, or - for standard output. */
  out: string;
  /** The output for the counts; - is standard error. */
  stats?: string;
  /** How outputs on cloud paths are written. */
  cloud?: CloudOptions;
  /** The folder of the temporary files of outputs on cloud paths. @default that of `temporaryFolder` */
  tempDir?: string;
}

/** The files of one job. The caller must close them. */
export interface JobFiles {
  /**
   * Opens the input file. Called at most once.
   * @param spoolFolder Where a stream is kept, so that it can be read again. @default It is not kept.
   */
  input(spoolFolder?: string): JobSource;
  /**
   * Runs a job that writes the output. A partial file with rows stays only after an interrupt.
   *
   * @param hasRows Tells after an interrupt whether the output has rows. @default It has.
   * @returns undefined if the reader has closed the output.
   */
  writeOutput<T>(job: (sink: ByteSink) => Promise<T>, hasRows?: () => boolean): Promise<T | undefined>;
  /** Writes the counts, if `--stats` was given. */
  writeStats(json: string): Promise<void>;
  /** Removes the locks and stops reading the input. */
  close(): Promise<void>;
}

/**
 * Locks the output files before anything is read or requested. The file for the counts is also opened, so
 * that a job fails at once if it cannot be written.
 *
 * @throws UsageError if a file would overwrite another; TableError IN_USE, UNREADABLE.
 */
export async function openJobFiles(given: JobFileNames, io: Io, report: Report): Promise<JobFiles> {
  const names = {
      ...given,
      out: localPath(given.out),
      ...(given.stats !== undefined && { stats: localPath(given.stats) }),
    },
    { input, out, stats } = names;
  const reason = reasonNotWritable(out);
  if (reason !== undefined) throw new UsageError(reason);
  const options = { warn: (message: string) => report.warn(message), signal: io.signal };
  const cloud = openCloudOutputs(names, options);
  await refuseOverwrites(names, cloud, io);
  const claim = async (option: '--out' | '--stats', path: string): Promise<OutputFile> =>
    cloud[option]
      ? cloud[option].claim(await temporaryFolder(names, io.env))
      : claimOutput(path, { ...options, ...(option === '--stats' && { option }) });
  const output = out === '-' ? undefined : await claim('--out', out);
  let counts: ByteSink | undefined;
  try {
    counts =
      stats === undefined
        ? undefined
        : stats === '-'
          ? streamSink(io.stderr, { name: 'standard error', signal: io.signal })
          : await (await claim('--stats', stats)).open();
  } catch (error) {
    output?.release();
    throw error;
  }
  // A job that fails may still be waiting for its input. Only an abort ends that wait.
  const reading = new AbortController(),
    release = onAbort(io.signal, () => reading.abort(io.signal.reason));
  let opened: JobSource | undefined;
  return {
    input(spoolFolder) {
      const { file, open } = input!,
        { signal } = reading,
        { others = [] } = names;
      if (others.length > 0)
        return (opened = openSeveral([{ name: file, open }, ...others], signal, spoolFolder));
      opened = open
        ? new JobInput(open(signal, spoolFolder), undefined, spoolFolder)
        : file === '-'
          ? new JobInput(
              streamInput('standard input', () => readInputStream(io.stdin, signal), signal, spoolFolder),
              undefined,
              spoolFolder,
            )
          : new JobInput(fileInput(file, signal, spoolFolder), file, spoolFolder);
      return opened;
    },
    writeOutput: (job, hasRows) => writeToOutput(output, io, job, hasRows),
    async writeStats(json) {
      await counts?.write(Buffer.from(json));
      await counts?.finish();
    },
    async close() {
      release();
      reading.abort();
      await opened?.close();
      output?.release();
      await counts?.abandon(false);
    },
  };
}

/** The outputs of a job that are on cloud paths, by their options. */
type CloudOutputs = Partial<Record<'--out' | '--stats', CloudOutput>>;

function openCloudOutputs(
  { input, format, out, stats, cloud }: JobFileNames,
  options: { warn: (message: string) => void; signal: AbortSignal },
): CloudOutputs {
  const unnamed = format ?? (input && formatOfFile(input.file));
  const open = (option: string, path: string, format?: FormatName): CloudOutput | undefined =>
    isCloudOutput(path) ? openCloudOutput(path, { ...cloud, ...options, option, format }) : undefined;
  return {
    '--out': open('--out', out, unnamed),
    '--stats': stats === undefined ? undefined : open('--stats', stats),
  };
}

const SPOOL_BYTES = 2 ** 23;

/** Opens the files of one table. */
function openSeveral(
  tables: readonly TablePath[],
  signal: AbortSignal,
  folder: string | undefined,
): SeveralInputs {
  const memory = Math.floor(SPOOL_BYTES / tables.length);
  return new SeveralInputs(
    tables.map(({ name, open }) => {
      const input = open ? open(signal, folder) : fileInput(name, signal);
      return {
        name,
        input: new JobInput(input, open ? undefined : name, folder, memory),
        isLocal: !open,
        peek: () => input.bytes(),
      };
    }),
  );
}

async function writeToOutput<T>(
  output: OutputFile | undefined,
  { stdout, signal }: Io,
  job: (sink: ByteSink) => Promise<T>,
  hasRows = () => true,
): Promise<T | undefined> {
  const sink = output ? await output.open() : streamSink(stdout, { signal });
  try {
    const result = await job(sink);
    await sink.finish();
    return result;
  } catch (error) {
    const left = await sink.abandon(signal.aborted && hasRows());
    if (error instanceof ReaderClosedError) return undefined;
    throw left === undefined ? error : new InterruptedError(`interrupted; the rows so far are in ${left}`);
  }
}

/** A file that a job reads or writes. */
interface JobFile {
  /** The name in messages: `--out out.csv`, `standard output`. */
  displayName: string;
  /** Identifies the file, whether it exists or not; undefined if it is not a regular file. */
  id: string | undefined;
}

/**
 * Refuses files that would overwrite each other. Only `--out` may name the input: the new table replaces it
 * when it is complete.
 */
async function refuseOverwrites(
  { input, others = [], out, stats }: JobFileNames,
  cloud: CloudOutputs,
  io: Io,
): Promise<void> {
  const read: JobFile[] = [],
    written: (JobFile & { option: string; path: string | undefined })[] = [],
    streams: JobFile[] = [];
  if (input) {
    const { option, file, open, url } = input;
    read.push(
      file === '-'
        ? { displayName: 'standard input', id: streamId(io.stdin) }
        : { displayName: `${option} ${file}`, id: open ? url : fileId(file) },
    );
  }
  for (const { name, open, url } of others)
    read.push({ displayName: `${input!.option} ${name}`, id: open ? url : fileId(name) });
  streams.push(
    { displayName: 'standard output', id: streamId(io.stdout) },
    { displayName: 'standard error', id: streamId(io.stderr) },
  );
  for (const [option, path] of [
    ['--out', out],
    ['--stats', stats],
  ] as const)
    if (path !== undefined && path !== '-') {
      const object = cloud[option];
      if (object) {
        written.push({ displayName: `${option} ${object.url}`, id: object.url, option, path: undefined });
        continue;
      }
      if (RESERVED_SUFFIX.test(path))
        throw new UsageError(
          `${option} ${path} has a suffix that is reserved for files of a running job: choose another name`,
        );
      written.push({ displayName: `${option} ${path}`, id: await outputId(path), option, path });
    }
  for (const [k, { displayName, id, option, path }] of written.entries()) {
    const partial = path === undefined ? undefined : fileId(partialPath(await followLinks(path)), lstatSync);
    for (const other of [...read, ...written.slice(0, k), ...streams]) {
      if (other.id === undefined) continue;
      const isPartial = other.id === partial,
        inPlace = option === '--out' && read.length === 1 && read.includes(other);
      if (isPartial)
        throw new UsageError(
          `${other.displayName} is the file that ${displayName} is written to until it is complete: rename it first`,
        );
      if (other.id === id && !inPlace)
        throw new UsageError(`${displayName} would overwrite ${other.displayName}: they are the same file`);
    }
  }
  if (out === '-' && read[0]?.id !== undefined && read[0].id === streams[0].id)
    throw new UsageError(
      `standard output is ${read[0].displayName}: name the file with --out, which may be the input`,
    );
}

/** The suffixes of the files that a running job makes next to its output. */
const RESERVED_SUFFIX = /\.(partial|lock)$/;

const regularFileId = (stats: Stats | undefined): string | undefined =>
  stats?.isFile() ? `${stats.dev}:${stats.ino}` : undefined;

function fileId(
  path: string,
  read: (path: string, options: { throwIfNoEntry: false }) => Stats | undefined = statSync,
): string | undefined {
  try {
    return regularFileId(read(path, { throwIfNoEntry: false }));
  } catch {
    return undefined; // opening it reports the error
  }
}

/** Identifies an output file, also if it does not exist yet. */
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

/** Identifies the file that a stream is redirected to or from. */
function streamId(stream: object): string | undefined {
  const { fd } = stream as { fd?: unknown };
  if (typeof fd !== 'number') return undefined;
  try {
    return regularFileId(fstatSync(fd));
  } catch {
    return undefined;
  }
}
