/** Buckets in the memory of the process, and the store that reads them. */
import { copyTypedArray } from '../base/typed-array.ts';
import { DEFAULT_MAX_BYTES } from '../http/http-request.ts';
import { normalizeContentEncoding } from './content-encoding.ts';
import { clipRange, answerEmptyRange, splitKey, tooLargeError } from './keys.ts';
import type { ReadOptions, Store, StoredObject } from './store.ts';

/**
 * A bucket in memory, read as `mem://NAME/…`. It is kept until the process ends. Use it for tests and
 * examples.
 *
 * @example
 * ```ts
 * const bucket = memoryBucket('demo');
 * bucket.put('volume/info', new TextEncoder().encode(JSON.stringify(info)));
 * await using volume = await openPrecomputed('mem://demo/volume');
 * ```
 */
export class MemoryBucket {
  readonly #objects = new Map<string, StoredObject>();
  #puts = 0;

  /**
   * Stores a copy of the bytes at a key. Replaces what is stored there.
   * @param key Relative path, such as `volume/info`.
   * @param contentEncoding How the bytes are compressed, such as `gzip`. @default not compressed
   * @throws PathError BAD_PATH if the key is not valid.
   */
  put(key: string, bytes: Uint8Array, contentEncoding?: string): void {
    this.#objects.set(splitKey(key).join('/'), {
      bytes: copyTypedArray(bytes, 'the bytes'),
      contentEncoding: normalizeContentEncoding(contentEncoding),
      validator: `put ${++this.#puts}`,
    });
  }

  /** Returns the object at a key, or undefined. Its bytes are not a copy: do not write to them. */
  get(key: string): StoredObject | undefined {
    return this.#objects.get(splitKey(key).join('/'));
  }

  /** Deletes the object at a key. Returns whether there was one. */
  delete(key: string): boolean {
    return this.#objects.delete(splitKey(key).join('/'));
  }

  /** Lists the keys of the bucket. */
  keys(): string[] {
    return [...this.#objects.keys()];
  }
}

const buckets = new Map<string, MemoryBucket>();

/** Returns the bucket of `mem://NAME`. Creates an empty bucket on first use. */
export function memoryBucket(name: string): MemoryBucket {
  let bucket = buckets.get(name);
  if (!bucket) buckets.set(name, (bucket = new MemoryBucket()));
  return bucket;
}

/** Reads the objects of a memory bucket below a prefix. Returns copies. */
export class MemoryStore implements Store {
  readonly url: string;
  readonly #bucket: MemoryBucket;
  readonly #prefix: string;

  constructor(name: string, prefix: string) {
    this.#bucket = memoryBucket(name);
    this.#prefix = prefix && `${prefix}/`;
    this.url = `mem://${name}${prefix && `/${prefix}`}`;
  }

  /** Whether the bucket has any object below the prefix. */
  exists(): boolean {
    return this.#bucket.keys().some((key) => key.startsWith(this.#prefix));
  }

  async list(prefix: string, { signal }: { signal?: AbortSignal } = {}): Promise<string[]> {
    signal?.throwIfAborted();
    return this.#bucket
      .keys()
      .filter((key) => key.startsWith(this.#prefix + prefix))
      .map((key) => key.slice(this.#prefix.length));
  }

  async read(
    key: string,
    { range, signal, maxBytes = DEFAULT_MAX_BYTES, meter }: ReadOptions = {},
  ): Promise<StoredObject | undefined> {
    signal?.throwIfAborted();
    const path = splitKey(key).join('/');
    const empty = answerEmptyRange(range);
    if (empty) return empty;
    if (meter) meter.requests++;
    const object = this.#bucket.get(this.#prefix + path);
    if (!object) return undefined;
    const url = `${this.url}/${path}`;
    const part = range && clipRange(url, range, object.bytes.byteLength);
    const bytes = object.bytes.slice(part?.start, part?.end);
    if (bytes.byteLength > maxBytes) throw tooLargeError(url, maxBytes);
    if (meter) meter.bytes += bytes.byteLength;
    return {
      bytes,
      contentEncoding: object.contentEncoding,
      validator: object.validator,
      ...(part && { range: part, totalBytes: object.bytes.byteLength }),
    };
  }
}
