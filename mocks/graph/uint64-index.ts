/**
 * A hash map from uint64 to a small integer, with open addressing over pairs of uint32. A Map with bigint
 * keys is ten times slower, and a mocked server looks up millions of IDs.
 */
export class Uint64Index {
  #size = 0;
  #mask: number;
  /** Low and high word of the key in each slot. */
  #keys: Uint32Array;
  /** Value + 1 in each slot; 0 for an empty one. */
  #values: Uint32Array;

  constructor(expected = 16) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(expected, 8) * 2));
    this.#mask = slots - 1;
    this.#keys = new Uint32Array(2 * slots);
    this.#values = new Uint32Array(slots);
  }

  get size(): number {
    return this.#size;
  }

  /** The value of the key, or -1. */
  get(low: number, high: number): number {
    return this.#values[this.#slotOf(low, high)] - 1;
  }

  /** Sets the value of a key. @param value 0 to 2^32 - 2. */
  set(low: number, high: number, value: number): void {
    if (2 * (this.#size + 1) > this.#mask) this.#grow();
    const slot = this.#slotOf(low, high);
    if (this.#values[slot] === 0) {
      this.#size++;
      this.#keys[2 * slot] = low;
      this.#keys[2 * slot + 1] = high;
    }
    this.#values[slot] = value + 1;
  }

  /** The slot that holds the key, or the empty one where it belongs. */
  #slotOf(low: number, high: number): number {
    let hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    hash ^= hash >>> 15;
    let slot = (Math.imul(hash, 0x2c1b3c6d) >>> 3) & this.#mask;
    while (
      this.#values[slot] !== 0 &&
      (this.#keys[2 * slot] !== low >>> 0 || this.#keys[2 * slot + 1] !== high >>> 0)
    )
      slot = (slot + 1) & this.#mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys,
      values = this.#values;
    const slots = 2 * values.length;
    this.#mask = slots - 1;
    this.#keys = new Uint32Array(2 * slots);
    this.#values = new Uint32Array(slots);
    for (let slot = 0; slot < values.length; slot++) {
      if (values[slot] === 0) continue;
      const to = this.#slotOf(keys[2 * slot], keys[2 * slot + 1]);
      this.#keys[2 * to] = keys[2 * slot];
      this.#keys[2 * to + 1] = keys[2 * slot + 1];
      this.#values[to] = values[slot];
    }
  }
}
