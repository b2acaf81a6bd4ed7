/**
 * Remembers what is known of roots: one row per root ID, with the time span in which the root is known to be
 * current. 53 to 61 bytes per row, in typed arrays of 65,536 rows each, so that no addition copies them all.
 *
 * A root is current from its creation until it is replaced, without gaps. So if it was current at two
 * timestamps, it was current between them. Each row counts the entries that refer to it, and is free when
 * there is none.
 */
import { BucketChains, hashOfWords } from '../ids/bucket-chains.ts';
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
/** Rows of the first page before it grows. It is doubled up to the size of the others. */
const FIRST_ROWS = 64,
  PAGE_BITS = 16,
  PAGE_ROWS = 2 ** PAGE_BITS,
  IN_PAGE = PAGE_ROWS - 1;

/** The columns of consecutive rows. */
interface Page {
  ids: Uint32Array;
  /** The four times of each row: fromMs, toMs, notCurrentFromMs, learntMs. */
  times: Float64Array;
  flags: Uint8Array;
  /** How many entries refer to each row; for a free row, the next free row plus one. */
  entries: Uint32Array;
}

const createPage = (rows: number): Page => ({
  ids: new Uint32Array(2 * rows),
  times: new Float64Array(COLUMNS * rows),
  flags: new Uint8Array(rows),
  entries: new Uint32Array(rows),
});

