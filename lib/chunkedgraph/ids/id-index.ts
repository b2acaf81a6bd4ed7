/**
 * A set of uint64 IDs that numbers its members in the order of their arrival. It is a hash table on pairs of
 * uint32, without BigInt.
 *
 * Memory: 16 to 32 bytes per member, and half as much again while it grows.
 */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { BucketChains, hashOfWords } from './bucket-chains.ts';
import { findDistinctInSteps } from './distinct.ts';

/** The set. Each member has an ordinal: 0 for the first ID that was added, 1 for the second. */
export class IdIndex {
  #pairs = new Uint32Array(64);
  #size = 0;
  readonly #chains = new BucketChains((ordinal) =>
    hashOfWords(this.#pairs[2 * ordinal], this.#pairs[2 * ordinal + 1]),
  );

  get size(): number {
    return this.#size;
  }

  /** Returns the ordinal of an ID. Adds the ID if it is new. */
  add(low: number, high: number): number {
    const known = this.find(low, high);
    if (known >= 0) return known;
    if (this.#size * 2 === this.#pairs.length) {
      const pairs = new Uint32Array(this.#pairs.length * 2);
      pairs.set(this.#pairs);
      this.#pairs = pairs;
    }
    const ordinal = this.#size++;
    this.#pairs[2 * ordinal] = low;
    this.#pairs[2 * ordinal + 1] = high;
    this.#chains.link(ordinal, hashOfWords(low, high));
    return ordinal;
  }

  /** Returns the ordinal of an ID, or -1 if it is not a member. */
  find(low: number, high: number): number {
    const pairs = this.#pairs,
      chains = this.#chains;
    let ordinal = chains.first(hashOfWords(low, high));
    while (ordinal >= 0 && (pairs[2 * ordinal] !== low || pairs[2 * ordinal + 1] !== high))
      ordinal = chains.after(ordinal);
    return ordinal;
  }

  /** Returns the members in ascending order, in fresh memory. No member may be added until it ends. */
  *sortInSteps(): PausableWork<BigUint64Array> {
    return (yield* findDistinctInSteps(this.#pairs.subarray(0, 2 * this.#size))).ids;
  }
}
