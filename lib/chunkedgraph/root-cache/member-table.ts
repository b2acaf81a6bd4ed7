/**
 * Remembers which roots each supervoxel was found under: a hash table on (supervoxel, row of a root). It uses
 * open addressing, without BigInt and objects. A full table evicts a random entry that was not used again.
 *
 * Memory: 12 bytes per slot. 15 bytes per entry when the table is full, at most 23 while it grows.
 */
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
    return this.#slots.byteLength;
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
      return;
    }
    if (this.#size === this.maxEntries) this.#evict();
    else if (this.#size >= this.#count * LOAD) this.#grow();
    this.#put(low, high, root + 1);
  }

  #home(low: number, high: number): number {
    let hash = Math.imul(low ^ this.#seed, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39);
    return Math.floor(((hash ^ (hash >>> 16)) >>> 0) * (this.#count / 2 ** 32));
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
    const slots = this.#slots;
    let slot = this.#home(low, high);
    while (slots[WORDS * slot + 2] !== 0) slot = this.#after(slot);
    slots[WORDS * slot] = low;
    slots[WORDS * slot + 1] = high;
    slots[WORDS * slot + 2] = word;
    this.#size++;
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

  #grow(): void {
    const old = this.#slots;
    this.#count = Math.min(Math.ceil(this.#count * GROWTH), slotsFor(this.maxEntries));
    this.#slots = new Uint32Array(WORDS * this.#count);
    this.#size = 0;
    for (let at = 0; at < old.length; at += WORDS) {
      const word = old[at + 2];
      if (word === 0) continue;
      if (this.#roots.isForgotten((word & ROW) - 1)) this.#roots.release((word & ROW) - 1);
      else this.#put(old[at], old[at + 1], word);
    }
  }
}

/** The number of slots. One slot is always free, or a search would not end. */
const slotsFor = (maxEntries: number): number => Math.ceil(maxEntries / LOAD) + 1;
