/**
 * Opens the files of a run on a table, and checks that no output overwrites another file of the run.
 */
import { onAbort } from '../base/abort.ts';
import { TableError } from '../base/errors.ts';
import type { NameOption } from '../base/option-names.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import { reasonNotWritable } from '../tables/file-kinds.ts';
import { formatOfFile, type FormatName } from '../tables/formats.ts';
import { claimOutput, type OutputFile } from '../tables/files/output-file.ts';
import { fileInput } from '../tables/files/table-input.ts';
import type { CloudOptions, TablePath } from './cloud-input.ts';
import { type CloudOutput, openCloudOutput } from './cloud-output.ts';
import { JobInput } from './job-input.ts';
import { isCloudOutput, localPath } from './output-path.ts';
import { fileId, namedOutput, type NamedOutput, refuseOverwrites, streamId } from './refuse-overwrites.ts';
import { type JobSource, SeveralInputs } from './several-inputs.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A stream that is written to. */
export interface OutputStream {
  /** The name in messages. */
  displayName: string;
  /** The stream, or what is used instead of it to tell which file it is. */
  stream: object;
  /** Makes the sink for its bytes. */
  open: () => ByteSink;
}

/** The files of a run, as the user named them, and how they are opened. */
export interface TableFilesOptions {
  /** The tables that are read. They are the files of one table, in order. */
  inputs: readonly TablePath[];
  /** The output: a file, a cloud path, or a stream. */
  output: string | OutputStream;
  /** The output for the counts, as for `output`. */
  stats?: string | OutputStream;
  /** The output for the report: a file or a cloud path. It is also written after an abort. */
  report?: string;
  /** The format of the output, if its suffix does not tell. @default that of the suffix of the input */
  format?: FormatName;
  /** How outputs on cloud paths are written. */
  cloud?: CloudOptions;
  /** The folder of the temporary files of outputs on cloud paths. @default that of `temporaryFolder` */
  tempDir?: string;
  /** Other streams that may be redirected to a file of the run. */
  streams?: readonly Pick<OutputStream, 'displayName' | 'stream'>[];
  env: { readonly TMPDIR?: string };
  signal: AbortSignal;
  warn: (message: string) => void;
  nameOf: NameOption;
}

/** The files of one run. The caller must close them. */
export interface TableFiles {
  /**
   * Opens the table that is read. Called at most once.
   * @param folder The folder of temporary files. @default that of the system
   * @param keeps Whether a stream is kept in the folder, so that it can be read again. @default true if there is a folder
   */
  input(folder?: string, keeps?: boolean): JobSource;
  /** Opens the output. Called at most once. */
  openOutput(): Promise<ByteSink>;
  /** Takes the counts; undefined if they have no output. */
  readonly stats: ByteSink | undefined;
  /** Takes the report; undefined if it has no output. */
  readonly report: ByteSink | undefined;
  /** Removes the locks and stops reading the input. */
  close(): Promise<void>;
}

/**
 * Locks the output files before anything is read or requested. The files for the counts and the report are also
 * opened, so that a run fails at once if they cannot be written.
 *
 * @throws TableError BAD_TABLE_PATH if a file would overwrite another; IN_USE, UNREADABLE.
 */
export async function openTableFiles(options: TableFilesOptions): Promise<TableFiles> {
  const { inputs, signal, warn, nameOf, tempDir, env } = options,
    output = toLocal(options.output),
    counts = options.stats === undefined ? undefined : toLocal(options.stats),
    told = options.report === undefined ? undefined : toLocal(options.report);
  const reason = typeof output === 'string' ? reasonNotWritable(output) : undefined;
  if (reason !== undefined) throw new TableError('BAD_TABLE_PATH', reason);
  const written: WrittenFile[] = [];
  for (const [name, path] of [
    ['sink', output],
    ['stats', counts],
    ['report', told],
  ] as const)
    if (typeof path === 'string') written.push(toWritten(name, path, options));
  await refuseOverwrites(await filesOfRun(options, written));
  const claim = async ({ name, path, cloud }: WrittenFile): Promise<OutputFile> =>
    cloud
      ? cloud.claim(await temporaryFolder({ tempDir, out: typeof output === 'string' ? output : '-' }, env))
      : claimOutput(path, { warn, signal, ...(name !== 'sink' && { option: nameOf(name) }) });
  const claimed = new Map<WrittenFile['name'], OutputFile>();
  let stats: ByteSink | undefined, report: ByteSink | undefined;
  try {
    for (const file of written) {
      claimed.set(file.name, await claim(file));
      if (file.name === 'stats') stats = await claimed.get('stats')!.open();
      if (file.name === 'report') report = await claimed.get('report')!.open();
    }
    if (typeof counts === 'object') stats = counts.open();
  } catch (error) {
    claimed.get('sink')?.release();
    await stats?.abandon(false);
    throw error;
  }
  // A run that fails may still be waiting for its input. Only an abort ends that wait.
  const reading = new AbortController(),
    release = onAbort(signal, () => reading.abort(signal.reason));
  let opened: JobSource | undefined;
  return {
    stats,
    report,
    input: (folder, keeps = folder !== undefined) =>
      (opened = openInputs(inputs, reading.signal, folder, keeps)),
    openOutput: () =>
      typeof output === 'string' ? claimed.get('sink')!.open() : Promise.resolve(output.open()),
    async close() {
      release();
      reading.abort();
      await opened?.close();
      claimed.get('sink')?.release();
      await stats?.abandon(false);
      await report?.abandon(false);
    },
  };
}

