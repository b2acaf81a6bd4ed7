/**
 * Stores entries one by one as they come, for a thread that need not ask for each: the entries of one turn of
 * the event loop are named in the index together, and their pack stays open until then.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import {
  APPEND_OR_MAKE,
  appendRecordsNow,
  isFull,
  MODE,
  openPackNow,
  PackNames,
  recordsOf,
  type PackTarget,
} from './pack-files.ts';
import { RECORD_BYTES } from './pack-record.ts';

/** The unit in which the bytes in a cache folder are counted: one byte of the file `written` per unit. */
export const UNIT = 4096;

/** Where a thread stores entries, and how much it may store before the main thread must make room. */
export interface SaveTarget extends PackTarget {
  /** The size limit of one entry. */
  mostEntryBytes: number;
  /** When more than this was stored since the last collection, the next one begins. */
  storedBytes: number;
  /** A thread counts what it stores in steps of this size. */
  stepBytes: number;
}

/** Returns what an entry takes in the folder, with its record. The last unit of a pack is used in part only. */
export const reservedBytes = (bytes: number, { packBytes }: PackTarget): number =>
  Math.ceil(bytes + RECORD_BYTES + UNIT * Math.min(1, bytes / packBytes));

/** Bytes that one thread has counted and not used yet. */
export class Allowance {
  #left = 0;

  /**
   * Takes bytes for an entry, and counts more if they are used up.
   * @returns false if the main thread must decide: the cache is full, or a collection runs or has failed.
   * @throws The error of the file system.
   */
  take(target: SaveTarget, bytes: number): boolean {
    const wanted = reservedBytes(bytes, target);
    if (this.#left < wanted && !this.#count(target, Math.ceil(Math.max(wanted, target.stepBytes) / UNIT)))
      return false;
    this.#left -= wanted;
    return true;
  }

  #count({ folder, storedBytes }: SaveTarget, units: number): boolean {
    if (existsSync(join(folder, 'lock'))) return false;
    const fd = openSync(join(folder, 'written'), APPEND_OR_MAKE, MODE);
    try {
      // Asking before counting: a full cache would count each entry that it refuses.
      if ((fstatSync(fd).size + units) * UNIT > storedBytes) return false;
      writevSync(fd, [new Uint8Array(units)]); // appends are atomic, also between processes
      if (fstatSync(fd).size * UNIT > storedBytes) return false;
    } finally {
      closeSync(fd);
    }
    this.#left += units * UNIT;
    return true;
  }
}

/** Appends entries to packs of its own. Call `flush` before the turn ends. */
export class PackAppender {
  readonly #names = new PackNames();
  #folder: string | undefined;
  #open: { fd: number; pack: string; size: number } | undefined;
  #records: Uint8Array[] = [];

  /**
   * Writes an entry, which counts when it was flushed.
   * @throws The error of the file system. Then the entry is not stored.
   */
  append(target: PackTarget, hash: Uint8Array, parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (this.#folder !== target.folder) this.flush();
    this.#folder = target.folder;
    if (this.#open && isFull(this.#open.size, length, target)) this.#close();
    const { fd, pack, offset } = this.#open
      ? { ...this.#open, offset: this.#open.size }
      : openPackNow(this.#names, target, length);
    this.#open = { fd, pack, size: offset + length };
    try {
      let at = writevSync(fd, parts);
      // A nearly full disk may take only a part. Then the next write fails.
      for (const all = at < length ? Buffer.concat(parts) : undefined; all && at < length;)
        at += writevSync(fd, [all.subarray(at)]);
    } catch (error) {
      try {
        ftruncateSync(fd, offset);
      } finally {
        this.#close();
      }
      throw error;
    }
    this.#records.push(recordsOf([{ hash, parts }], pack, offset));
  }

  /**
   * Names in the index what was written since the last call, and closes the pack.
   * @throws The error of the file system. Then what was written counts as not stored.
   */
  flush(): void {
    const records = this.#records;
    this.#records = [];
    this.#close();
    if (records.length > 0) appendRecordsNow(this.#folder!, Buffer.concat(records));
  }

  #close(): void {
    if (this.#open) closeSync(this.#open.fd);
    this.#open = undefined;
  }
}
