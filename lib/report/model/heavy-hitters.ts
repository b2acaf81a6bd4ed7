/**
 * Finds the IDs that occur most often, in bounded memory: 2 MB. Counts are exact while there are at most 65,536
 * distinct IDs. With more, each count is a range that holds the true one, and no ID that occurs more often than the
 * width of that range is missed.
 *
 * Source: Misra and Gries, "Finding repeated elements", 1982, in the form that adds whole batches: Agarwal and
 * others, "Mergeable Summaries", PODS 2012, section 2. It tells the same as Space-Saving.
 */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { findDistinctInSteps } from '../../chunkedgraph/ids/distinct.ts';

/** The number of IDs that are counted. */
export const COUNTED_IDS = 2 ** 16;
/** The number of IDs that are added at a time. */
const STEP_IDS = 2 ** 16;

/** An ID and how often it occurred: at least and at most. Both are the same if the count is exact. */
export interface HeavyHitter {
  /** Decimal text. */
  id: string;
  atLeast: number;
  atMost: number;
}

/** Counts IDs. 0 is not counted. */
export class HeavyHitters {
  readonly #capacity: number;
  /** The IDs that are counted, ascending, as pairs of uint32, low word first. */
  #words = new Uint32Array(0);
  #counts = new Float64Array(0);
  #missed = 0;
  #total = 0;

  constructor(capacity = COUNTED_IDS) {
    this.#capacity = capacity;
  }

  /** The number of IDs that were added, with repeats. */
  get total(): number {
    return this.#total;
  }

  /** How often an ID may have occurred more often than it was counted. 0 if all counts are exact. */
  get missed(): number {
    return this.#missed;
  }

  /** The number of IDs that are counted; of all distinct IDs, if the counts are exact. */
  get size(): number {
    return this.#counts.length;
  }

  /** Adds IDs as pairs of uint32, low word first. */
  *addInSteps(words: Uint32Array): PausableWork {
    for (let from = 0; from < words.length; from += 2 * STEP_IDS) {
      const { ids, indices } = yield* findDistinctInSteps(words.subarray(from, from + 2 * STEP_IDS)),
        counts = new Float64Array(ids.length);
      for (let k = 0; k < indices.length; k++) counts[indices[k]]++;
      this.#merge(new Uint32Array(ids.buffer, ids.byteOffset, 2 * ids.length), counts);
      this.#shrink();
      yield;
    }
  }

  /** Returns the IDs that occurred most often; those with the same count by their ID. */
  top(length: number): HeavyHitter[] {
    const order = Uint32Array.from(this.#counts, (_, k) => k).sort(
      (a, b) => this.#counts[b] - this.#counts[a] || a - b,
    );
    return Array.from(order.subarray(0, length), (k) => ({
      id: String((BigInt(this.#words[2 * k + 1]) << 32n) | BigInt(this.#words[2 * k])),
      atLeast: this.#counts[k],
      atMost: this.#counts[k] + this.#missed,
    }));
  }

  /** Merges counts of sorted IDs into those that are known. */
  #merge(words: Uint32Array, counts: Float64Array): void {
    const known = this.#words,
      before = this.#counts,
      merged = new Uint32Array(known.length + words.length),
      sums = new Float64Array(before.length + counts.length);
    let a = 0,
      b = 0,
      size = 0;
    if (counts.length > 0 && words[0] === 0 && words[1] === 0) b = 1;
    for (let k = b; k < counts.length; k++) this.#total += counts[k];
    while (a < before.length || b < counts.length) {
      const order =
        a === before.length
          ? 1
          : b === counts.length
            ? -1
            : known[2 * a + 1] - words[2 * b + 1] || known[2 * a] - words[2 * b];
      const [from, at] = order <= 0 ? [known, a] : [words, b];
      merged[2 * size] = from[2 * at];
      merged[2 * size + 1] = from[2 * at + 1];
      if (order <= 0) sums[size] += before[a++];
      if (order >= 0) sums[size] += counts[b++];
      size++;
    }
    this.#words = merged.slice(0, 2 * size);
    this.#counts = sums.slice(0, size);
  }

  /** Keeps the IDs with the most occurrences, and subtracts from each what the next one had. */
  #shrink(): void {
    const counts = this.#counts;
    if (counts.length <= this.#capacity) return;
    const least = counts.toSorted()[counts.length - this.#capacity - 1],
      words = this.#words;
    let size = 0;
    for (let k = 0; k < counts.length; k++) {
      if (counts[k] <= least) continue;
      words[2 * size] = words[2 * k];
      words[2 * size + 1] = words[2 * k + 1];
      counts[size++] = counts[k] - least;
    }
    this.#missed += least;
    this.#words = words.slice(0, 2 * size);
    this.#counts = counts.slice(0, size);
  }
}
