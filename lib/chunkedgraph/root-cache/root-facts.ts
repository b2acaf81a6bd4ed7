/**
 * Finds the root of a supervoxel at a timestamp from known facts: the roots that the supervoxel is under, and
 * the time span in which each root is known to be current. No I/O, no clock.
 */
import type { IdLayout } from '../ids/id-layout.ts';
import { MemberTable } from './member-table.ts';
import { RootTable } from './root-table.ts';
import { CURRENT, UNKNOWN_EARLIER, UNKNOWN_LATER, type RootState } from './root-state.ts';

/** Decides whether a root is current when the facts do not tell. */
export type ConfirmRoot = (low: number, high: number, state: RootState) => boolean;

export const SUPERVOXEL_LAYER = 1;
/**
 * Layer of the rows that mean "no root at this timestamp". There is one row per timestamp, and its ID encodes
 * the timestamp.
 */
const NO_ROOT_LAYER = 0;
/** The first timestamp that a server accepts. The IDs of such rows count from there, starting at 1. */
const FIRST_MS = -62_135_596_800_000;

/** The facts of one graph. */
export class RootFacts {
  /** What is known of each root. */
  readonly roots = new RootTable();
  /** Which roots each supervoxel is under. */
  readonly members: MemberTable;
  readonly #ids: IdLayout;
  readonly #maxAgeMs: number;

  constructor(ids: IdLayout, maxEntries: number, maxAgeMs: number) {
    this.members = new MemberTable(this.roots, maxEntries);
    this.#ids = ids;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Sets the time. Facts that are too old by then are ignored. */
  setNow(nowMs: number): void {
    this.roots.setNow(nowMs, this.#maxAgeMs);
  }

  /**
   * Returns the row of the root that an ID has at a timestamp, or -1 if it is unknown.
   *
   * @param confirm Called for each root that may be current at the timestamp.
   */
  rootOf(low: number, high: number, ms: number, confirm: ConfirmRoot): number {
    if (this.#ids.layerOf(high) !== SUPERVOXEL_LAYER) return -1;
    const { members, roots } = this;
    let confirmed = -1,
      several = false;
    for (let slot = members.first(low, high); slot >= 0; slot = members.next(slot, low, high)) {
      const ordinal = members.rootAt(slot),
        state = roots.stateAt(ordinal, ms);
      if (state === CURRENT) {
        members.touch(slot);
        return ordinal;
      }
      if (state !== UNKNOWN_LATER && state !== UNKNOWN_EARLIER) continue;
      if (!confirm(roots.lowOf(ordinal), roots.highOf(ordinal), state)) continue;
      members.touch(slot);
      several ||= confirmed >= 0;
      confirmed = ordinal;
    }
    // Two current roots: an edit is being written, and only a look-up can tell its state.
    return several ? -1 : confirmed;
  }

  /** Whether a row means "no root at this timestamp". */
  isNoRoot(ordinal: number): boolean {
    return this.#ids.layerOf(this.roots.highOf(ordinal)) === NO_ROOT_LAYER;
  }

  /**
   * Adds the fact that an ID was found under a root.
   *
   * @param settled Whether the timestamp was settled when the look-up started. If not, the root may turn out
   *   not to have been current.
   * @param nowMs When the look-up started.
   */
  learnRoot(
    low: number,
    high: number,
    rootLow: number,
    rootHigh: number,
    ms: number,
    settled: boolean,
    nowMs: number,
  ): void {
    if (this.#ids.layerOf(high) !== SUPERVOXEL_LAYER) return;
    const ordinal = this.roots.findOrAdd(rootLow, rootHigh, nowMs);
    if (settled) {
      this.roots.noteCurrent(ordinal, ms);
      this.#noteSuccession(low, high, ordinal, ms);
    }
    this.members.add(low, high, ordinal);
  }

  /** Adds the fact that an ID had no root at a settled timestamp. It tells nothing about other timestamps. */
  learnNoRoot(low: number, high: number, ms: number, nowMs: number): void {
    const id = ms - FIRST_MS + 1,
      idHigh = Math.floor(id / 2 ** 32);
    if (this.#ids.layerOf(high) !== SUPERVOXEL_LAYER || this.#ids.layerOf(idHigh) !== NO_ROOT_LAYER) return;
    const ordinal = this.roots.findOrAdd(id >>> 0, idHigh, nowMs);
    this.roots.noteCurrent(ordinal, ms);
    this.roots.noteCreated(ordinal, ms);
    this.roots.noteReplaced(ordinal, ms + 1);
    this.#noteSuccession(low, high, ordinal, ms);
    this.members.add(low, high, ordinal);
  }

  /** A supervoxel is under one root at a time, so a root ends where the next one begins. */
  #noteSuccession(low: number, high: number, ordinal: number, ms: number): void {
    const { members, roots } = this;
    for (let slot = members.first(low, high); slot >= 0; slot = members.next(slot, low, high))
      if (members.rootAt(slot) !== ordinal) roots.noteSuccession(members.rootAt(slot), ordinal, ms);
  }
}

/** Returns the timestamp of a row that means "no root". */
export const timestampOfNoRoot = (low: number, high: number): number => high * 2 ** 32 + low - 1 + FIRST_MS;
