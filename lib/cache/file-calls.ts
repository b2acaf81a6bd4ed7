/**
 * The calls of the file system that the disk cache makes often. `node:fs/promises` takes more CPU time for
 * them than the system does.
 */
import { close, fstat, ftruncate, open, read, writev, type Stats } from 'node:fs';

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

const once = <T>(start: (done: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
const onceDone = (start: (done: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> =>
  once<void>((done) => start((error) => done(error, undefined)));

export const openFile = (path: string, flags: number | string, mode?: number): Promise<number> =>
  once((done) => open(path, flags, mode, done));
export const closeFile = (fd: number): Promise<void> => onceDone((done) => close(fd, done));
export const statOpenFile = (fd: number): Promise<Stats> => once<Stats>((done) => fstat(fd, done));
export const cutFile = (fd: number, length: number): Promise<void> =>
  onceDone((done) => ftruncate(fd, length, done));

/** Writes all parts at the end of the file. */
export async function writeParts(fd: number, parts: readonly Uint8Array[]): Promise<void> {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
  let written = await once<number>((done) => writev(fd, parts, done));
  // A nearly full disk may take only a part. Then the next write fails.
  for (const all = written < size ? Buffer.concat(parts) : undefined; all && written < size;) {
    const from = written;
    written += await once<number>((done) => writev(fd, [all.subarray(from)], done));
  }
}

/** Reads up to `length` bytes from an offset; fewer if the file ends before. */
export async function readPart(fd: number, offset: number, length: number): Promise<Uint8Array> {
  // Not from the pool of small buffers: the bytes must be aligned, and a cache may keep them alive.
  const bytes = Buffer.allocUnsafeSlow(length);
  return bytes.subarray(0, await readInto(fd, bytes, offset));
}

/** Fills bytes from an offset. @returns how many were read; fewer if the file ends before. */
export async function readInto(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
  const length = bytes.byteLength;
  let at = 0;
  for (let more = length > 0; more && at < length;) {
    const from = at,
      count = await once<number>((done) => read(fd, bytes, from, length - from, offset + from, done));
    at += count;
    more = count > 0;
  }
  return at;
}
