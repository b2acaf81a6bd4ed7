/** Numbers the distinct 64-bit values of a column, in the order in which they first appear. Pure. */

/** A larger dictionary would be more than 1 MiB, at which other writers stop, too. */
const MOST_IDS = 2 ** 17;
const FIRST_SLOTS = 2 ** 12;
/** More collisions per value than this mean that the values were chosen to collide. */
const MOST_COLLISIONS = 16;

/** A hash table with open addressing on pairs of uint32. */
export class IdDictionary {
  #words = new Uint32Array(FIRST_SLOTS);
  /** For each slot the number of its value plus 1, or 0. */
  #slots = new Uint32Array(FIRST_SLOTS);
  #size = 0;

  /** The number of distinct values. */
  get size(): number {
    return this.#size;
  }

  /** The distinct values as pairs of uint32, low word first. A view, valid until the next `number`. */
  get words(): Uint32Array {
    return this.#words.subarray(0, 2 * this.#size);
  }

  /**
   * Numbers values.
   * @param words The values as pairs of uint32.
   * @param numbers Receives the number of each value.
   * @returns Whether it is worth it: false if more than half of the values are new, or if there are too many. The dictionary
   *   is then as before.
   */
  number(words: Uint32Array, count: number, numbers: Uint32Array): boolean {
    const before = this.#size,
      most = Math.min(MOST_IDS, before + (count >>> 1) + 1);
    for (let from = 0; from < count;) {
      from = this.#numberSome(words, from, count, numbers, most);
      if (from < 0) {
        this.#size = before;
        this.#rehash(this.#slots.length);
        return false;
      }
      if (from < count) this.#rehash(2 * this.#slots.length);
    }
    return true;
  }

  /** @returns Where it stopped, because half of the slots are taken; -1 if there are too many values. */
  #numberSome(ids: Uint32Array, from: number, end: number, numbers: Uint32Array, most: number): number {
    const words = this.#words,
      slots = this.#slots,
      mask = slots.length - 1;
    let size = this.#size,
      left = MOST_COLLISIONS * (end - from),
      k = from;
    for (; k < end; k++) {
      const low = ids[2 * k],
        high = ids[2 * k + 1];
      let slot = hashOf(low, high) & mask,
        number = slots[slot];
      while (number !== 0 && (words[2 * number - 2] !== low || words[2 * number - 1] !== high)) {
        if (--left < 0) return -1;
        slot = (slot + 1) & mask;
        number = slots[slot];
      }
      if (number === 0) {
        if (size === most) return -1;
        if (2 * size >= slots.length) break;
        words[2 * size] = low;
        words[2 * size + 1] = high;
        slots[slot] = number = ++size;
      }
      numbers[k] = number - 1;
    }
    this.#size = size;
    return k;
  }

  /** Puts all values into fresh slots. */
  #rehash(length: number): void {
    const slots = new Uint32Array(length),
      mask = length - 1,
      words = new Uint32Array(length);
    words.set(this.words);
    for (let number = 0; number < this.#size; number++) {
      let slot = hashOf(words[2 * number], words[2 * number + 1]) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
    this.#words = words;
  }
}

/** Returns 32 bits of hash of a uint64; the lowest are mixed best. */
function hashOf(low: number, high: number): number {
  const hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
