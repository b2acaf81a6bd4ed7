/** The store of local files. */
import { constants, existsSync } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { RequestError } from '../base/errors.ts';
import { retryOnShortage } from '../base/descriptor-shortage.ts';
import { DEFAULT_MAX_BYTES } from '../http/http-request.ts';
import { clipRange, answerEmptyRange, splitKey, tooLargeError } from './keys.ts';
import type { ReadOptions, Store, StoredObject } from './store.ts';

/**
 * Suffixes that CloudVolume adds to a file for its content encoding, including one that the SDK cannot
 * decode. A file without a suffix comes first.
 */
const SUFFIXES = [
  ['', undefined],
  ['.gz', 'gzip'],
  ['.br', 'br'],
  ['.zstd', 'zstd'],
  ['.xz', 'xz'],
  ['.bz2', 'bz2'],
] as const;

/** Reads objects below a folder. A key cannot lead out of the folder. Symbolic links are followed. */
export class FileStore implements Store {
  readonly url: string;

  constructor(readonly root: string) {
    this.url = `file://${root.replace(/\/+$/, '')}`;
  }

  exists(): boolean {
    return existsSync(this.root);
  }

  /** Lists files, without those in folders below that of the prefix. */
  async list(prefix: string, { signal }: { signal?: AbortSignal } = {}): Promise<string[]> {
    signal?.throwIfAborted();
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1),
      path = folder === '' ? this.root : join(this.root, ...splitKey(folder.slice(0, -1)));
    try {
      const names = await readdir(path);
      return names.map((name) => folder + name).filter((key) => key.startsWith(prefix));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return [];
      throw new RequestError('IO', `${path}: ${code ?? String(error)}`, path, undefined, { cause: error });
    }
  }

  async read(key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
    options.signal?.throwIfAborted();
    const path = join(this.root, ...splitKey(key));
    const empty = answerEmptyRange(options.range);
    if (empty) return empty;
    try {
      for (const [suffix, contentEncoding] of SUFFIXES) {
        const file = await retryOnShortage(() => openIfExists(path + suffix), options);
        if (file) return { ...(await readFile(file, path + suffix, options)), contentEncoding };
      }
      options.signal?.throwIfAborted();
      return undefined;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof RequestError) throw error;
      throw new RequestError(
        'IO',
        `${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
        path,
        undefined,
        { cause: error },
      );
    }
  }
}

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    // With O_NONBLOCK, opening a named pipe does not wait for its writer.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function readFile(
  file: FileHandle,
  path: string,
  { range, signal, maxBytes = DEFAULT_MAX_BYTES, meter }: ReadOptions,
): Promise<Omit<StoredObject, 'contentEncoding'>> {
  try {
    signal?.throwIfAborted();
    if (meter) meter.requests++;
    const stat = await file.stat({ bigint: true }),
      totalBytes = Number(stat.size);
    if (!stat.isFile())
      throw new RequestError('IO', `${path}: ${stat.isDirectory() ? 'EISDIR' : 'not a file'}`, path);
    const part = range ? clipRange(path, range, totalBytes) : { start: 0, end: totalBytes };
    const size = part.end - part.start;
    if (size > maxBytes) throw tooLargeError(path, maxBytes);
    const bytes = new Uint8Array(size);
    for (let filled = 0; filled < size;) {
      const { bytesRead } = await file.read(bytes, filled, size - filled, part.start + filled);
      signal?.throwIfAborted();
      if (bytesRead === 0)
        throw new RequestError('IO', `${path}: the file became shorter while it was read`, path);
      filled += bytesRead;
    }
    if (meter) meter.bytes += size;
    const validator = `file ${stat.mtimeNs} ${stat.size} ${stat.ino}`;
    return { bytes, validator, ...(range && { range: part, totalBytes }) };
  } finally {
    await file.close();
  }
}
