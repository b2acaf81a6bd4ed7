/**
 * A set of uint64 IDs that numbers its members in the order of their arrival. It uses open addressing on
 * pairs of uint32, without BigInt.
 *
 * Memory: 16 to 32 bytes per member, and half as much again while it grows.
 */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { findDistinctInSteps } from './distinct.ts';

/** The set. Each member has an ordinal: 0 for the first ID that was added, 1 for the second. */
export class IdIndex {
  #slots = new Int32Array(64).fill(-1);
  #pairs = new Uint32Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns the ordinal of an ID. Adds the ID if it is new. */
  add(low: number, high: number): number {
    let slot = this.#slotOf(low, high);
    let ordinal = this.#slots[slot];
    if (ordinal >= 0) return ordinal;
    if (this.#size * 2 === this.#pairs.length) {
      this.#grow();
      slot = this.#slotOf(low, high);
    }
    ordinal = this.#size++;
    this.#pairs[2 * ordinal] = low;
    this.#pairs[2 * ordinal + 1] = high;
    this.#slots[slot] = ordinal;
    return ordinal;
  }

  /** Returns the ordinal of an ID, or -1 if it is not a member. */
  find(low: number, high: number): number {
    return this.#slots[this.#slotOf(low, high)];
  }

  /** Returns the members in ascending order, in fresh memory. No member may be added until it ends. */
  *sortInSteps(): PausableWork<BigUint64Array> {
    return (yield* findDistinctInSteps(this.#pairs.subarray(0, 2 * this.#size))).ids;
  }

  #slotOf(low: number, high: number): number {
    const mask = this.#slots.length - 1,
      pairs = this.#pairs,
      slots = this.#slots;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & mask;
    for (let ordinal = slots[slot]; ordinal >= 0; ordinal = slots[slot]) {
      if (pairs[2 * ordinal] === low && pairs[2 * ordinal + 1] === high) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const pairs = new Uint32Array(this.#pairs.length * 2);
    pairs.set(this.#pairs);
    this.#pairs = pairs;
    this.#slots = new Int32Array(pairs.length).fill(-1);
    for (let ordinal = 0; ordinal < this.#size; ordinal++)
      this.#slots[this.#slotOf(pairs[2 * ordinal], pairs[2 * ordinal + 1])] = ordinal;
  }
}
