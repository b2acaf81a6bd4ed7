/**
 * Packs on disk: files to which one thread of one process appends entries, and which any number of processes
 * read.
 *
 *     packs/WRITER-NUMBER   entries (see entry.ts), one after another
 *     index                 a record per entry (see pack-record.ts); all processes append to it
 *
 * Appending takes a thirtieth of the time of making a file, and less where many files were deleted. No file
 * stays open, so an evicted pack is gone at once. A record is written after its entry. A process that is
 * killed in between leaves bytes that no record names; they go when their pack is evicted.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writevSync } from 'node:fs';
import { join, sep } from 'node:path';
import { decodeEntry, type CacheEntry } from './entry.ts';
import { closeFile, cutFile, openFile, readPart, statOpenFile, writeParts } from './file-calls.ts';
import { encodeRecord, packName } from './pack-record.ts';

/** Where an entry is. */
export interface EntryPlace {
  /** The path of its pack. */
  file: string;
  offset: number;
  length: number;
}

/** What was read at the place of an entry. */
export interface PlaceRead {
  /** Undefined if the entry is damaged. */
  decoded: { key: string; entry: CacheEntry } | undefined;
  /** When its pack was last used, in milliseconds since 1970. */
  usedMs: number;
}

/** Where to store entries. */
export interface PackTarget {
  /** The folder of the cache. */
  folder: string;
  /** A pack that is larger with one more entry does not get it. */
  packBytes: number;
}

/** An entry to store: the hash of its key, and its bytes in pieces. */
export interface PackedEntry {
  hash: Uint8Array;
  parts: readonly Uint8Array[];
}

/** The bytes of a new entry that another thread holds. */
export interface HeldBytes {
  readonly byteLength: number;
  /** Their CRC-32. */
  readonly crc: number;
  /**
   * Stores `head` and the bytes as the entry of a key with this hash.
   * @returns false if the bytes are held no longer.
   * @throws The error of the file system, with its code.
   */
  write(target: PackTarget, hash: Uint8Array, head: Uint8Array): Promise<boolean>;
}

export const MODE = 0o600;
const APPEND = constants.O_WRONLY | constants.O_APPEND,
  NEW = APPEND | constants.O_CREAT | constants.O_EXCL;
export const APPEND_OR_MAKE = APPEND | constants.O_CREAT;
/** How often a record is written again because the index was replaced in that moment. */
const MOST_REPLACEMENTS = 10;
/** Entries that are written in one call. The system takes at most 1,024 pieces. */
const MOST_AT_ONCE = 256;

/** Returns the path of the index in a cache folder. */
export const indexFile = (folder: string): string => join(folder, 'index');
/** Returns the path of a pack in a cache folder. */
export const packFile = (folder: string, pack: string): string => `${folder}${sep}packs${sep}${pack}`;

const sizeOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, part) => sum + part.byteLength, 0);
const isNotFound = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** The packs that one writer makes, one after another. */
export class PackNames {
  readonly #writer = randomBytes(8);
  #number = 0;
  /** The pack that gets the next entry. */
  current: string | undefined;

