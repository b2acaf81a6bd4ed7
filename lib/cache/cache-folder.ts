/**
 * The folder of a disk cache: reads, writes and evicts its files. Any number of processes share it without a
 * server between them.
 *
 *     FOLDER/chunks-v2/          mode 0700
 *       00 … ff/HASH             entries, named by the SHA-256 of their keys; the mtime is the time of the last use
 *       tmp/HOST.PID.NAME.SIZE   files being written; renamed when complete
 *       written                  its length counts what was stored since the last collection, in units of 4 KiB
 *       bound                    the size limit of the last collection
 *       lock                     the process that is collecting now
 *
 * A collection deletes the least recently used entries. It needs about 200 bytes of memory per entry.
 *
 * All entries together take at most the size limit, and what each process is writing at that moment.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { PathError } from '../base/errors.ts';
import { readWholeFile, writeWholeFile } from './whole-files.ts';

const UNIT = 4096;
/**
 * Shares of the size limit. A collection keeps `KEPT_SHARE`. Then `STORED_SHARE` is stored before the next
 * collection begins, and as much may be stored while it runs.
 */
const KEPT_SHARE = 0.68,
  STORED_SHARE = 0.15;
/**
 * Each process counts what it stores in steps of this size, because counting takes longer than writing a small file. A step that was
 * counted before a collection may be used after it; the shares above leave room for the steps of twenty processes.
 */
const ALLOTTED_SHARE = 1 / 1024,
  MOST_ALLOTTED = 1024 ** 2;
/** After this time, the process that held a lock or wrote a file has ended, on whatever machine it ran. */
const STALE_MS = 10 * 60_000;
/** After this time, a process that created a lock without writing its name into it was killed in between. */
const UNSIGNED_LOCK_MS = 10_000;
const NAME = 'chunks-v2',
  /** The folder of earlier versions of this package, whose entries nobody reads any more. */
  OLD_NAME = 'chunks-v1';
/** The size limit of one entry: no file makes a reader allocate more. */
export const LARGEST_ENTRY_BYTES = 1024 ** 3;

/**
 * Keeps the file names of all writers distinct: volumes of one process, workers, and containers with equal
 * host names and process IDs.
 */
const WRITER = randomBytes(6).toString('hex');
let filesWritten = 0;

/** Bytes that a file takes on disk, in whole units of 4 KiB. */
const onDisk = (bytes: number): number => Math.ceil(bytes / UNIT) * UNIT;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
const isNotFound = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** The outcome of a collection. */
export interface CollectionResult {
  /** Entries that are left. */
  entries: number;
  /** Bytes on disk, including files that are being written. */
  bytes: number;
  /** Entries that were deleted. */
  evicted: number;
  /** Whether more may be stored. Files that other processes are writing may leave no room. */
  hasRoom: boolean;
}

/** The folder `chunks-v2` of one disk cache. */
export class CacheFolder {
  readonly path: string;
  readonly #maxBytes: number;
  readonly #old: string;
  /** The subfolders that are known to exist. */
  readonly #made = new Set<string>();
  /** Bytes that are counted in `written` and not used yet. */
  #allotted = 0;
  #allotting: Promise<boolean> | undefined;

  constructor(folder: string, maxBytes: number) {
    this.path = join(folder, NAME);
    this.#old = join(folder, OLD_NAME);
    this.#maxBytes = maxBytes;
  }

  /**
   * Makes the folder if it does not exist.
   * @throws PathError FORBIDDEN_ADDRESS if others may write to it; the error of the file system.
   */
  async prepare(): Promise<void> {
    await preparePrivateFolder(this.path, 'chunks');
    await mkdir(join(this.path, 'tmp'), { recursive: true, mode: 0o700 });
    this.#made.clear();
  }

