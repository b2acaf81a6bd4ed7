/** The files of a command: names from its flags, standard streams, and what an interrupt leaves. */
import {
  readInputStream,
  ReaderClosedError,
  type ByteSink,
  streamSink,
} from '../tables/files/byte-streams.ts';
import { streamInput } from '../tables/files/table-input.ts';
import type { TablePath } from '../table-files/cloud-input.ts';
import { openTableFiles, type TableFiles, type TableFilesOptions } from '../table-files/open-files.ts';
import { flagNames } from './flag-names.ts';
import { InterruptedError, type Io } from './io.ts';
import type { Report } from './report.ts';

/** The names of the files of a job, as the user wrote them. */
export interface JobFileNames extends Pick<TableFilesOptions, 'format' | 'cloud' | 'tempDir'> {
  /** The option that names the tables that are read, and those; - is standard input. */
  input?: { option: string; tables: readonly TablePath[] };
  /** The output: a file, a cloud path, or - for standard output. */
  out: string;
  /** The output for the counts; - is standard error. */
  stats?: string;
  /** The output for the report. */
  report?: string;
}

/** The files of one job. The caller must close them. */
export interface JobFiles extends Pick<TableFiles, 'input' | 'close'> {
  /**
   * Runs a job that writes the output. A partial file with rows stays only after an interrupt.
   *
   * @param hasRows Tells after an interrupt whether the output has rows. @default It has.
   * @returns undefined if the reader has closed the output.
   */
  writeOutput<T>(job: (sink: ByteSink) => Promise<T>, hasRows?: () => boolean): Promise<T | undefined>;
  /** Writes the counts, if `--stats` was given. */
  writeStats(json: string): Promise<void>;
  /** Writes the report, if `--report` was given. */
  writeReport(page: Uint8Array): Promise<void>;
}

/** Opens the files of a job. @throws The errors of `openTableFiles`. */
export async function openJobFiles(
  { input, out, stats, report: told, ...names }: JobFileNames,
  { stdin, stdout, stderr, env, signal }: Io,
  report: Report,
): Promise<JobFiles> {
  const streams = [
    { displayName: 'standard output', stream: stdout },
    { displayName: 'standard error', stream: stderr },
  ] as const;
  const files = await openTableFiles({
    ...names,
    inputs: withStandardInput(input?.tables ?? [], stdin),
    output: out === '-' ? { ...streams[0], open: () => streamSink(stdout, { signal }) } : out,
    stats:
      stats === '-'
        ? { ...streams[1], open: () => streamSink(stderr, { name: 'standard error', signal }) }
        : stats,
    report: told,
    streams,
    env,
    signal,
    warn: (message) => report.warn(message),
    nameOf: flagNames(input?.option ?? '--points'),
  });
  return {
    input: (folder, keeps) => files.input(folder, keeps),
    close: () => files.close(),
    writeOutput: (job, hasRows) => writeToOutput(files, signal, job, hasRows),
    async writeStats(json) {
      await files.stats?.write(Buffer.from(json));
      await files.stats?.finish();
    },
    async writeReport(page) {
      await files.report?.write(page);
      await files.report?.finish();
    },
  };
}

/** Puts standard input in the place of -. */
export const withStandardInput = (tables: readonly TablePath[], stdin: Io['stdin']): TablePath[] =>
  tables.map((table) => (table.name === '-' ? standardInput(stdin) : table));

const standardInput = (stdin: Io['stdin']): TablePath => ({
  name: 'standard input',
  stream: stdin,
  open: (signal, folder) =>
    streamInput('standard input', () => readInputStream(stdin, signal), signal, folder),
});

async function writeToOutput<T>(
  files: TableFiles,
  signal: AbortSignal,
  job: (sink: ByteSink) => Promise<T>,
  hasRows = () => true,
): Promise<T | undefined> {
  const sink = await files.openOutput();
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