  next(): string {
    return (this.current = packName(this.#writer, this.#number++));
  }
}

/** Returns how many entries, from one on, may come into one pack. */
function countNext(entries: readonly PackedEntry[], from: number, target: PackTarget): number {
  let count = 0,
    size = 0;
  for (; count < MOST_AT_ONCE && from + count < entries.length; count++) {
    const length = sizeOf(entries[from + count].parts);
    if (isFull(size, length, target)) break;
    size += length;
  }
  return count;
}

/** Makes the records of entries that lie one after another in a pack. */
export function recordsOf(entries: readonly PackedEntry[], pack: string, offset: number): Uint8Array {
  let at = offset;
  return Buffer.concat(
    entries.map(({ hash, parts }) => {
      const length = sizeOf(parts);
      at += length;
      return encodeRecord(hash, { pack, offset: at - length, length });
    }),
  );
}

export const isFull = (size: number, length: number, { packBytes }: PackTarget): boolean =>
  size > 0 && size + length > packBytes;

/** Stores entries without waiting, for threads that have nothing else to do. */
export class PackWriter {
  readonly #names = new PackNames();

  /** @throws The error of the file system. Some of the entries may be stored then. */
  append(target: PackTarget, entries: readonly PackedEntry[]): void {
    for (let done = 0; done < entries.length;) {
      const count = countNext(entries, done, target);
      this.#appendToOne(target, entries.slice(done, (done += count)));
    }
  }

  #appendToOne(target: PackTarget, entries: readonly PackedEntry[]): void {
    const parts = entries.flatMap((entry) => entry.parts),
      length = sizeOf(parts);
    const { fd, pack, offset } = openPackNow(this.#names, target, length);
    try {
      let at = writevSync(fd, parts);
      // A nearly full disk may take only a part. Then the next write fails.
      for (const all = at < length ? Buffer.concat(parts) : undefined; all && at < length;)
        at += writevSync(fd, [all.subarray(at)]);
    } catch (error) {
      ftruncateSync(fd, offset);
      throw error;
    } finally {
      closeSync(fd);
    }
    appendRecordsNow(target.folder, recordsOf(entries, pack, offset));
  }
}

/** Opens the pack that gets the next entries of a writer, and tells its size. */
export function openPackNow(
  names: PackNames,
  target: PackTarget,
  length: number,
): { fd: number; pack: string; offset: number } {
  const { current } = names;
  if (current !== undefined) {
    try {
      const fd = openSync(packFile(target.folder, current), APPEND),
        offset = fstatSync(fd).size;
      if (!isFull(offset, length, target)) return { fd, pack: current, offset };
      closeSync(fd);
    } catch (error) {
      if (!isNotFound(error)) throw error; // it was evicted
    }
  }
  const pack = names.next();
  return { fd: openSync(packFile(target.folder, pack), NEW, MODE), pack, offset: 0 };
}

/** Appends records to the index, and again if the index was replaced before they were in it. */
export function appendRecordsNow(folder: string, records: Uint8Array): void {
  for (let attempt = 0; attempt < MOST_REPLACEMENTS; attempt++) {
    const fd = openSync(indexFile(folder), APPEND_OR_MAKE, MODE);
    try {
      writevSync(fd, [records]);
      if (fstatSync(fd).nlink > 0) return;
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * As {@link PackWriter}, for the main thread. Entries that come while others are written are written
 * together.
 */
export class PackQueue {
  readonly #names = new PackNames();
  readonly #target: PackTarget;
  #waiting: (PackedEntry & { resolve: () => void; reject: (error: unknown) => void })[] = [];
  #isRunning = false;

  constructor(target: PackTarget) {
    this.#target = target;
  }

  /** @throws The error of the file system. */
  append(entry: PackedEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...entry, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const entries = this.#waiting.splice(0, countNext(this.#waiting, 0, this.#target));
      try {
        await this.#appendAll(entries);
        for (const { resolve } of entries) resolve();
      } catch (error) {
        for (const { reject } of entries) reject(error);
      }
    }
    this.#isRunning = false;
  }

  async #appendAll(entries: readonly PackedEntry[]): Promise<void> {
    const parts = entries.flatMap((entry) => entry.parts),
      { fd, pack, offset } = await this.#open(sizeOf(parts));
    try {
      await writeParts(fd, parts);
    } catch (error) {
      await cutFile(fd, offset);
      throw error;
    } finally {
      await closeFile(fd);
    }
    await appendRecords(this.#target.folder, recordsOf(entries, pack, offset));
  }

  async #open(length: number): Promise<{ fd: number; pack: string; offset: number }> {
    const { current } = this.#names,
      { folder } = this.#target;
    if (current !== undefined) {
      try {
        const fd = await openFile(packFile(folder, current), APPEND),
          offset = (await statOpenFile(fd)).size;
        if (!isFull(offset, length, this.#target)) return { fd, pack: current, offset };
        await closeFile(fd);
      } catch (error) {
        if (!isNotFound(error)) throw error; // it was evicted
      }
    }
    const pack = this.#names.next();
    return { fd: await openFile(packFile(folder, pack), NEW, MODE), pack, offset: 0 };
  }
}

/**
 * Appends records to the index, and again if the index was replaced before they were in it.
 * @throws The error of the file system.
 */
export async function appendRecords(folder: string, records: Uint8Array): Promise<void> {
  for (let attempt = 0; attempt < MOST_REPLACEMENTS; attempt++) {
    const fd = await openFile(indexFile(folder), APPEND_OR_MAKE, MODE);
    try {
      await writeParts(fd, [records]);
      if ((await statOpenFile(fd)).nlink > 0) return;
    } finally {
      await closeFile(fd);
    }
  }
}

/**
 * Reads an entry without waiting.
 * @returns undefined if the pack does not exist.
 * @throws The error of the file system.
 */
export function readPlaceNow({ file, offset, length }: EntryPlace): PlaceRead | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  try {
    const { size, mtimeMs } = fstatSync(fd);
    if (size < offset + length) return { decoded: undefined, usedMs: mtimeMs };
    const bytes = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (let count = 1; count > 0 && at < length; at += count)
      count = readSync(fd, bytes, at, length - at, offset + at);
    return { decoded: decodeEntry(bytes.subarray(0, at)), usedMs: mtimeMs };
  } finally {
    closeSync(fd);
  }
}

/** As {@link readPlaceNow}, for the main thread. */
export async function readPlace({ file, offset, length }: EntryPlace): Promise<PlaceRead | undefined> {
  let fd: number;
  try {
    fd = await openFile(file, 'r');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  try {
    const { size, mtimeMs } = await statOpenFile(fd);
    if (size < offset + length) return { decoded: undefined, usedMs: mtimeMs };
    return { decoded: decodeEntry(await readPart(fd, offset, length)), usedMs: mtimeMs };
  } finally {
    await closeFile(fd);
  }
}