  /**
   * Deletes files of processes that have ended and the folder of earlier versions, and collects if the size limit is now lower.
   * @throws The error of the file system.
   */
  async cleanUp(nowMs: number): Promise<void> {
    void this.#removeOld().catch(() => undefined); // nobody waits for that, and the next process goes on
    await this.#sweep(nowMs);
    const bound = Number(await readFile(join(this.path, 'bound'), 'utf8').catch(() => '')) || Infinity;
    if (bound > this.#maxBytes) await this.collect(nowMs);
  }

  /** Returns the path of an entry. */
  fileOf(key: string): string {
    const hash = createHash('sha256').update(key).digest('hex');
    return join(this.path, hash.slice(0, 2), hash);
  }

  /**
   * Reads a whole file; undefined if it does not exist. A file larger than `maxBytes` is not an entry, and
   * reads as no bytes.
   */
  async read(file: string, maxBytes: number): Promise<{ bytes: Uint8Array; usedMs: number } | undefined> {
    try {
      return await readWholeFile(file, maxBytes);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Marks a file as used now. */
  async touch(file: string, nowMs: number): Promise<void> {
    // A failure does no harm: the entry is only evicted earlier.
    await utimes(file, nowMs / 1000, nowMs / 1000).catch(() => undefined);
  }

  /** Deletes a file, if it still exists. */
  async remove(file: string): Promise<void> {
    await unlink(file).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  /**
   * Stores a file atomically: it appears under its final name complete, or not at all.
   * @returns false if the cache is full and another process is making room.
   * @throws The error of the file system.
   */
  async write(file: string, parts: readonly Uint8Array[], nowMs: number): Promise<boolean> {
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    return this.writeWith(file, size, nowMs, async (temporary) => {
      try {
        await writeWholeFile(temporary, parts);
        await rename(temporary, file);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
      return true;
    });
  }

  /**
   * As {@link write}, but the caller writes the file.
   * @param size The size of the file.
   * @param write Writes to `temporary` and renames it to `file`. Returns whether it did.
   */
  async writeWith(
    file: string,
    size: number,
    nowMs: number,
    write: (temporary: string) => Promise<boolean>,
  ): Promise<boolean> {
    if (!(await this.#reserve(size, nowMs))) return false;
    await this.#makeFolderOf(file);
    return write(this.#temporary(size));
  }

  async #makeFolderOf(file: string): Promise<void> {
    const folder = dirname(file);
    if (this.#made.has(folder)) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#made.add(folder);
  }

  /** Returns a new path in `tmp`. */
  #temporary(size: number): string {
    return join(this.path, 'tmp', `${hostname()}.${process.pid}.${WRITER}-${filesWritten++}.${size}`);
  }

  /**
   * Takes bytes that are about to be stored from those that are counted already, and counts more if they are used up.
   * @returns whether they fit.
   */
  async #reserve(bytes: number, nowMs: number): Promise<boolean> {
    const wanted = onDisk(bytes);
    while (this.#allotted < wanted) {
      this.#allotting ??= this.#allot(
        Math.max(wanted, Math.min(MOST_ALLOTTED, ALLOTTED_SHARE * this.#maxBytes)),
        nowMs,
      ).finally(() => (this.#allotting = undefined));
      if (!(await this.#allotting)) return false;
    }
    this.#allotted -= wanted;
    return true;
  }

  /**
   * Counts bytes that may be stored next, and collects first if they may not fit.
   * @returns whether they fit.
   */
  async #allot(bytes: number, nowMs: number): Promise<boolean> {
    const units = new Uint8Array(onDisk(bytes) / UNIT);
    const counter = await open(join(this.path, 'written'), 'a', 0o600);
    try {
      await counter.write(units); // appends are atomic, also between processes
      const stored = (await counter.stat()).size * UNIT;
      // The lock of a dead process means an unfinished collection: it emptied the counter, but perhaps deleted
      // nothing.
      if (stored > STORED_SHARE * this.#maxBytes || (await this.#holder(nowMs)).state === 'dead') {
        if ((await this.collect(nowMs))?.hasRoom !== true) return false;
        await counter.write(units); // the collection has emptied the counter
      }
    } finally {
      await counter.close();
    }
    this.#allotted += units.length * UNIT;
    return true;
  }

  /**
   * Deletes the least recently used entries until a part of the size limit is free, and files that dead
   * processes left behind.
   * @returns undefined if another process is collecting.
   */
  async collect(nowMs: number): Promise<CollectionResult | undefined> {
    const release = await this.#lock(nowMs);
    if (!release) return undefined;
    try {
      // The counter is emptied before the files are listed: a file stored in between counts twice, rather
      // than never. After an unfinished collection, nothing is stored while the next one runs.
      const isAgain = (await this.#stored()) > 2 * STORED_SHARE * this.#maxBytes;
      if (!isAgain) await this.#setCounter(0);
      const unfinished = await this.#sweep(nowMs);
      const entries = await this.list();
      let bytes = 0,
        evicted = 0;
      for (const { size } of entries) bytes += size;
      entries.sort((a, b) => a.usedMs - b.usedMs);
      // Most unfinished files wait for this collection, so entries make room for a part of them only.
      const limit = KEPT_SHARE * this.#maxBytes - Math.min(unfinished, STORED_SHARE * this.#maxBytes);
      for (; bytes > limit && evicted < entries.length; evicted++) {
        await this.remove(entries[evicted].file);
        bytes -= entries[evicted].size;
      }
      bytes += unfinished;
      const hasRoom = bytes <= KEPT_SHARE * this.#maxBytes;
      // Still full: a full counter makes the next writer collect again, and store nothing unless that helps.
      if (!hasRoom) await this.#setCounter(STORED_SHARE * this.#maxBytes);
      else if (isAgain) await this.#setCounter(0);
      await writeFile(join(this.path, 'bound'), String(this.#maxBytes), { mode: 0o600 });
      return { entries: entries.length - evicted, bytes, evicted, hasRoom };
    } finally {
      await release();
    }
  }

  /** Returns the bytes that were counted since the last collection. */
  async #stored(): Promise<number> {
    return stat(join(this.path, 'written')).then(
      ({ size }) => size * UNIT,
      () => 0,
    );
  }

  /** Sets the counter to a little more than some bytes, or to 0. */
  async #setCounter(bytes: number): Promise<void> {
    const units = bytes > 0 ? Math.floor(bytes / UNIT) + 1 : 0;
    await truncate(join(this.path, 'written'), units).catch(() => undefined);
  }

  /** Lists every entry. `size` is what it takes on disk, in whole units of 4 KiB. */
  async list(): Promise<{ file: string; size: number; usedMs: number }[]> {
    const found: { file: string; size: number; usedMs: number }[] = [];
    for (const folder of await names(this.path)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      const files = (await names(join(this.path, folder))).map((name) => join(this.path, folder, name));
      const stats = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
      for (const [k, file] of files.entries()) {
        const known = stats[k];
        if (known?.isFile()) found.push({ file, size: onDisk(known.size), usedMs: known.mtimeMs });
      }
    }
    return found;
  }

  #removeOld(): Promise<void> {
    return rm(this.#old, { recursive: true, force: true, maxRetries: 10 });
  }

  /** Deletes the folder with all entries, and that of earlier versions. */
  async clear(): Promise<void> {
    await this.#removeOld();
    await rm(this.path, { recursive: true, force: true, maxRetries: 10 }); // other processes may be writing to it
  }

  /**
   * Deletes unfinished files of processes that have ended.
   * @returns the bytes of the other unfinished files.
   */
  async #sweep(nowMs: number): Promise<number> {
    let bytes = 0;
    for (const name of await names(join(this.path, 'tmp'))) {
      const file = join(this.path, 'tmp', name);
      const [, host, pid, size] = /^(.*)\.(\d+)\.[\w-]+\.(\d+)$/.exec(name) ?? [];
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: nowMs }));
      if (nowMs - mtimeMs > STALE_MS || (host === hostname() && !isAlive(Number(pid))))
        await rm(file, { force: true });
      else bytes += onDisk(Number(size ?? 0));
    }
    return bytes;
  }

  /** Takes the lock. @returns a function that releases it; undefined if another process holds it. */
  async #lock(nowMs: number): Promise<(() => Promise<void>) | undefined> {
    const file = join(this.path, 'lock');
    const mine = `${hostname()} ${process.pid} ${WRITER}-${filesWritten++}`;
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        await writeFile(file, mine, { flag: 'wx', mode: 0o600 });
        return () => this.#removeLock(mine);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const { state, text } = await this.#holder(nowMs);
      if (state === 'alive') return undefined;
      if (state === 'nobody') continue;
      // The counter says nothing after an unfinished collection. Until the next one has ended, nothing is stored.
      await this.#setCounter(2 * STORED_SHARE * this.#maxBytes);
      await this.#removeLock(text);
    }
    return undefined;
  }

  /**
   * Removes the lock if it has this text. Meanwhile another process may have removed it and a third may have taken
   * it, so it is moved away first, and put back if it is another lock.
   */
  async #removeLock(text: string): Promise<void> {
    const aside = this.#temporary(0);
    try {
      await rename(join(this.path, 'lock'), aside);
      if ((await readFile(aside, 'utf8')) !== text) await link(aside, join(this.path, 'lock'));
    } catch {
      // There is no lock to remove, or a process has taken it in that moment. Then both collect, which does no harm.
    }
    await rm(aside, { force: true });
  }

  /** Tells whether the lock is held by a live process, by a dead one, or by none; and what it says. */
  async #holder(nowMs: number): Promise<{ state: 'alive' | 'dead' | 'nobody'; text: string }> {
    const file = join(this.path, 'lock');
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
      const [host, pid] = text.split(' '),
        ageMs = nowMs - mtimeMs;
      const ended =
        pid === undefined ? ageMs > UNSIGNED_LOCK_MS : host === hostname() && !isAlive(Number(pid));
      return { state: ended || ageMs > STALE_MS ? 'dead' : 'alive', text };
    } catch (error) {
      if (isNotFound(error)) return { state: 'nobody', text: '' };
      throw error;
    }
  }
}

/**
 * Makes a folder that only its owner may enter, or checks an existing one.
 * @param what The folder's content, for the message: `chunks`.
 * @throws PathError FORBIDDEN_ADDRESS if others may write to it; the error of the file system.
 */
export async function preparePrivateFolder(path: string, what: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  const mine = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !mine || (process.getuid !== undefined && (found.mode & 0o077) !== 0))
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      `${path} must be a folder that you own and only you may enter (mode 0700): otherwise others could put false ${what} into it`,
    );
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
