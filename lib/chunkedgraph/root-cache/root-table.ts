/**
 * What is known of roots: one row a root ID, with the span of time in which it is known to be current. 53 bytes a row, in typed arrays.
 *
 * A root is current from its creation until it is replaced, in one piece: so the span between two moments at which it was seen is known
 * too. Rows are counted by the entries that name them, and are free again when none does.
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

/** One row, as it is saved. Times are in ms since 1970; a span is empty when `fromMs > toMs`. */
export interface RootTableRow {
  low: number;
  high: number;
  fromMs: number;
  toMs: number;
  notCurrentFromMs: number;
  learntMs: number;
  flags: number;
}

/** Of a row in {@link RootTable.copyRows}. */
export const ROOT_ROW_BYTES = 48;

const NONE = -1;
const COLUMNS = 4,
  FROM = 0,
  TO = 1,
  DEAD_FROM = 2,
  LEARNT = 3;
const FIRST_ROWS = 64,
  GROWTH = 1.5;

export class RootTable {
  #ids = new Uint32Array(2 * FIRST_ROWS);
  /** fromMs, toMs, deadFromMs, learntMs of each row. */
  #times = new Float64Array(COLUMNS * FIRST_ROWS);
  #flags = new Uint8Array(FIRST_ROWS);
  #entries = new Uint32Array(FIRST_ROWS);
  /** The next row of the same hash, or of the free rows. */
  #next = new Int32Array(FIRST_ROWS);
  #heads = new Int32Array(FIRST_ROWS).fill(NONE);
  #rows = 0;
  #free = NONE;
  #live = 0;
  #cutoffMs = -Infinity;
  #newestMs = Infinity;

  /** Roots that entries name, those too old included. */
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

  /** Rows learnt longer than `maxAgeMs` ago are gone. So are those learnt as far in the future: no clock of ours wrote them. */
  setNow(nowMs: number, maxAgeMs: number): void {
    this.#cutoffMs = nowMs - maxAgeMs;
    this.#newestMs = nowMs + maxAgeMs;
  }

