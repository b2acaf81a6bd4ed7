/**
 * Remembers which roots each supervoxel was found under: a hash table on (supervoxel, row of a root). It uses
 * open addressing, without BigInt and objects. A full table evicts a random entry that was not used again.
 *
 * Memory: 12 bytes per slot. 15 bytes per entry when the table is full, at most 23 while it grows.
 */
import { runWithoutPause, type PausableWork } from '../../base/cooperative-work.ts';
import type { RootTable } from './root-table.ts';

/**
 * Words of a slot: the low and high word of the supervoxel, and the row of the root plus one. If the last is
 * 0, the slot is free.
 */
const WORDS = 3;
/** Top bit of a slot's third word: the entry was used since it was last spared from eviction. */
const REFERENCED = 0x80000000,
  ROW = 0x7fffffff;
const LOAD = 0.8,
  GROWTH = 1.5,
  FIRST_SLOTS = 64;
/** Most roots per supervoxel. Without a limit, look-ups at many timestamps would make searches long. */
const MAX_ROOTS_EACH = 64;

/** Slots that are moved to a larger table between two pauses. */
const MOVED_AT_ONCE = 2 ** 14;

/** A larger table that the entries are being moved to. The old table is used until all have been moved. */
interface LargerTable {
  slots: Uint32Array;
  count: number;
  /** The next slot of the old table. */
  at: number;
  size: number;
  /** Entries that were added to slots before `at`, {@link WORDS} words each. */
  added: number[];
  /** The rows of roots whose entries were not moved, because they are forgotten. */
  dropped: number[];
}

/** The table. */
export class MemberTable {
  readonly #roots: RootTable;
  /** Most entries that are kept. */
  readonly maxEntries: number;
  /** Random, so that nobody can prepare a file or a volume whose IDs collide. */
  readonly #seed = (Math.random() * 2 ** 32) >>> 0;
  #slots: Uint32Array;
  #count: number;
  #size = 0;
  #larger: LargerTable | undefined;
  /** State of the random eviction: the linear congruential generator of Numerical Recipes. */
  #random = this.#seed;
  #evicted = 0;

  /** @param maxEntries A whole number from 1. */
  constructor(roots: RootTable, maxEntries: number) {
    this.#roots = roots;
    this.maxEntries = maxEntries;
    this.#count = Math.min(FIRST_SLOTS, slotsFor(maxEntries));
    this.#slots = new Uint32Array(WORDS * this.#count);
  }

  get size(): number {
    return this.#size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  get bytes(): number {
    return this.#slots.byteLength + (this.#larger?.slots.byteLength ?? 0);
  }

  get slots(): number {
    return this.#count;
  }

  /** Returns the first slot of a supervoxel, or -1. A slot number is valid until the next change. */
  first(low: number, high: number): number {
    return this.#from(this.#home(low, high), low, high);
  }

  /** Returns the next slot of a supervoxel after `slot`, or -1. */
  next(slot: number, low: number, high: number): number {
    return this.#from(this.#after(slot), low, high);
  }

