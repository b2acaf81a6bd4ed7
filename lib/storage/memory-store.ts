import { copyTypedArray } from '../base/typed-array.ts';
import { DEFAULT_MAX_BYTES } from '../http/http-request.ts';
import { normalizeContentEncoding } from './content-encoding.ts';
import { clipRange, answerEmptyRange, splitKey, tooLargeError } from './keys.ts';
import type { ReadOptions, Store, StoredObject } from './store.ts';

/** What `mem://NAME/…` reads: filled by whoever has its name, kept as long as the process. */
export class MemoryBucket {
  readonly #objects = new Map<string, StoredObject>();
  #puts = 0;

  /** Keeps a copy of the bytes. */
  put(key: string, bytes: Uint8Array, contentEncoding?: string): void {
    this.#objects.set(splitKey(key).join('/'), {
      bytes: copyTypedArray(bytes, 'the bytes'),
      contentEncoding: normalizeContentEncoding(contentEncoding),
      validator: `put ${++this.#puts}`,
    });
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(splitKey(key).join('/'));
  }

  delete(key: string): boolean {
    return this.#objects.delete(splitKey(key).join('/'));
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }
}

const buckets = new Map<string, MemoryBucket>();

/** The bucket behind `mem://NAME`, made when it is first named. */
export function memoryBucket(name: string): MemoryBucket {
  let bucket = buckets.get(name);
  if (!bucket) buckets.set(name, (bucket = new MemoryBucket()));
  return bucket;
}

/** A bucket's objects below a prefix, as copies. */
export class MemoryStore implements Store {
  readonly url: string;
  readonly #bucket: MemoryBucket;
  readonly #prefix: string;

  constructor(name: string, prefix: string) {
    this.#bucket = memoryBucket(name);
    this.#prefix = prefix && `${prefix}/`;
    this.url = `mem://${name}${prefix && `/${prefix}`}`;
  }

  /** Whether this process keeps anything here. */
  exists(): boolean {
    return this.#bucket.keys().some((key) => key.startsWith(this.#prefix));
  }

  async read(
    key: string,
    { range, signal, maxBytes = DEFAULT_MAX_BYTES, meter }: ReadOptions = {},
  ): Promise<StoredObject | undefined> {
    signal?.throwIfAborted();
    const path = splitKey(key).join('/');
    const nothing = answerEmptyRange(range);
    if (nothing) return nothing;
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
