/**
 * A cache of small values, such as indices, whose reads are shared by all calls that need them at the same
 * time.
 */
import { LRUCache } from 'lru-cache';
import { leaveOnAbort } from '../base/abort.ts';

/** The size limit of a {@link SharedReads}. */
export interface SharedReadsOptions<V> {
  /** Size of the cache. The value that was used least recently is dropped first. */
  maxBytes: number;
  bytesOf: (value: V) => number;
}

/** The reads that one call started. */
interface Batch {
  /** Number of calls that wait for any of them. */
  callers: number;
  abort: AbortController;
}

/** Overhead per cached value in bytes. It also limits the number of values. */
const ENTRY_BYTES = 256;

/**
 * Caches values by key and shares reads in progress. A failed read is forgotten, and a read without callers
 * is cancelled, so that no caller gets the error or the abort of another.
 */
export class SharedReads<V extends object> {
  readonly #kept: LRUCache<string, V>;
  readonly #inFlight = new Map<string, { batch: Batch; value: Promise<V | undefined> }>();

  constructor({ maxBytes, bytesOf }: SharedReadsOptions<V>) {
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (value) => bytesOf(value) + ENTRY_BYTES,
    });
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  /** Drops the value of a key if it is still this one. The next call reads it again. */
  forget(key: string, value: V): void {
    if (this.#kept.peek(key) === value) this.#kept.delete(key);
  }

  /** Returns the cached value of a key, without counting it as a use. */
  peek(key: string): V | undefined {
    return this.#kept.peek(key);
  }

  /**
   * Returns one value per key, each with its own error. Undefined means that nothing is stored; it is not
   * cached.
   *
   * @param keys Distinct keys.
   * @param read Starts the reads for the keys at these positions and returns one promise for each.
   * @throws signal.reason, for this caller alone.
   */
  readAll(
    keys: readonly string[],
    read: (missing: readonly number[], signal: AbortSignal) => readonly Promise<V | undefined>[],
    signal: AbortSignal,
  ): Promise<PromiseSettledResult<V | undefined>[]> {
    const missing = [...keys.keys()].filter((k) => !this.#kept.has(keys[k]) && !this.#inFlight.has(keys[k]));
    if (missing.length > 0)
      this.#start(
        missing.map((k) => keys[k]),
        (abort) => read(missing, abort),
      );
    const batches = new Set<Batch>();
    const values = keys.map((key) => {
      const inFlight = this.#inFlight.get(key);
      if (!inFlight) return Promise.resolve(this.#kept.get(key));
      batches.add(inFlight.batch);
      return inFlight.value;
    });
    for (const batch of batches) batch.callers++;
    return leaveOnAbort(Promise.allSettled(values), signal, () => {
      for (const batch of batches) if (--batch.callers === 0) this.#cancel(batch);
    });
  }

  #start(keys: readonly string[], read: (signal: AbortSignal) => readonly Promise<V | undefined>[]): void {
    const batch: Batch = { callers: 0, abort: new AbortController() };
    const values = read(batch.abort.signal);
    for (const [k, key] of keys.entries()) {
      const keep = (value: V | undefined): V | undefined => {
        if (value) this.#kept.set(key, value);
        return value;
      };
      const forget = (): void =>
        void (this.#inFlight.get(key)?.batch === batch && this.#inFlight.delete(key));
      this.#inFlight.set(key, { batch, value: values[k].then(keep).finally(forget) });
    }
  }

  #cancel(batch: Batch): void {
    for (const [key, inFlight] of this.#inFlight) if (inFlight.batch === batch) this.#inFlight.delete(key);
    batch.abort.abort();
  }
}
