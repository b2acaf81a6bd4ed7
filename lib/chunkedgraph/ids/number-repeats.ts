/**
 * Finds the distinct IDs of a long list in which most IDs are repeats, with a hash table: open addressing on
 * pairs of uint32. It gives up where sorting the whole list costs less.
 *
 * Memory: 4 bytes per ID, and up to 24 per distinct ID.
 */
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { hashOfWords } from './bucket-chains.ts';

/** The distinct IDs of a list in the order in which they first appear. */
export interface NumberedIds {
  /** The distinct IDs as pairs of uint32, low word first. */
  words: Uint32Array<ArrayBuffer>;
  /** For each input ID, its number: its index among the distinct IDs. */
  numbers: Uint32Array;
  /** Returns the numbers of distinct IDs that are given in another order. */
  numbersOf: (words: Uint32Array) => PausableWork<Uint32Array>;
}

/** Shorter lists are sorted as they are. */
const FEWEST_IDS = 2 ** 15;
const SAMPLE = 2 ** 12;
/** Lists that do not repeat each ID this many times are sorted as they are. */
const LEAST_REPEATS = 4;
/** The table begins small: fresh memory that is touched in no order costs more than growing. */
const FIRST_SLOTS = 2 ** 14;
const STRETCH = 2048;
/** More collisions in one stretch mean that the IDs were chosen to collide. */
const MOST_COLLISIONS = 16 * STRETCH;

/**
 * Numbers the distinct IDs.
 * @param words IDs as pairs of uint32, low word first. They must not change until it ends.
 * @returns Undefined where the list is short or has few repeats, or where many IDs collide.
 */
export function* numberRepeats(words: Uint32Array): PausableWork<NumberedIds | undefined> {
  const count = words.length / 2;
  if (count < FEWEST_IDS || !hasManyRepeats(words)) return undefined;
  const table = new NumberTable(Math.floor(count / LEAST_REPEATS)),
    numbers = new Uint32Array(count);
  for (let from = 0; from < count;) {
    const next = table.number(words, from, Math.min(count, from + STRETCH), numbers);
    if (next === undefined) return undefined;
    if (table.isFull) yield* table.grow();
    if (table.isFull) return undefined;
    from = next;
    yield;
  }
  return {
    words: table.words.subarray(0, 2 * table.size),
    numbers,
    *numbersOf(sorted) {
      const found = new Uint32Array(sorted.length / 2);
      const find = (from: number, end: number): void => void table.number(sorted, from, end, found);
      yield* inStretches(found.length, find, STRETCH);
      return found;
    },
  };
}

/** Estimates from the repeats among some of the IDs whether the table pays. */
function hasManyRepeats(words: Uint32Array): boolean {
  const sample = new Uint32Array(2 * SAMPLE),
    stretch = words.length / 2 / SAMPLE;
  for (let k = 0; k < SAMPLE; k++) {
    // One ID of each stretch, not always at the same place: even steps could follow a pattern of the IDs.
    const at = 2 * Math.floor((k + (hashOfWords(k, k) >>> 0) / 2 ** 32) * stretch);
    sample[2 * k] = words[at];
    sample[2 * k + 1] = words[at + 1];
  }
  const table = new NumberTable(SAMPLE);
  if (table.number(sample, 0, SAMPLE, new Uint32Array(SAMPLE)) === undefined) return false;
  // Two places hold the same ID with a chance of 1 in the number of distinct IDs.
  const most = words.length / 2 / LEAST_REPEATS;
  return SAMPLE - table.size >= Math.min(SAMPLE / 8, (SAMPLE * SAMPLE) / 2 / most);
}

/** Numbers IDs in the order in which they first appear. */
class NumberTable {
  /** The IDs by their numbers. */
  readonly words: Uint32Array<ArrayBuffer>;
  size = 0;
  /** For each slot the number of its ID plus 1, or 0. */
  #slots = new Uint32Array(FIRST_SLOTS);

  /** @param most Most distinct IDs. */
  constructor(most: number) {
    this.words = new Uint32Array(2 * most);
  }

  /** Whether half of the slots are taken, or no room is left for IDs. It must not be asked for more then. */
  get isFull(): boolean {
    return 2 * this.size >= this.#slots.length || 2 * this.size === this.words.length;
  }

  /**
   * Numbers the IDs from `from` to `end`. Stops early if the table is full.
   * @returns The index behind the last ID with a number; undefined if too many IDs collide.
   */
  number(ids: Uint32Array, from: number, end: number, numbers: Uint32Array): number | undefined {
    const { words } = this,
      slots = this.#slots,
      mask = slots.length - 1,
      most = Math.min(slots.length >>> 1, words.length >>> 1);
    let { size } = this,
      left = MOST_COLLISIONS,
      k = from;
    for (; k < end; k++) {
      const low = ids[2 * k],
        high = ids[2 * k + 1];
      let slot = hashOfWords(low, high) & mask,
        number = slots[slot];
      while (number !== 0 && (words[2 * number - 2] !== low || words[2 * number - 1] !== high)) {
        if (--left === 0) return undefined;
        slot = (slot + 1) & mask;
        number = slots[slot];
      }
      if (number === 0) {
        if (size === most) break;
        words[2 * size] = low;
        words[2 * size + 1] = high;
        slots[slot] = number = ++size;
      }
      numbers[k] = number - 1;
    }
    this.size = size;
    return k;
  }

  /** Takes four times as many slots. */
  *grow(): PausableWork {
    const { words } = this,
      slots = new Uint32Array(4 * this.#slots.length),
      mask = slots.length - 1;
    const insert = (from: number, end: number): void => {
      for (let number = from; number < end; number++) {
        let slot = hashOfWords(words[2 * number], words[2 * number + 1]) & mask;
        while (slots[slot] !== 0) slot = (slot + 1) & mask;
        slots[slot] = number + 1;
      }
    };
    yield* inStretches(this.size, insert, STRETCH);
    this.#slots = slots;
  }
}
