/** Reads and writes the files of entries without waiting, for threads that have nothing else to do. */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writevSync } from 'node:fs';
import { decodeEntry, ENTRY_OVERHEAD, type CacheEntry } from './entry.ts';

/** A file of the cache that was read. */
export interface EntryFile {
  /** Undefined if the file is damaged. */
  decoded: { key: string; entry: CacheEntry } | undefined;
  /** When it was last used, in milliseconds since 1970. */
  usedMs: number;
}

/** The bytes of a new entry that another thread holds. */
export interface HeldBytes {
  readonly byteLength: number;
  /** Their CRC-32. */
  readonly crc: number;
  /**
   * Writes `head` and the bytes to `temporary`, and renames it to `file`.
   * @returns false if the bytes are held no longer.
   * @throws The error of the file system, with its code.
   */
  write(temporary: string, file: string, head: Uint8Array): Promise<boolean>;
}

/**
 * Reads an entry.
 * @param maxBytes A larger payload is damage, and is not read.
 * @returns undefined if the file does not exist.
 * @throws The error of the file system.
 */
export function readEntryNow(file: string, maxBytes: number): EntryFile | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size, mtimeMs } = fstatSync(fd);
    if (size > maxBytes + ENTRY_OVERHEAD) return { decoded: undefined, usedMs: mtimeMs };
    const bytes = Buffer.allocUnsafeSlow(size);
    let length = 0;
    for (let count = 1; count > 0 && length < size; length += count)
      count = readSync(fd, bytes, length, size - length, length);
    return { decoded: decodeEntry(bytes.subarray(0, length)), usedMs: mtimeMs };
  } finally {
    closeSync(fd);
  }
}

/**
 * Stores a file: it appears under its final name complete, or not at all.
 * @throws The error of the file system.
 */
export function writeFileNow(temporary: string, file: string, parts: readonly Uint8Array[]): void {
  try {
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
      let at = writevSync(fd, parts);
      // A nearly full disk may take only a part. Then the next write fails.
      for (const all = at < size ? Buffer.concat(parts) : undefined; all && at < size;)
        at += writevSync(fd, [all.subarray(at)]);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
