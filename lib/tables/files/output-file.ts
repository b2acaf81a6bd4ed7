/**
 * Output files of a job. A file holds the complete result or its old content, never a part, and one run at a
 * time writes it.
 */
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TableError } from '../../base/errors.ts';
import { openFifoWriter } from './fifos.ts';
import { flushHandle } from './flush.ts';
import { type ByteSink, streamSink, ioError } from './byte-streams.ts';
import { lockOutput } from './output-lock.ts';
import { compressSink } from './table-compression.ts';

/** Options of `claimOutput`. */
export interface OutputOptions {
  /** The option that named the file; errors show it before the name. */
  option?: string;
  warn?: (message: string) => void;
  /** Ends the wait for the reader of a FIFO. */
  signal?: AbortSignal;
}

/** An output file that is locked: no other run writes it. */
export interface OutputFile {
  /** Creates the partial file. Finishing or abandoning the sink also removes the lock. */
  open(): Promise<ByteSink>;
  /** Removes the lock of a file that was never opened. */
  release(): void;
}

/** Returns the path of the file that holds the result until it is complete. */
export const partialPath = (target: string): string => `${target}.partial`;

/**
 * Locks a file for writing. The file itself is not created or changed before `open`. The result goes to
 * `PATH.partial`, which is renamed at the end, so the input may be the same file. A symbolic link stays, and
 * its target is written. A FIFO or a device, such as /dev/null, is written directly.
 *
 * @throws TableError UNREADABLE if the file cannot be written; IN_USE if another run is writing it.
 */
export async function claimOutput(
  path: string,
  { option, warn, signal }: OutputOptions = {},
): Promise<OutputFile> {
  const displayName = (file: string): string => (option === undefined ? file : `${option} ${file}`);
  const withFileError = async <T>(step: Promise<T>, file: string): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw error instanceof TableError || signal?.aborted
        ? error
        : ioError('written', displayName(file), error);
    }
  };
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory()) throw new TableError('UNREADABLE', `${displayName(path)} is a directory`);
  if (existing && !existing.isFile())
    return createDirectOutput(path, existing, displayName(path), withFileError, signal);
  const target = await withFileError(followLinks(path), path);
  const partial = partialPath(target);
  if (existing) await withFileError(access(target, constants.W_OK), path);
  const release = await withFileError(lockOutput(target, { displayName: displayName(path), warn }), partial);
  return {
    release,
    async open() {
      try {
        return compressSink(
          createPartialSink(
            await withFileError(create(partial, existing), partial),
            target,
            displayName(partial),
            release,
          ),
          path,
        );
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

/** Follows the symbolic links at the end of a path. The target need not exist yet. */
export async function followLinks(path: string): Promise<string> {
  for (let links = 0; links < 40; links++) {
    const link = await readlink(path).catch(() => undefined);
    if (link === undefined) return path;
    path = resolve(await realpath(dirname(path)), link);
  }
  throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' });
}

/**
 * Creates a new partial file. An old file or link of that name is deleted first, so that nothing is written
 * through it.
 */
async function create(partial: string, existing: Stats | undefined): Promise<FileHandle> {
  if ((await lstat(partial).catch(() => undefined))?.isDirectory())
    throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  await rm(partial, { force: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  const handle = await open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, existing ? 0o600 : 0o666);
  if (!existing) return handle;
  try {
    const made = await handle.stat();
    // Only root can change the owner. Otherwise the new file belongs to the current user, as with other tools
    // that rewrite files.
    if (made.uid !== existing.uid || made.gid !== existing.gid)
      await handle.chown(existing.uid, existing.gid).catch(() => undefined);
    await handle.chmod(existing.mode & 0o7777);
    return handle;
  } catch (error) {
    await handle.close();
    await rm(partial, { force: true });
    throw error;
  }
}

function createPartialSink(
  handle: FileHandle,
  target: string,
  displayName: string,
  release: () => void,
): ByteSink {
  const partial = partialPath(target);
  let ended = false;
  const withFileError = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw ioError('written', displayName, error);
    }
  };
  return {
    write: (bytes) => withFileError(handle.writeFile(bytes)),
    async finish() {
      await withFileError(flushHandle(handle));
      await withFileError(handle.close());
      await withFileError(rename(partial, target));
      ended = true;
      await open(dirname(target), constants.O_RDONLY)
        .then(async (folder) => flushHandle(folder).finally(() => folder.close()))
        .catch(() => undefined);
      release();
    },
    async abandon(keep) {
      if (ended) return undefined;
      ended = true;
      try {
        await handle.close().catch(() => undefined);
        if (keep) return partial;
        await rm(partial, { force: true });
        return undefined;
      } finally {
        release();
      }
    },
  };
}

type WithFileError = <T>(step: Promise<T>, file: string) => Promise<T>;

function createDirectOutput(
  path: string,
  existing: Stats,
  displayName: string,
  withFileError: WithFileError,
  signal: AbortSignal | undefined,
): OutputFile {
  return {
    release: () => undefined,
    async open() {
      if (existing.isFIFO())
        return streamSink(await withFileError(openFifoWriter(path, signal), path), {
          name: displayName,
          signal,
          endsStream: true,
        });
      const handle = await withFileError(open(path, 'w'), path);
      return {
        write: (bytes) => withFileError(handle.writeFile(bytes), path),
        finish: () => withFileError(handle.close(), path),
        async abandon() {
          await handle.close();
          return undefined;
        },
      };
    },
  };
}
