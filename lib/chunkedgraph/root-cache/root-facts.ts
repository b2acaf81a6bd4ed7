/**
 * Which root a supervoxel has at a moment, as far as it is known: that it is under a root, which stays true for the root's whole life, and
 * from when to when that root is known to be current. No I/O, no clock.
 */
import type { IdLayout } from '../ids/id-layout.ts';
import { MemberTable } from './member-table.ts';
import { RootTable } from './root-table.ts';
import { CURRENT, UNKNOWN_EARLIER, UNKNOWN_LATER, type RootState } from './root-state.ts';

/** Whether a root of which the facts do not say so is current all the same. */
export type ConfirmRoot = (low: number, high: number, standing: RootState) => boolean;

export const SUPERVOXEL_LAYER = 1;
/** Layer of what stands for "no root at this moment": a row of its own each moment, whose ID is the moment. */
const NO_ROOT_LAYER = 0;
/** The first moment a server knows; such IDs count from there, and from 1. */
const FIRST_MS = -62_135_596_800_000;

export class RootFacts {
  readonly roots = new RootTable();
  readonly members: MemberTable;
  readonly #ids: IdLayout;
  readonly #maxAgeMs: number;

  constructor(ids: IdLayout, maxEntries: number, maxAgeMs: number) {
    this.members = new MemberTable(this.roots, maxEntries);
    this.#ids = ids;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Leaves out what is too old by now. */
  setNow(nowMs: number): void {
    this.roots.setNow(nowMs, this.#maxAgeMs);
  }

  /**
   * Row of the root that an ID has at a moment, or -1 when that is unknown.
   * @param confirm Called for each root that may be current then.
   */
  rootOf(low: number, high: number, ms: number, confirm: ConfirmRoot): number {
    if (this.#ids.layerOf(high) !== SUPERVOXEL_LAYER) return -1;
    const { members, roots } = this;
    let confirmed = -1,
      several = false;
    for (let slot = members.first(low, high); slot >= 0; slot = members.next(slot, low, high)) {
      const ordinal = members.rootAt(slot),
        standing = roots.stateAt(ordinal, ms);
      if (standing === CURRENT) {
        members.touch(slot);
        return ordinal;
      }
      if (standing !== UNKNOWN_LATER && standing !== UNKNOWN_EARLIER) continue;
      if (!confirm(roots.lowOf(ordinal), roots.highOf(ordinal), standing)) continue;
      members.touch(slot);
      several ||= confirmed >= 0;
      confirmed = ordinal;
    }
    // both current: an edit is just being written, and only a look-up sees how far it is
    return several ? -1 : confirmed;
  }

  isNoRoot(ordinal: number): boolean {
    return this.#ids.layerOf(this.roots.highOf(ordinal)) === NO_ROOT_LAYER;
  }

  /**
   * An ID was found under a root.
   * @param settled Whether the moment was settled when it was asked about: otherwise the root may turn out not to have been current then.
   * @param nowMs When it was asked.
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
      this.#follow(low, high, ordinal, ms);
    }
    this.members.add(low, high, ordinal);
  }

  /** An ID had no root at a settled moment; this says nothing about any other. */
  learnNoRoot(low: number, high: number, ms: number, nowMs: number): void {
    const id = ms - FIRST_MS + 1,
      idHigh = Math.floor(id / 2 ** 32);
    if (this.#ids.layerOf(high) !== SUPERVOXEL_LAYER || this.#ids.layerOf(idHigh) !== NO_ROOT_LAYER) return;
    const ordinal = this.roots.findOrAdd(id >>> 0, idHigh, nowMs);
    this.roots.noteCurrent(ordinal, ms);
    this.roots.noteCreated(ordinal, ms);
    this.roots.noteReplaced(ordinal, ms + 1);
    this.#follow(low, high, ordinal, ms);
    this.members.add(low, high, ordinal);
  }

  /** One supervoxel is under one root at a time: its roots tell each other's ends. */
  #follow(low: number, high: number, ordinal: number, ms: number): void {
    const { members, roots } = this;
    for (let slot = members.first(low, high); slot >= 0; slot = members.next(slot, low, high))
      if (members.rootAt(slot) !== ordinal) roots.noteSuccession(members.rootAt(slot), ordinal, ms);
  }
}

/** The moment of an ID that stands for "no root". */
export const timestampOfNoRoot = (low: number, high: number): number => high * 2 ** 32 + low - 1 + FIRST_MS;