  isForgotten(ordinal: number): boolean {
    return this.isTooOld(this.#times[COLUMNS * ordinal + LEARNT]);
  }

  isTooOld(learntMs: number): boolean {
    return !(learntMs > this.#cutoffMs && learntMs < this.#newestMs);
  }

  lowOf(ordinal: number): number {
    return this.#ids[2 * ordinal];
  }

  highOf(ordinal: number): number {
    return this.#ids[2 * ordinal + 1];
  }

  /** What is known of a root at one moment. */
  stateAt(ordinal: number, ms: number): RootState {
    if (this.isForgotten(ordinal)) return FORGOTTEN;
    const times = this.#times,
      at = COLUMNS * ordinal;
    if (ms >= times[at + FROM]) {
      if (ms <= times[at + TO]) return CURRENT;
    } else if (this.wasEverCurrent(ordinal))
      return this.#flags[ordinal] & CREATED ? NOT_CURRENT : UNKNOWN_EARLIER;
    return ms >= times[at + DEAD_FROM] ? NOT_CURRENT : UNKNOWN_LATER;
  }

  /** The row of a root, or -1. */
  find(low: number, high: number): number {
    const ids = this.#ids,
      next = this.#next;
    let ordinal = this.#heads[this.#headOf(low, high)];
    while (ordinal !== NONE && (ids[2 * ordinal] !== low || ids[2 * ordinal + 1] !== high))
      ordinal = next[ordinal];
    return ordinal;
  }

  /** The row of a root, a new one with an empty span if there is none or the old one is gone. It is free again unless it is retained. */
  findOrAdd(low: number, high: number, nowMs: number): number {
    const found = this.find(low, high);
    if (found !== NONE) {
      if (!this.isForgotten(found)) return found;
      this.#unlink(found);
    }
    const ordinal = this.#take();
    this.#ids[2 * ordinal] = low;
    this.#ids[2 * ordinal + 1] = high;
    this.#times.set([Infinity, -Infinity, Infinity, nowMs], COLUMNS * ordinal);
    this.#flags[ordinal] = 0;
    this.#entries[ordinal] = 0;
    this.#link(ordinal);
    this.#live++;
    return ordinal;
  }

  retain(ordinal: number): void {
    this.#entries[ordinal]++;
  }

  release(ordinal: number): void {
    if (--this.#entries[ordinal] > 0) return;
    if (this.find(this.lowOf(ordinal), this.highOf(ordinal)) === ordinal) this.#unlink(ordinal);
    this.#next[ordinal] = this.#free;
    this.#free = ordinal;
    this.#live--;
  }

  /**
   * A look-up found the root at this settled moment. It says nothing where the root is known not to be current: the server leads from
   * supervoxels and nodes that were replaced to the root they had. What is not current before a root is first seen may not be made yet.
   */
  noteCurrent(ordinal: number, ms: number): void {
    const times = this.#times,
      at = COLUMNS * ordinal,
      deadFromMs = times[at + DEAD_FROM];
    if (ms === deadFromMs || (ms > deadFromMs && this.wasEverCurrent(ordinal))) return;
    if (ms < times[at + FROM]) {
      times[at + FROM] = ms;
      this.#flags[ordinal] &= ~CREATED; // seen before it was made: it was not made then
    }
    if (ms > times[at + TO]) times[at + TO] = ms;
    if (deadFromMs <= times[at + TO]) times[at + DEAD_FROM] = Infinity;
  }

  /** Whether any moment is known at which the root was current. */
  wasEverCurrent(ordinal: number): boolean {
    return this.#times[COLUMNS * ordinal + FROM] <= this.#times[COLUMNS * ordinal + TO];
  }

  /** The root is not current at this moment, nor later. Only saves questions: a root is never answered because another is not. */
  noteReplaced(ordinal: number, ms: number): void {
    const times = this.#times,
      at = COLUMNS * ordinal;
    if (ms > times[at + TO] && ms < times[at + DEAD_FROM]) times[at + DEAD_FROM] = ms;
  }

  /** The root was made at this moment. Nothing changes for an empty span; a span that begins before only stays as it is. */
  noteCreated(ordinal: number, ms: number): void {
    if (!this.wasEverCurrent(ordinal)) return;
    const times = this.#times,
      at = COLUMNS * ordinal;
    if (ms < times[at + FROM]) times[at + FROM] = ms;
    this.#flags[ordinal] |= CREATED;
  }

  /** One supervoxel is under both, and under the second at this settled moment: so roots tell each other's ends. */
  noteSuccession(former: number, ordinal: number, ms: number): void {
    const times = this.#times;
    if (times[COLUMNS * former + TO] < ms) this.noteReplaced(former, ms);
    else if (times[COLUMNS * former + FROM] > ms) this.noteReplaced(ordinal, times[COLUMNS * former + FROM]);
  }

  /** All rows, {@link ROOT_ROW_BYTES} each: low and high of the ID as uint32, then as doubles the four times and the flags. Free ones have ID 0. */
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

  /** Adds what another table knew of a root; the older of two ages counts. */
  merge({ low, high, fromMs, toMs, notCurrentFromMs: deadFromMs, learntMs, flags }: RootTableRow): number {
    const ordinal = this.findOrAdd(low, high, learntMs);
    const at = COLUMNS * ordinal;
    if (learntMs < this.#times[at + LEARNT]) this.#times[at + LEARNT] = learntMs;
    if (fromMs <= toMs) {
      this.noteCurrent(ordinal, toMs);
      this.noteCurrent(ordinal, fromMs);
      if (flags & CREATED) this.noteCreated(ordinal, fromMs);
    }
    this.noteReplaced(ordinal, deadFromMs);
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

  /** The row can be found no more, and is gone for those that still name it. */
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

  #take(): number {
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
