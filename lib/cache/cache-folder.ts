/**
 * The folder of a disk cache: finds, stores and evicts its entries. Any number of processes share it without
 * a server between them.
 *
 *     FOLDER/chunks-v3/       mode 0700
 *       packs/WRITER-NUMBER   entries; the mtime is the time of the last use of one of them
 *       index                 where each entry is; see pack-index.ts
 *       tmp/HOST.PID.NAME     files being written; renamed when complete
 *       written               its length counts what was stored since the last collection, in units of 4 KiB
 *       bound                 the size limit of the last collection
 *       lock                  the process that is collecting now
 *
 * A collection deletes the least recently used packs, and their entries from the index. It needs about 100
 * bytes of memory per entry.
 *
 * All files together take at most the size limit, and what each process is writing at that moment.
 */
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, rm, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PathError } from '../base/errors.ts';
import { ENTRY_OVERHEAD } from './entry.ts';
import { closeFile, openFile, statOpenFile, writeParts } from './file-calls.ts';
import { FolderLock, isNotFound, namesIn } from './folder-lock.ts';
import {
  appendRecords,
  indexFile,
  packFile,
  PackQueue,
  type EntryPlace,
  type PackTarget,
} from './pack-files.ts';
import { reservedBytes, UNIT, type SaveTarget } from './pack-appender.ts';
import { PackIndex } from './pack-index.ts';
import { encodeRemoval, PACK_NAME } from './pack-record.ts';

/**
 * Shares of the size limit. A collection keeps `KEPT_SHARE`. Then `STORED_SHARE` is stored before the next
 * collection begins, and as much may be stored while it runs.
 */
const KEPT_SHARE = 0.68,
  STORED_SHARE = 0.15;
/**
 * Each process counts what it stores in steps of this size, because counting takes longer than writing a
 * small entry. A step that was counted before a collection may be used after it; the shares above leave room
 * for the steps of ten processes and their threads.
 */
const ALLOTTED_SHARE = 1 / 1024,
  MOST_ALLOTTED = 4 * 1024 ** 2;
/** Each thread of a process counts for itself, and a process has up to eight. */
const THREAD_SHARE = ALLOTTED_SHARE / 8,
  MOST_THREAD_STEP = 1024 ** 2;
/** The largest share of the cache that one entry may take. {@link LARGEST_ENTRY_BYTES} is a limit, too. */
const LARGEST_SHARE = 0.1;
/** The size of a pack. A collection deletes whole packs, so a pack is a small share of the limit. */
const PACK_SHARE = 1 / 128,
  MOST_PACK_BYTES = 8 * 1024 ** 2;
const NAME = 'chunks-v3',
  /** The folders of earlier versions of this package, whose entries nobody reads any more. */
  OLD_NAMES = ['chunks-v1', 'chunks-v2'];
/** The size limit of one entry: no index makes a reader allocate more. */
export const LARGEST_ENTRY_BYTES = 1024 ** 3;

/** Bytes that a file takes on disk, in whole units of 4 KiB. */
const onDisk = (bytes: number): number => Math.ceil(bytes / UNIT) * UNIT;

/** The outcome of a collection. */
export interface CollectionResult {
  /** Packs that are left. */
  packs: number;
  /** Bytes on disk. */
  bytes: number;
  /** Packs that were deleted. */
  evicted: number;
}

/** The folder `chunks-v3` of one disk cache. */
export class CacheFolder {
  readonly path: string;
  readonly index: PackIndex;
  readonly #maxBytes: number;
  readonly #old: readonly string[];
  readonly #lock: FolderLock;
  /** The size limit of one entry. */
  readonly mostEntryBytes: number;
  /** Where threads store entries. */
  readonly target: SaveTarget;
  readonly #queue: PackQueue;
  /** Bytes that are counted in `written` and not used yet. */
  #allotted = 0;
  #allotting: Promise<boolean> | undefined;

  constructor(folder: string, maxBytes: number) {
    this.path = join(folder, NAME);
    this.#old = OLD_NAMES.map((name) => join(folder, name));
    this.#maxBytes = maxBytes;
    this.#lock = new FolderLock(this.path);
    this.index = new PackIndex(this.path);
    this.mostEntryBytes = Math.min(LARGEST_SHARE * maxBytes, LARGEST_ENTRY_BYTES + ENTRY_OVERHEAD);
    this.target = {
      folder: this.path,
      packBytes: Math.min(MOST_PACK_BYTES, PACK_SHARE * maxBytes),
      mostEntryBytes: this.mostEntryBytes,
      storedBytes: STORED_SHARE * maxBytes,
      stepBytes: Math.min(MOST_THREAD_STEP, THREAD_SHARE * maxBytes),
    };
    this.#queue = new PackQueue(this.target);
  }

  /**
   * Makes the folder if it does not exist.
   * @throws PathError FORBIDDEN_ADDRESS if others may write to it; the error of the file system.
   */
  async prepare(): Promise<void> {
    await preparePrivateFolder(this.path, 'chunks');
    for (const name of ['packs', 'tmp']) await mkdir(join(this.path, name), { recursive: true, mode: 0o700 });
  }