  /** Returns the row of the root in a slot, or -1 if the slot is free. */
  rootAt(slot: number): number {
    return (this.#slots[WORDS * slot + 2] & ROW) - 1;
  }

  lowAt(slot: number): number {
    return this.#slots[WORDS * slot];
  }

  highAt(slot: number): number {
    return this.#slots[WORDS * slot + 1];
  }

  /** Marks the entry of a slot as used. */
  touch(slot: number): void {
    this.#slots[WORDS * slot + 2] |= REFERENCED;
  }

  /**
   * Makes room for entries that are about to be added. Without it, adding an entry may move all others, which takes
   * about 50 ns each.
   */
  *makeRoom(entries: number): PausableWork {
    const wanted = Math.min(this.#size + entries, this.maxEntries);
    while (wanted > this.#count * LOAD && this.#count < slotsFor(this.maxEntries)) {
      const larger = (this.#larger ??= this.#createLarger(wanted));
      const end = Math.min(this.#count, larger.at + MOVED_AT_ONCE);
      for (; larger.at < end; larger.at++) this.#moveTo(larger, larger.at);
      if (larger.at === this.#count) this.#replaceBy(larger);
      else yield;
    }
  }

  /**
   * Adds the fact that a supervoxel is under a root, unless it is known. A full table evicts another entry.
   */
  add(low: number, high: number, root: number): void {
    let each = 0,
      replaceable = -1;
    for (let slot = this.first(low, high); slot >= 0; slot = this.next(slot, low, high)) {
      const held = this.rootAt(slot);
      if (held === root) return;
      if (this.#roots.isForgotten(held) || each++ === root % MAX_ROOTS_EACH) replaceable = slot;
    }
    this.#roots.retain(root);
    if (replaceable >= 0 && (each >= MAX_ROOTS_EACH || this.#roots.isForgotten(this.rootAt(replaceable)))) {
      this.#roots.release(this.rootAt(replaceable));
      this.#slots[WORDS * replaceable + 2] = root + 1;
      this.#larger = undefined; // the old entry may have been moved already
      return;
    }
    if (this.#size === this.maxEntries) this.#evict();
    else if (this.#size >= this.#count * LOAD) runWithoutPause(this.makeRoom(1));
    this.#put(low, high, root + 1);
  }

  #home(low: number, high: number, count = this.#count): number {
    let hash = Math.imul(low ^ this.#seed, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39);
    return Math.floor(((hash ^ (hash >>> 16)) >>> 0) * (count / 2 ** 32));
  }

  #after(slot: number): number {
    return slot + 1 === this.#count ? 0 : slot + 1;
  }

  #from(slot: number, low: number, high: number): number {
    const slots = this.#slots;
    for (; slots[WORDS * slot + 2] !== 0; slot = this.#after(slot))
      if (slots[WORDS * slot] === low && slots[WORDS * slot + 1] === high) return slot;
    return -1;
  }

  #put(low: number, high: number, word: number): void {
    const slot = insert(this.#slots, this.#count, this.#home(low, high), low, high, word);
    this.#size++;
    if (this.#larger && slot < this.#larger.at) this.#larger.added.push(low, high, word);
  }

  /**
   * Evicts a random entry, and spares a used entry once. Eviction in the order of the slots would leave the
   * slots behind it empty and crowd the slots ahead of it, until a search passes through thousands.
   */
  #evict(): void {
    for (;;) {
      this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
      const slot = Math.floor(this.#random * (this.#count / 2 ** 32)),
        word = this.#slots[WORDS * slot + 2];
      if (word === 0) continue; // a full table is more than half full
      if (word < REFERENCED || this.#roots.isForgotten((word & ROW) - 1)) {
        this.#roots.release((word & ROW) - 1);
        this.#remove(slot);
        this.#evicted++;
        return;
      }
      this.#slots[WORDS * slot + 2] = word & ROW;
    }
  }

  /** Frees a slot, and moves back the entries that were placed further on because of it. */
  #remove(hole: number): void {
    const slots = this.#slots;
    this.#larger = undefined; // the entry may have been moved already
    for (let slot = this.#after(hole); slots[WORDS * slot + 2] !== 0; slot = this.#after(slot)) {
      const home = this.#home(slots[WORDS * slot], slots[WORDS * slot + 1]);
      const stays = hole <= slot ? hole < home && home <= slot : hole < home || home <= slot;
      if (stays) continue;
      slots.copyWithin(WORDS * hole, WORDS * slot, WORDS * slot + WORDS);
      hole = slot;
    }
    slots[WORDS * hole + 2] = 0;
    this.#size--;
  }

  #createLarger(entries: number): LargerTable {
    const most = slotsFor(this.maxEntries);
    let count = this.#count;
    do count = Math.min(Math.ceil(count * GROWTH), most);
    while (entries > count * LOAD && count < most);
    return { slots: new Uint32Array(WORDS * count), count, at: 0, size: 0, added: [], dropped: [] };
  }

  #moveTo(larger: LargerTable, slot: number): void {
    const word = this.#slots[WORDS * slot + 2];
    if (word === 0) return;
    const root = (word & ROW) - 1,
      low = this.#slots[WORDS * slot],
      high = this.#slots[WORDS * slot + 1];
    if (this.#roots.isForgotten(root)) larger.dropped.push(root);
    else {
      insert(larger.slots, larger.count, this.#home(low, high, larger.count), low, high, word);
      larger.size++;
    }
  }

  #replaceBy({ slots, count, size, added, dropped }: LargerTable): void {
    this.#larger = undefined;
    this.#slots = slots;
    this.#count = count;
    this.#size = size;
    for (let at = 0; at < added.length; at += WORDS) {
      const root = (added[at + 2] & ROW) - 1;
      if (this.#roots.isForgotten(root)) dropped.push(root);
      else this.#put(added[at], added[at + 1], added[at + 2]);
    }
    for (const root of dropped) this.#roots.release(root);
  }
}

/** The number of slots. One slot is always free, or a search would not end. */
const slotsFor = (maxEntries: number): number => Math.ceil(maxEntries / LOAD) + 1;

/** Writes an entry to the first free slot from its home on, and returns the slot. */
function insert(
  slots: Uint32Array,
  count: number,
  home: number,
  low: number,
  high: number,
  word: number,
): number {
  let slot = home;
  while (slots[WORDS * slot + 2] !== 0) slot = slot + 1 === count ? 0 : slot + 1;
  slots[WORDS * slot] = low;
  slots[WORDS * slot + 1] = high;
  slots[WORDS * slot + 2] = word;
  return slot;
}