/** An output that is not a stream. */
interface WrittenFile {
  name: 'sink' | 'stats' | 'report';
  path: string;
  cloud: CloudOutput | undefined;
}

const toLocal = (output: string | OutputStream): string | OutputStream =>
  typeof output === 'string' ? localPath(output) : output;

function toWritten(
  name: WrittenFile['name'],
  path: string,
  { inputs, format, cloud, nameOf, warn, signal }: TableFilesOptions,
): WrittenFile {
  if (!isCloudOutput(path)) return { name, path, cloud: undefined };
  const [input] = inputs as readonly (TablePath | undefined)[],
    unnamed = name === 'sink' ? (format ?? (input && formatOfFile(input.name))) : undefined;
  // A report says why a run was interrupted.
  const until = name === 'report' ? undefined : signal;
  const options = { ...cloud, warn, signal: until, option: nameOf(name), format: unnamed };
  return { name, path, cloud: openCloudOutput(path, options) };
}

async function filesOfRun(
  { inputs, output, streams = [], nameOf }: TableFilesOptions,
  written: readonly WrittenFile[],
): Promise<Parameters<typeof refuseOverwrites>[0]> {
  const outputs: NamedOutput[] = [];
  for (const { name, path, cloud } of written) {
    const mayReplaceInput = name === 'sink';
    outputs.push(
      cloud
        ? { displayName: `${nameOf(name)} ${cloud.url}`, id: cloud.url, path: undefined, mayReplaceInput }
        : await namedOutput(nameOf(name), path, mayReplaceInput),
    );
  }
  const toNamed = ({ displayName, stream }: Pick<OutputStream, 'displayName' | 'stream'>) => ({
    displayName,
    id: streamId(stream),
  });
  return {
    read: inputs.map(({ name, open, url, stream }) =>
      stream
        ? { displayName: name, id: streamId(stream) }
        : { displayName: `${nameOf('source')} ${name}`, id: open ? url : fileId(name) },
    ),
    written: outputs,
    streams: streams.map(toNamed),
    direct:
      typeof output === 'string'
        ? undefined
        : { stream: toNamed(output), advice: `name the file with ${nameOf('sink')}, which may be the input` },
  };
}

const SPOOL_BYTES = 2 ** 23;

/**
 * Opens the files of one table, to be read only. The caller closes them.
 * @param folder Where what cannot be read in order is kept.
 * @param keeps Whether a stream is kept there, so that it can be read again.
 */
export function openInputs(
  tables: readonly TablePath[],
  signal: AbortSignal,
  folder: string | undefined,
  keeps: boolean,
): JobSource {
  const spoolFolder = keeps ? folder : undefined;
  const [{ name, open }] = tables;
  if (tables.length === 1)
    return open
      ? new JobInput(open(signal, folder), undefined, spoolFolder)
      : new JobInput(fileInput(name, signal, folder), name, spoolFolder);
  const memory = Math.floor(SPOOL_BYTES / tables.length);
  return new SeveralInputs(
    tables.map((table) => {
      const input = table.open ? table.open(signal, folder) : fileInput(table.name, signal);
      return {
        name: table.name,
        input: new JobInput(input, table.open ? undefined : table.name, spoolFolder, memory),
        isLocal: !table.open,
        peek: () => input.bytes(),
      };
    }),
  );
}
