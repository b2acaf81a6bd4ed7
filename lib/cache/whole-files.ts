/**
 * Reads and writes whole files in as few calls of the system as possible. For files of some ten KiB, `node:fs/promises` takes more CPU
 * time than the system does.
 */
import { close, fstat, open, read, writev } from 'node:fs';

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

const once = <T>(start: (done: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));

const openFile = (path: string, flags: string): Promise<number> =>
  once((done) => open(path, flags, 0o600, done));
const closeFile = (fd: number): Promise<void> =>
  once<void>((done) => close(fd, (error) => done(error, undefined)));

/**
 * Reads a whole file and the time of its last change. A file larger than `maxBytes` reads as no bytes.
 * @throws The error of the file system.
 */
export async function readWholeFile(
  path: string,
  maxBytes: number,
): Promise<{ bytes: Uint8Array; usedMs: number }> {
  const fd = await openFile(path, 'r');
  try {
    const { size, mtimeMs } = await once<{ size: number; mtimeMs: number }>((done) => fstat(fd, done));
    if (size > maxBytes) return { bytes: new Uint8Array(0), usedMs: mtimeMs };
    // Not from the pool of small buffers: the bytes must be aligned, and a cache may keep them alive.
    const bytes = Buffer.allocUnsafeSlow(size);
    let length = 0;
    for (let more = size > 0; more && length < size;) {
      const from = length,
        count = await once<number>((done) => read(fd, bytes, from, size - from, from, done));
      length += count;
      more = count > 0; // the file may have been cut in the meantime
    }
    return { bytes: bytes.subarray(0, length), usedMs: mtimeMs };
  } finally {
    await closeFile(fd);
  }
}

/**
 * Writes a new file that only its owner may read.
 * @throws The error of the file system: EEXIST if the file exists. The file may then be there in part.
 */
export async function writeWholeFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const fd = await openFile(path, 'wx');
  try {
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const written = await once<number>((done) => writev(fd, parts, done));
    // A nearly full disk may take only a part. Then the next write fails.
    for (let at = written, rest = at < size ? Buffer.concat(parts) : undefined; rest && at < size;)
      at += await once<number>((done) => writev(fd, [rest.subarray(at)], done));
  } finally {
    await closeFile(fd);
  }
}