  /**
   * Deletes files of processes that have ended and the folders of earlier versions, and collects if the size
   * limit is now lower.
   * @throws The error of the file system.
   */
  async cleanUp(nowMs: number): Promise<void> {
    void this.#removeOld().catch(() => undefined); // nobody waits for that, and the next process goes on
    await this.#lock.sweep(nowMs);
    const bound = Number(await readFile(join(this.path, 'bound'), 'utf8').catch(() => '')) || Infinity;
    if (bound > this.#maxBytes) await this.collect(nowMs);
  }

  /** Whether there is an index of entries. */
  hasIndex(): boolean {
    return existsSync(indexFile(this.path));
  }

  /** Marks the pack of an entry as used now. */
  async touch({ file }: EntryPlace, nowMs: number): Promise<void> {
    // A failure does no harm: the pack is only evicted earlier.
    await utimes(file, nowMs / 1000, nowMs / 1000).catch(() => undefined);
  }

  /** Removes an entry. Its bytes stay until its pack is evicted. */
  async remove(hash: Uint8Array): Promise<void> {
    await appendRecords(this.path, encodeRemoval(hash));
    this.index.expire(hash);
  }

  /**
   * Stores an entry.
   * @returns false if the cache is full and another process is making room.
   * @throws The error of the file system.
   */
  async write(hash: Uint8Array, parts: readonly Uint8Array[], nowMs: number): Promise<boolean> {
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    return this.writeWith(hash, size, nowMs, async () => {
      await this.#queue.append({ hash, parts });
      return true;
    });
  }

  /**
   * As {@link write}, but the caller stores the entry.
   * @param size The size of the entry.
   * @param write Stores it. Returns whether it did.
   */
  async writeWith(
    hash: Uint8Array,
    size: number,
    nowMs: number,
    write: (target: PackTarget) => Promise<boolean>,
  ): Promise<boolean> {
    if (!(await this.#reserve(size, nowMs))) return false;
    try {
      return await write(this.target);
    } finally {
      this.index.expire(hash);
    }
  }

  /**
   * Takes bytes that are about to be stored from those that are counted already, and counts more if they are
   * used up.
   * @returns whether they fit.
   */
  async #reserve(bytes: number, nowMs: number): Promise<boolean> {
    const wanted = reservedBytes(bytes, this.target);
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
    const counter = await openFile(join(this.path, 'written'), 'a', 0o600);
    try {
      await writeParts(counter, [units]); // appends are atomic, also between processes
      const stored = (await statOpenFile(counter)).size * UNIT;
      // The lock of a dead process means an unfinished collection: it emptied the counter, but perhaps
      // deleted nothing.
      if (stored > STORED_SHARE * this.#maxBytes || (await this.#lock.holder(nowMs)).state === 'dead') {
        if (!(await this.collect(nowMs))) return false;
        await writeParts(counter, [units]); // the collection has emptied the counter
      }
    } finally {
      await closeFile(counter);
    }
    this.#allotted += units.length * UNIT;
    return true;
  }

  /**
   * Deletes the least recently used packs until a part of the size limit is free, and files that dead
   * processes left behind.
   * @returns undefined if another process is collecting.
   */
  async collect(nowMs: number): Promise<CollectionResult | undefined> {
    // The counter says nothing after an unfinished collection. Until the next one has ended, nothing is
    // stored.
    const release = await this.#lock.take(nowMs, () => this.#setCounter(2 * STORED_SHARE * this.#maxBytes));
    if (!release) return undefined;
    try {
      // The counter is emptied before the files are listed: an entry stored in between counts twice, rather
      // than never. After an unfinished collection, nothing is stored while the next one runs.
      const isAgain = (await this.#stored()) > 2 * STORED_SHARE * this.#maxBytes;
      if (!isAgain) await this.#setCounter(0);
      await this.#lock.sweep(nowMs);
      const packs = await this.packs();
      packs.sort((a, b) => a.usedMs - b.usedMs);
      let bytes = packs.reduce((sum, { size }) => sum + size, await this.indexBytes()),
        evicted = 0;
      for (; bytes > KEPT_SHARE * this.#maxBytes && evicted < packs.length; evicted++) {
        await removeFile(packFile(this.path, packs[evicted].name));
        bytes -= packs[evicted].size;
      }
      const left = packs.slice(evicted);
      if (evicted > 0) await this.#compact(new Set(left.map(({ name }) => name)));
      if (isAgain) await this.#setCounter(0);
      await writeFile(join(this.path, 'bound'), String(this.#maxBytes), { mode: 0o600 });
      return { packs: left.length, bytes, evicted };
    } finally {
      await release();
    }
  }

  async #compact(kept: ReadonlySet<string>): Promise<void> {
    try {
      await this.index.compact(this.#lock.temporary(), kept);
    } catch (error) {
      if (!isNotFound(error)) throw error; // there is no index, or no folder any more
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

  /** Lists every pack. `size` is what it takes on disk. */
  async packs(): Promise<{ name: string; size: number; usedMs: number }[]> {
    const names = (await namesIn(join(this.path, 'packs'))).filter((name) => PACK_NAME.test(name));
    const found = await Promise.all(
      names.map((name) =>
        stat(packFile(this.path, name)).then(
          ({ size, mtimeMs }) => [{ name, size: onDisk(size), usedMs: mtimeMs }],
          () => [],
        ),
      ),
    );
    return found.flat();
  }

  /** Returns what the index takes on disk. */
  indexBytes(): Promise<number> {
    return stat(indexFile(this.path)).then(
      ({ size }) => onDisk(size),
      () => 0,
    );
  }

  async #removeOld(): Promise<void> {
    for (const folder of this.#old) await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }

  /** Deletes the folder with all entries, and those of earlier versions. */
  async clear(): Promise<void> {
    await this.#removeOld();
    await rm(this.path, { recursive: true, force: true, maxRetries: 10 }); // other processes may be writing to it
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

async function removeFile(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
