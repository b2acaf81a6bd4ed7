/**
 * Remembers what is known of roots: one row per root ID, with the time span in which the root is known to be
 * current. 53 bytes per row, in typed arrays.
 *
 * A root is current from its creation until it is replaced, without gaps. So if it was current at two
 * timestamps, it was current between them. Each row counts the entries that refer to it, and is free when
 * there is none.
 */
import {
  CREATED,
  CURRENT,
  FORGOTTEN,
  NOT_CURRENT,
  UNKNOWN_EARLIER,
  UNKNOWN_LATER,
  type RootState,
} from './root-state.ts';

/** One row, as it is saved. Times are in ms since 1970. A span is empty if `fromMs > toMs`. */
export interface RootTableRow {
  low: number;
  high: number;
  /** The earliest timestamp at which the root is known to be current. */
  fromMs: number;
  /** The latest timestamp at which the root is known to be current. */
  toMs: number;
  /** The earliest timestamp from which the root is known not to be current; Infinity if unknown. */
  notCurrentFromMs: number;
  /** When the row was learned. */
  learntMs: number;
  /** CREATED, or 0. */
  flags: number;
}

/** Bytes per row in {@link RootTable.copyRows}. */
export const ROOT_ROW_BYTES = 48;

const NONE = -1;
const COLUMNS = 4,
  FROM = 0,
  TO = 1,
  NOT_CURRENT_FROM = 2,
  LEARNT = 3;
const FIRST_ROWS = 64,
  GROWTH = 1.5;

/** The table. A row is named by its ordinal. */
export class RootTable {
  #ids = new Uint32Array(2 * FIRST_ROWS);
  /** The four times of each row: fromMs, toMs, notCurrentFromMs, learntMs. */
  #times = new Float64Array(COLUMNS * FIRST_ROWS);
  #flags = new Uint8Array(FIRST_ROWS);
  #entries = new Uint32Array(FIRST_ROWS);
  /** The next row with the same hash, or the next free row. */
  #next = new Int32Array(FIRST_ROWS);
  #heads = new Int32Array(FIRST_ROWS).fill(NONE);
  #rows = 0;
  #free = NONE;
  #live = 0;
  #cutoffMs = -Infinity;
  #newestMs = Infinity;

  /** How many roots have entries, including roots that are too old. */
  get size(): number {
    return this.#live;
  }

  get bytes(): number {
    return (
      this.#ids.byteLength +
      this.#times.byteLength +
      this.#flags.byteLength +
      this.#entries.byteLength +
      this.#next.byteLength +
      this.#heads.byteLength
    );
  }

  /**
   * Sets the time. Rows that were learned more than `maxAgeMs` ago are forgotten. So are rows that were
   * learned as far in the future, because no correct clock wrote them.
   */
  setNow(nowMs: number, maxAgeMs: number): void {
    this.#cutoffMs = nowMs - maxAgeMs;
    this.#newestMs = nowMs + maxAgeMs;
  }

