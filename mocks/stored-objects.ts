/** The objects of a mocked bucket: those in memory, and the files of a folder below them. */
import { createHash } from 'node:crypto';
import { SUFFIXES, type FileSource, type StoredFile } from './stored-file.ts';

/** An object, and how often it was replaced. */
export interface StoredVersion extends StoredFile {
  /** From 1. A new object that replaces another has a higher one. */
  generation: number;
  /** The ETag in quotes: the MD5 of the bytes, unless the object was uploaded in parts. */
  etag: string;
}

/** Finds, stores and deletes the objects of a bucket. */
export class StoredObjects {
  readonly #files: Record<string, Uint8Array | StoredFile>;
  readonly #onDisk: FileSource;
  readonly #deleted = new Set<string>();
  readonly #puts = new Map<string, number>();

  /** @param files By key. The record may change at any time, and is changed by `put`. */
  constructor(files: Record<string, Uint8Array | StoredFile>, onDisk: FileSource) {
    this.#files = files;
    this.#onDisk = onDisk;
  }

  find(key: string): StoredVersion | undefined {
    for (const [suffix, contentEncoding] of SUFFIXES) {
      const name = key + suffix;
      const file = Object.hasOwn(this.#files, name)
        ? this.#files[name]
        : this.#deleted.has(key)
          ? undefined
          : this.#onDisk(name);
      if (!file) continue;
      const stored =
        file instanceof Uint8Array ? { contentEncoding, bytes: file } : { contentEncoding, ...file };
      return {
        ...stored,
        etag: stored.etag ?? `"${createHash('md5').update(stored.bytes).digest('hex')}"`,
        generation: 1 + (this.#puts.get(key) ?? 0),
      };
    }
    return undefined;
  }

  put(key: string, file: StoredFile): StoredVersion {
    this.delete(key);
    this.#files[key] = file;
    this.#puts.set(key, (this.#puts.get(key) ?? 0) + 1);
    return this.find(key)!;
  }

  /** @returns Whether the object existed. */
  delete(key: string): boolean {
    const had = this.find(key) !== undefined;
    for (const [suffix] of SUFFIXES) delete this.#files[key + suffix];
    this.#deleted.add(key);
    return had;
  }
}