/** The table. A row is named by its ordinal. */
export class RootTable {
  #pages = [createPage(FIRST_ROWS)];
  readonly #chains = new BucketChains((ordinal) => hashOfWords(this.lowOf(ordinal), this.highOf(ordinal)));
  #capacity = FIRST_ROWS;
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
    let bytes = this.#chains.bytes;
    for (const { ids, times, flags, entries } of this.#pages)
      bytes += ids.byteLength + times.byteLength + flags.byteLength + entries.byteLength;
    return bytes;
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
    return this.isTooOld(this.#timeOf(ordinal, LEARNT));
  }

  /** Whether a row that was learned at this time is too old to use. */
  isTooOld(learntMs: number): boolean {
    return !(learntMs > this.#cutoffMs && learntMs < this.#newestMs);
  }

  lowOf(ordinal: number): number {
    return this.#pages[ordinal >>> PAGE_BITS].ids[2 * (ordinal & IN_PAGE)];
  }

  highOf(ordinal: number): number {
    return this.#pages[ordinal >>> PAGE_BITS].ids[2 * (ordinal & IN_PAGE) + 1];
  }

  /** Returns what is known of a root at a timestamp. */
  stateAt(ordinal: number, ms: number): RootState {
    if (this.isForgotten(ordinal)) return FORGOTTEN;
    const { times, flags } = this.#pages[ordinal >>> PAGE_BITS],
      at = COLUMNS * (ordinal & IN_PAGE);
    if (ms >= times[at + FROM]) {
      if (ms <= times[at + TO]) return CURRENT;
    } else if (this.wasEverCurrent(ordinal))
      return flags[ordinal & IN_PAGE] & CREATED ? NOT_CURRENT : UNKNOWN_EARLIER;
    return ms >= times[at + NOT_CURRENT_FROM] ? NOT_CURRENT : UNKNOWN_LATER;
  }

  /** Returns the row of a root, or -1. */
  find(low: number, high: number): number {
    const chains = this.#chains;
    let ordinal = chains.first(hashOfWords(low, high));
    while (ordinal >= 0 && (this.lowOf(ordinal) !== low || this.highOf(ordinal) !== high))
      ordinal = chains.after(ordinal);
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
    const ordinal = this.#allocateRow(),
      { ids, times, flags, entries } = this.#pages[ordinal >>> PAGE_BITS],
      row = ordinal & IN_PAGE;
    ids[2 * row] = low;
    ids[2 * row + 1] = high;
    times.set([Infinity, -Infinity, Infinity, nowMs], COLUMNS * row);
    flags[row] = 0;
    entries[row] = 0;
    this.#chains.link(ordinal, hashOfWords(low, high));
    this.#live++;
    return ordinal;
  }

  /** Counts one more entry that refers to a row. */
  retain(ordinal: number): void {
    this.#pages[ordinal >>> PAGE_BITS].entries[ordinal & IN_PAGE]++;
  }

  /** Counts one entry less that refers to a row. Frees the row after the last one. */
  release(ordinal: number): void {
    const { entries } = this.#pages[ordinal >>> PAGE_BITS];
    if (--entries[ordinal & IN_PAGE] > 0) return;
    if (this.find(this.lowOf(ordinal), this.highOf(ordinal)) === ordinal) this.#unlink(ordinal);
    entries[ordinal & IN_PAGE] = this.#free + 1;
    this.#free = ordinal;
    this.#live--;
  }

  /**
   * Notes that a look-up found the root at a settled timestamp. Ignored where the root is known not to be
   * current: for replaced supervoxels and nodes, the server gives the root they had. If a root was not
   * current at a timestamp before it was first seen, it may not have been made yet.
   */
  noteCurrent(ordinal: number, ms: number): void {
    const { times, flags } = this.#pages[ordinal >>> PAGE_BITS],
      at = COLUMNS * (ordinal & IN_PAGE),
      notCurrentFromMs = times[at + NOT_CURRENT_FROM];
    if (ms === notCurrentFromMs || (ms > notCurrentFromMs && this.wasEverCurrent(ordinal))) return;
    if (ms < times[at + FROM]) {
      times[at + FROM] = ms;
      flags[ordinal & IN_PAGE] &= ~CREATED; // it was current before its noted creation, which is therefore wrong
    }
    if (ms > times[at + TO]) times[at + TO] = ms;
    if (notCurrentFromMs <= times[at + TO]) times[at + NOT_CURRENT_FROM] = Infinity;
  }

  /** Whether the root is known to be current at any timestamp. */
  wasEverCurrent(ordinal: number): boolean {
    return this.#timeOf(ordinal, FROM) <= this.#timeOf(ordinal, TO);
  }

  /**
   * Notes that the root is not current from this timestamp on. This only saves requests: no root is answered
   * because another one is not current.
   */
  noteReplaced(ordinal: number, ms: number): void {
    const { times } = this.#pages[ordinal >>> PAGE_BITS],
      at = COLUMNS * (ordinal & IN_PAGE);
    if (ms > times[at + TO] && ms < times[at + NOT_CURRENT_FROM]) times[at + NOT_CURRENT_FROM] = ms;
  }

  /**
   * Notes when the root was made. An empty span stays empty, and a span that starts earlier keeps its start.
   */
  noteCreated(ordinal: number, ms: number): void {
    if (!this.wasEverCurrent(ordinal)) return;
    const { times, flags } = this.#pages[ordinal >>> PAGE_BITS],
      at = COLUMNS * (ordinal & IN_PAGE);
    if (ms < times[at + FROM]) times[at + FROM] = ms;
    flags[ordinal & IN_PAGE] |= CREATED;
  }

  /**
   * Notes that one supervoxel is under both roots, and under the second one at a settled timestamp. So the
   * earlier root ended before the later one began.
   */
  noteSuccession(previous: number, ordinal: number, ms: number): void {
    if (this.#timeOf(previous, TO) < ms) this.noteReplaced(previous, ms);
    else if (this.#timeOf(previous, FROM) > ms) this.noteReplaced(ordinal, this.#timeOf(previous, FROM));
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
        numbers[at + 1 + column] = this.#timeOf(ordinal, column);
      numbers[at + 1 + COLUMNS] = this.#pages[ordinal >>> PAGE_BITS].flags[ordinal & IN_PAGE];
    }
    return numbers;
  }

  /** Adds what another table knew of a root. The older of the two ages counts. */
  merge({ low, high, fromMs, toMs, notCurrentFromMs, learntMs, flags }: RootTableRow): number {
    const ordinal = this.findOrAdd(low, high, learntMs);
    if (learntMs < this.#timeOf(ordinal, LEARNT)) this.#setLearnt(ordinal, learntMs);
    if (fromMs <= toMs) {
      this.noteCurrent(ordinal, toMs);
      this.noteCurrent(ordinal, fromMs);
      if (flags & CREATED) this.noteCreated(ordinal, fromMs);
    }
    this.noteReplaced(ordinal, notCurrentFromMs);
    return ordinal;
  }

  #timeOf(ordinal: number, column: number): number {
    return this.#pages[ordinal >>> PAGE_BITS].times[COLUMNS * (ordinal & IN_PAGE) + column];
  }

  #setLearnt(ordinal: number, ms: number): void {
    this.#pages[ordinal >>> PAGE_BITS].times[COLUMNS * (ordinal & IN_PAGE) + LEARNT] = ms;
  }

  /** Removes a row from the hash, and marks it as forgotten for the entries that still refer to it. */
  #unlink(ordinal: number): void {
    this.#chains.unlink(ordinal, hashOfWords(this.lowOf(ordinal), this.highOf(ordinal)));
    const row = ordinal & IN_PAGE;
    this.#pages[ordinal >>> PAGE_BITS].ids.fill(0, 2 * row, 2 * row + 2);
    this.#setLearnt(ordinal, NaN);
  }

  #allocateRow(): number {
    const ordinal = this.#free;
    if (ordinal !== NONE) {
      this.#free = this.#pages[ordinal >>> PAGE_BITS].entries[ordinal & IN_PAGE] - 1;
      return ordinal;
    }
    if (this.#rows === this.#capacity) this.#grow();
    return this.#rows++;
  }

  #grow(): void {
    if (this.#capacity >= PAGE_ROWS) {
      this.#pages.push(createPage(PAGE_ROWS));
      this.#capacity += PAGE_ROWS;
      return;
    }
    this.#capacity *= 2;
    const [old] = this.#pages,
      page = createPage(this.#capacity);
    page.ids.set(old.ids);
    page.times.set(old.times);
    page.flags.set(old.flags);
    page.entries.set(old.entries);
    this.#pages = [page];
  }
}
