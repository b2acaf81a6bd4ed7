/** Small things read once for all who want them at the same time, and kept for those who come later. */
import { LRUCache } from 'lru-cache';
import { leaveOnAbort } from '../base/abort.ts';

export interface SharedReadsOptions<V> {
  /** What is kept takes no more than this; what was used least recently goes first. */
  maxBytes: number;
  bytesOf: (value: V) => number;
}

/** Reads begun by one call. */
interface Batch {
  /** Calls that wait for any of them. */
  callers: number;
  abort: AbortController;
}

/** What a kept value costs beside its own bytes; it bounds their count, too. */
const ENTRY_BYTES = 256;

/** A read that fails is forgotten, and one that nobody waits for any more is cancelled: nobody inherits another's failure or abort. */
export class SharedReads<V extends object> {
  readonly #kept: LRUCache<string, V>;
  readonly #underWay = new Map<string, { batch: Batch; value: Promise<V | undefined> }>();

  constructor({ maxBytes, bytesOf }: SharedReadsOptions<V>) {
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (value) => bytesOf(value) + ENTRY_BYTES,
    });
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  /** Forgets what is kept at a key, if it is this value: whoever asks from now on reads it again. */
  forget(key: string, value: V): void {
    if (this.#kept.peek(key) === value) this.#kept.delete(key);
  }

  /** What is kept at a key. */
  peek(key: string): V | undefined {
    return this.#kept.peek(key);
  }

  /**
   * One value a key, each with its own failure. undefined (nothing is stored there) is not kept.
   *
   * @param keys Distinct.
   * @param read Begins the reads of the keys at these positions, which nobody else has under way: one promise each.
   * @throws signal.reason for this caller alone.
   */
  readAll(
    keys: readonly string[],
    read: (missing: readonly number[], signal: AbortSignal) => readonly Promise<V | undefined>[],
    signal: AbortSignal,
  ): Promise<PromiseSettledResult<V | undefined>[]> {
    const missing = [...keys.keys()].filter((k) => !this.#kept.has(keys[k]) && !this.#underWay.has(keys[k]));
    if (missing.length > 0)
      this.#begin(
        missing.map((k) => keys[k]),
        (abort) => read(missing, abort),
      );
    const batches = new Set<Batch>();
    const values = keys.map((key) => {
      const underWay = this.#underWay.get(key);
      if (!underWay) return Promise.resolve(this.#kept.get(key));
      batches.add(underWay.batch);
      return underWay.value;
    });
    for (const batch of batches) batch.callers++;
    return leaveOnAbort(Promise.allSettled(values), signal, () => {
      for (const batch of batches) if (--batch.callers === 0) this.#cancel(batch);
    });
  }

  #begin(keys: readonly string[], read: (signal: AbortSignal) => readonly Promise<V | undefined>[]): void {
    const batch: Batch = { callers: 0, abort: new AbortController() };
    const values = read(batch.abort.signal);
    for (const [k, key] of keys.entries()) {
      const keep = (value: V | undefined): V | undefined => {
        if (value) this.#kept.set(key, value);
        return value;
      };
      const forget = (): void =>
        void (this.#underWay.get(key)?.batch === batch && this.#underWay.delete(key));
      this.#underWay.set(key, { batch, value: values[k].then(keep).finally(forget) });
    }
  }

  #cancel(batch: Batch): void {
    for (const [key, underWay] of this.#underWay) if (underWay.batch === batch) this.#underWay.delete(key);
    batch.abort.abort();
  }
}
