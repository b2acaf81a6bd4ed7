/** Files that a job writes: the whole result or what was there before, never a part, and by one run at a time. */
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TableError } from '../../base/errors.ts';
import { openFifoWriter } from './fifos.ts';
import { type ByteSink, streamSink, ioError } from './byte-streams.ts';
import { lockOutput } from './output-lock.ts';
import { compressSink } from './table-compression.ts';

export interface OutputOptions {
  /** What asked for the file, named before it in errors. */
  option?: string;
  warn?: (message: string) => void;
  /** Ends the wait for the reader of a FIFO. */
  signal?: AbortSignal;
}

/** A file that no other run writes from now on. */
export interface OutputFile {
  /** Created now; the sink's end, whichever it is, gives the file free. */
  open(): Promise<ByteSink>;
  /** For those who never open it. */
  release(): void;
}

/** Where the result goes while it is not whole. */
export const partialPath = (target: string): string => `${target}.partial`;

/**
 * Locks a file for writing; nothing of it is created or changed before `open`. Then `PATH.partial` is written, and renamed at the end; so the
 * input may be the same file. A symbolic link stays, and the file it names is written. What is not a regular file (a FIFO, /dev/null) is
 * written directly.
 * @throws TableError UNREADABLE when it cannot be written, IN_USE when another run is writing it.
 */
export async function claimOutput(
  path: string,
  { option, warn, signal }: OutputOptions = {},
): Promise<OutputFile> {
  const called = (file: string): string => (option === undefined ? file : `${option} ${file}`);
  const told = async <T>(step: Promise<T>, file: string): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw error instanceof TableError || signal?.aborted ? error : ioError('written', called(file), error);
    }
  };
  const present = await stat(path).catch(() => undefined);
  if (present?.isDirectory()) throw new TableError('UNREADABLE', `${called(path)} is a directory`);
  if (present && !present.isFile()) return direct(path, present, called(path), told, signal);
  const target = await told(followLinks(path), path);
  const partial = partialPath(target);
  if (present) await told(access(target, constants.W_OK), path);
  const release = await told(lockOutput(target, { displayName: called(path), warn }), partial);
  return {
    release,
    async open() {
      try {
        return compressSink(
          wholeOrNothing(await told(create(partial, present), partial), target, called(partial), release),
          path,
        );
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

/** The path with symbolic links at its end followed, to a file that need not be there yet. */
export async function followLinks(path: string): Promise<string> {
  for (let links = 0; links < 40; links++) {
    const link = await readlink(path).catch(() => undefined);
    if (link === undefined) return path;
    path = resolve(await realpath(dirname(path)), link);
  }
  throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' });
}

/** A new file where an earlier run may have left one, or somebody a link to a file of theirs: neither is written to. */
async function create(partial: string, present: Stats | undefined): Promise<FileHandle> {
  if ((await lstat(partial).catch(() => undefined))?.isDirectory())
    throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  await rm(partial, { force: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  const handle = await open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, present ? 0o600 : 0o666);
  if (!present) return handle;
  try {
    const made = await handle.stat();
    // Only root can give a file away: anyone else's is their own then, as with any other tool that writes a file anew.
    if (made.uid !== present.uid || made.gid !== present.gid)
      await handle.chown(present.uid, present.gid).catch(() => undefined);
    await handle.chmod(present.mode & 0o7777);
    return handle;
  } catch (error) {
    await handle.close();
    await rm(partial, { force: true });
    throw error;
  }
}

function wholeOrNothing(handle: FileHandle, target: string, called: string, release: () => void): ByteSink {
  const partial = partialPath(target);
  let ended = false;
  const told = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw ioError('written', called, error);
    }
  };
  return {
    write: (bytes) => told(handle.writeFile(bytes)),
    async finish() {
      await told(flushed(handle));
      await told(handle.close());
      await told(rename(partial, target));
      ended = true;
      await open(dirname(target), constants.O_RDONLY)
        .then(async (folder) => flushed(folder).finally(() => folder.close()))
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

/** On the disk, so that a crash of the machine cannot leave an empty file under the new name. */
async function flushed(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (!CANNOT_FLUSH.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** File systems that have nothing of the kind. */
const CANNOT_FLUSH = new Set(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

type Told = <T>(step: Promise<T>, file: string) => Promise<T>;

function direct(
  path: string,
  present: Stats,
  called: string,
  told: Told,
  signal: AbortSignal | undefined,
): OutputFile {
  return {
    release: () => undefined,
    async open() {
      if (present.isFIFO())
        return streamSink(await told(openFifoWriter(path, signal), path), {
          name: called,
          signal,
          endsStream: true,
        });
      const handle = await told(open(path, 'w'), path);
      return {
        write: (bytes) => told(handle.writeFile(bytes), path),
        finish: () => told(handle.close(), path),
        async abandon() {
          await handle.close();
          return undefined;
        },
      };
    },
  };
}
