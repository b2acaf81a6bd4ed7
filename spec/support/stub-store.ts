/** A store of a few objects that records its reads, and answers when and how a spec says. */
import type { ReadOptions, Store, StoredObject } from '../../lib/storage/store.ts';

export interface StoreRead extends ReadOptions {
  key: string;
}

export class StubStore implements Store {
  readonly reads: StoreRead[] = [];
  /** @param answer Answers a read; it may throw or wait. */
  constructor(
    readonly answer: (
      key: string,
      options: ReadOptions,
    ) => Uint8Array | StoredObject | undefined | Promise<Uint8Array | StoredObject | undefined>,
    readonly url = 'https://bucket.example/volume',
  ) {}

  get keys(): string[] {
    return this.reads.map(({ key }) => key);
  }

  async read(key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
    options.signal?.throwIfAborted();
    this.reads.push({ key, ...options, signal: options.signal });
    if (options.meter) options.meter.requests++;
    const found = await this.answer(key, options);
    if (found === undefined) return undefined;
    const object = found instanceof Uint8Array ? { bytes: found, contentEncoding: undefined } : found;
    if (options.meter) options.meter.bytes += object.bytes.byteLength;
    return object;
  }
}

/** A promise that is settled from outside. */
export function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void, reject!: (error: unknown) => void;
  const promise = new Promise<T>((ok, no) => ((resolve = ok), (reject = no)));
  return { promise, resolve, reject };
}

/** Waits until everything that is ready has run. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