  /** Whether a row is too old to use. */
  isForgotten(ordinal: number): boolean {
    return this.isTooOld(this.#times[COLUMNS * ordinal + LEARNT]);
  }

  /** Whether a row that was learned at this time is too old to use. */
  isTooOld(learntMs: number): boolean {
    return !(learntMs > this.#cutoffMs && learntMs < this.#newestMs);
  }

  lowOf(ordinal: number): number {
    return this.#ids[2 * ordinal];
  }

  highOf(ordinal: number): number {
    return this.#ids[2 * ordinal + 1];
  }

  /** Returns what is known of a root at a timestamp. */
  stateAt(ordinal: number, ms: number): RootState {
    if (this.isForgotten(ordinal)) return FORGOTTEN;
    const times = this.#times,
      at = COLUMNS * ordinal;
    if (ms >= times[at + FROM]) {
      if (ms <= times[at + TO]) return CURRENT;
    } else if (this.wasEverCurrent(ordinal))
      return this.#flags[ordinal] & CREATED ? NOT_CURRENT : UNKNOWN_EARLIER;
    return ms >= times[at + NOT_CURRENT_FROM] ? NOT_CURRENT : UNKNOWN_LATER;
  }

  /** Returns the row of a root, or -1. */
  find(low: number, high: number): number {
    const ids = this.#ids,
      next = this.#next;
    let ordinal = this.#heads[this.#headOf(low, high)];
    while (ordinal !== NONE && (ids[2 * ordinal] !== low || ids[2 * ordinal + 1] !== high))
      ordinal = next[ordinal];
    return ordinal;
  }

  /**
   * Returns the row of a root. Adds a row with an empty span if there is none, or if the old one is
   * forgotten. The new row must be retained.
   */
  findOrAdd(low: number, high: number, nowMs: number): number {
    const found = this.find(low, high);
    if (found !== NONE) {
      if (!this.isForgotten(found)) return found;
      this.#unlink(found);
    }
    const ordinal = this.#allocateRow();
    this.#ids[2 * ordinal] = low;
    this.#ids[2 * ordinal + 1] = high;
    this.#times.set([Infinity, -Infinity, Infinity, nowMs], COLUMNS * ordinal);
    this.#flags[ordinal] = 0;
    this.#entries[ordinal] = 0;
    this.#link(ordinal);
    this.#live++;
    return ordinal;
  }

  /** Counts one more entry that refers to a row. */
  retain(ordinal: number): void {
    this.#entries[ordinal]++;
  }

  /** Counts one entry less that refers to a row. Frees the row after the last one. */
  release(ordinal: number): void {
    if (--this.#entries[ordinal] > 0) return;
    if (this.find(this.lowOf(ordinal), this.highOf(ordinal)) === ordinal) this.#unlink(ordinal);
    this.#next[ordinal] = this.#free;
    this.#free = ordinal;
    this.#live--;
  }

  /**
   * Notes that a look-up found the root at a settled timestamp. Ignored where the root is known not to be
   * current: for replaced supervoxels and nodes, the server gives the root they had. If a root was not
   * current at a timestamp before it was first seen, it may not have been made yet.
   */
  noteCurrent(ordinal: number, ms: number): void {
    const times = this.#times,
      at = COLUMNS * ordinal,
      notCurrentFromMs = times[at + NOT_CURRENT_FROM];
    if (ms === notCurrentFromMs || (ms > notCurrentFromMs && this.wasEverCurrent(ordinal))) return;
    if (ms < times[at + FROM]) {
      times[at + FROM] = ms;
      this.#flags[ordinal] &= ~CREATED; // it was current before its noted creation, which is therefore wrong
    }
    if (ms > times[at + TO]) times[at + TO] = ms;
    if (notCurrentFromMs <= times[at + TO]) times[at + NOT_CURRENT_FROM] = Infinity;
  }

  /** Whether the root is known to be current at any timestamp. */
  wasEverCurrent(ordinal: number): boolean {
    return this.#times[COLUMNS * ordinal + FROM] <= this.#times[COLUMNS * ordinal + TO];
  }

  /**
   * Notes that the root is not current from this timestamp on. This only saves requests: no root is answered
   * because another one is not current.
   */
  noteReplaced(ordinal: number, ms: number): void {
    const times = this.#times,
      at = COLUMNS * ordinal;
    if (ms > times[at + TO] && ms < times[at + NOT_CURRENT_FROM]) times[at + NOT_CURRENT_FROM] = ms;
  }

  /**
   * Notes when the root was made. An empty span stays empty, and a span that starts earlier keeps its start.
   */
  noteCreated(ordinal: number, ms: number): void {
    if (!this.wasEverCurrent(ordinal)) return;
    const times = this.#times,
      at = COLUMNS * ordinal;
    if (ms < times[at + FROM]) times[at + FROM] = ms;
    this.#flags[ordinal] |= CREATED;
  }

  /**
   * Notes that one supervoxel is under both roots, and under the second one at a settled timestamp. So the
   * earlier root ended before the later one began.
   */
  noteSuccession(previous: number, ordinal: number, ms: number): void {
    const times = this.#times;
    if (times[COLUMNS * previous + TO] < ms) this.noteReplaced(previous, ms);
    else if (times[COLUMNS * previous + FROM] > ms)
      this.noteReplaced(ordinal, times[COLUMNS * previous + FROM]);
  }

  /**
   * Copies all rows, {@link ROOT_ROW_BYTES} each: the low and high word of the ID as uint32, then the four
   * times and the flags as doubles. A free row has ID 0.
   */
  copyRows(): Float64Array {
    const numbers = new Float64Array((this.#rows * ROOT_ROW_BYTES) / 8),
      words = new Uint32Array(numbers.buffer);
    for (let ordinal = 0, at = 0; ordinal < this.#rows; ordinal++, at += ROOT_ROW_BYTES / 8) {
      words[2 * at] = this.lowOf(ordinal);
      words[2 * at + 1] = this.highOf(ordinal);
      for (let column = 0; column < COLUMNS; column++)
        numbers[at + 1 + column] = this.#times[COLUMNS * ordinal + column];
      numbers[at + 1 + COLUMNS] = this.#flags[ordinal];
    }
    return numbers;
  }

  /** Adds what another table knew of a root. The older of the two ages counts. */
  merge({ low, high, fromMs, toMs, notCurrentFromMs, learntMs, flags }: RootTableRow): number {
    const ordinal = this.findOrAdd(low, high, learntMs);
    const at = COLUMNS * ordinal;
    if (learntMs < this.#times[at + LEARNT]) this.#times[at + LEARNT] = learntMs;
    if (fromMs <= toMs) {
      this.noteCurrent(ordinal, toMs);
      this.noteCurrent(ordinal, fromMs);
      if (flags & CREATED) this.noteCreated(ordinal, fromMs);
    }
    this.noteReplaced(ordinal, notCurrentFromMs);
    return ordinal;
  }

  #headOf(low: number, high: number): number {
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) & (this.#heads.length - 1);
  }

  #link(ordinal: number): void {
    const head = this.#headOf(this.lowOf(ordinal), this.highOf(ordinal));
    this.#next[ordinal] = this.#heads[head];
    this.#heads[head] = ordinal;
  }

  /** Removes a row from the hash, and marks it as forgotten for the entries that still refer to it. */
  #unlink(ordinal: number): void {
    const head = this.#headOf(this.lowOf(ordinal), this.highOf(ordinal));
    if (this.#heads[head] === ordinal) this.#heads[head] = this.#next[ordinal];
    else {
      let before = this.#heads[head];
      while (this.#next[before] !== ordinal) before = this.#next[before];
      this.#next[before] = this.#next[ordinal];
    }
    this.#ids.fill(0, 2 * ordinal, 2 * ordinal + 2);
    this.#times[COLUMNS * ordinal + LEARNT] = NaN;
  }

  #allocateRow(): number {
    const ordinal = this.#free;
    if (ordinal !== NONE) {
      this.#free = this.#next[ordinal];
      return ordinal;
    }
    if (this.#rows === this.#next.length) this.#grow();
    return this.#rows++;
  }

  #grow(): void {
    const rows = Math.ceil(this.#rows * GROWTH);
    const grown = <A extends Uint32Array | Float64Array | Int32Array | Uint8Array>(larger: A, old: A): A => (
      larger.set(old),
      larger
    );
    this.#ids = grown(new Uint32Array(2 * rows), this.#ids);
    this.#times = grown(new Float64Array(COLUMNS * rows), this.#times);
    this.#flags = grown(new Uint8Array(rows), this.#flags);
    this.#entries = grown(new Uint32Array(rows), this.#entries);
    this.#next = grown(new Int32Array(rows), this.#next);
    if (rows <= this.#heads.length) return;
    this.#heads = new Int32Array(this.#heads.length * 2).fill(NONE);
    for (let ordinal = 0; ordinal < this.#rows; ordinal++)
      if (this.lowOf(ordinal) !== 0 || this.highOf(ordinal) !== 0) this.#link(ordinal);
  }
}
