/**
 * Files that are read and written at any offset: temporary ones, which no exit of the process leaves behind
 * because they have no name, and those of a job, which stay.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { TableError } from '../base/errors.ts';
import { ioError } from '../tables/files/byte-streams.ts';
import { flushHandle } from '../tables/files/flush.ts';

/** Bytes that are read and written at any offset. */
export class TemporaryFile {
  readonly #handle: FileHandle;
  /** Makes the error of a step that failed. */
  readonly #fail: FailedStep;

  private constructor(handle: FileHandle, fail: FailedStep) {
    this.#handle = handle;
    this.#fail = fail;
  }

  /** Creates a file in a folder, for this user only. @throws TableError UNREADABLE. */
  static async create(folder: string): Promise<TemporaryFile> {
    const path = join(folder, `.graphene-points-${randomUUID()}.tmp`);
    try {
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        await rm(path); // the open file stays, and the system frees it with its handle, also after kill -9
      } catch (error) {
        await handle.close();
        throw error;
      }
      return new TemporaryFile(handle, (what, cause) => temporaryFileError(folder, what, cause));
    } catch (error) {
      throw temporaryFileError(folder, 'written', error);
    }
  }

  /** Creates a file that keeps its name, for this user and empty. @throws TableError UNREADABLE. */
  static createNamed(path: string): Promise<TemporaryFile> {
    return openNamed(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 'written');
  }

  /** Opens a file to read it. @throws TableError UNREADABLE. */
  static openNamed(path: string): Promise<TemporaryFile> {
    return openNamed(path, constants.O_RDONLY, 'read');
  }

  /** @internal */
  static of(handle: FileHandle, fail: FailedStep): TemporaryFile {
    return new TemporaryFile(handle, fail);
  }

  /** Writes all bytes at an offset. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(
          bytes,
          done,
          Math.min(bytes.length - done, MOST_AT_ONCE),
          offset + done,
        );
        done += bytesWritten;
      }
    } catch (error) {
      throw this.#fail('written', error);
    }
  }

  /**
   * Fills an array with the bytes from an offset on.
   * @throws TableError UNREADABLE, also if the file ends before.
   */
  async read(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await this.#handle.read(
          bytes,
          done,
          Math.min(bytes.length - done, MOST_AT_ONCE),
          offset + done,
        );
        if (bytesRead === 0)
          throw Object.assign(new Error('it ends too early'), { code: 'it ends too early' });
        done += bytesRead;
      }
    } catch (error) {
      throw this.#fail('read', error);
    }
  }

  /** Returns the size in bytes. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Waits until everything is on the disk. @throws TableError UNREADABLE. */
  async flush(): Promise<void> {
    try {
      await flushHandle(this.#handle);
    } catch (error) {
      throw this.#fail('written', error);
    }
  }

  /** Closes the file. One without a name is deleted by that. */
  close(): Promise<void> {
    return this.#handle.close();
  }
}

type FailedStep = (what: 'read' | 'written', error: unknown) => TableError;

async function openNamed(path: string, flags: number, what: 'read' | 'written'): Promise<TemporaryFile> {
  const fail: FailedStep = (step, error) => ioError(step, path, error);
  try {
    return TemporaryFile.of(await open(path, flags, 0o600), fail);
  } catch (error) {
    throw fail(what, error);
  }
}

/** Linux moves less than 2 GiB at once. */
const MOST_AT_ONCE = 2 ** 30;

const temporaryFileError = (folder: string, what: 'read' | 'written', error: unknown): TableError =>
  new TableError('UNREADABLE', `${ioError(what, `a temporary file in ${folder}`, error).message}; ${ADVICE}`);

const ADVICE = 'tempDir (--temp-dir) names another folder';

/**
 * Checks that a folder has room for temporary files. A file system that does not tell its free space passes.
 * @throws TableError UNREADABLE.
 */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const space = await statfs(folder).catch(() => undefined);
  const free = space === undefined ? 0 : space.bavail * space.bsize;
  if (free === 0 || bytes <= free) return;
  throw new TableError(
    'UNREADABLE',
    `temporary files in ${folder} need ${formatSize(bytes)}, and ${formatSize(free)} are free; ${ADVICE}`,
  );
}

/** Formats a number of bytes for people, such as `3.3 GB`. */
export const formatSize = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;
