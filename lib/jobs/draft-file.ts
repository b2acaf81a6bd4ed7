/** A file that is written under another name, and renamed when it is complete: it is there whole, or not at all. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ioError } from '../tables/files/byte-streams.ts';
import { flushHandle } from '../tables/files/flush.ts';

/** How the names of unfinished files end. A killed run leaves them. */
export const DRAFT_SUFFIX = '.draft';

/** A file that is being written. */
export class DraftFile {
  readonly #path: string;
  readonly #draft: string;
  readonly #flushes: boolean;
  readonly #handle: FileHandle;

  private constructor(path: string, draft: string, flushes: boolean, handle: FileHandle) {
    this.#path = path;
    this.#draft = draft;
    this.#flushes = flushes;
    this.#handle = handle;
  }

  /**
   * Begins a file, for this user only.
   * @param flushes Whether it is flushed to the disk before it gets its name.
   * @throws TableError UNREADABLE.
   */
  static async create(path: string, flushes: boolean): Promise<DraftFile> {
    const draft = `${path}.${randomUUID()}${DRAFT_SUFFIX}`;
    try {
      return new DraftFile(path, draft, flushes, await open(draft, 'wx', 0o600));
    } catch (error) {
      throw ioError('written', path, error);
    }
  }

  /** Appends bytes. @throws TableError UNREADABLE; then the draft is deleted. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#try(() => writeFile(this.#handle, bytes));
  }

  /** Gives the file its name. @throws TableError UNREADABLE; then the draft is deleted. */
  finish(): Promise<void> {
    return this.#try(async () => {
      if (this.#flushes) await flushHandle(this.#handle);
      await this.#handle.close();
      await rename(this.#draft, this.#path);
      if (this.#flushes) await flushFolder(dirname(this.#path));
    });
  }

  /** Deletes what was written. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#draft, { force: true }).catch(() => undefined);
  }

  async #try(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      await this.abandon();
      throw ioError('written', this.#path, error);
    }
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY).catch(() => undefined);
  if (!folder) return;
  await flushHandle(folder)
    .catch(() => undefined)
    .finally(() => folder.close());
}
