/**
 * Finds the distinct labels of one block, and the label of each voxel, for the compressed_segmentation
 * encoder.
 */

/** Voxels along each edge of a block. */
export const BLOCK_SIDE = 8;
const BLOCK_VOXELS = BLOCK_SIDE ** 3;

/** Slots of the hash table: twice the labels that a block can hold, so that searches stay short. */
const SLOTS = 2 * BLOCK_VOXELS,
  SLOT_SHIFT = 22;

/** Where a block is in a channel, in words of 32 bits. */
export interface BlockLocation {
  /** The first word of the block. */
  first: number;
  /** Words from one row to the next. */
  rowStep: number;
  /** Words from one slice to the next. */
  sliceStep: number;
  /** Voxels along x, y and z; fewer than 8 where the block is clipped at the chunk's edge. */
  nx: number;
  ny: number;
  nz: number;
}

const { imul } = Math;

/** Hashes a label. The upper bits are its first slot. */
const mix = (low: number, high: number): number => imul(low ^ imul(high, 0x85ebca6b), 0x9e3779b1);

/**
 * What a label adds to the hash of a set. {@link mix} is linear, so with sums of it, the set 1 and 4 would
 * collide with 2 and 3.
 */
const scramble = (mixed: number): number => imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);

/**
 * The labels of the block that was scanned last. One object serves a whole chunk. A label is a pair of words;
 * for uint32, both are the same word.
 */
export class BlockLabels {
  /** Distinct labels in the block. */
  count = 0;
  /** A hash of the set of labels, independent of their order: a signed 32-bit number. */
  hash = 0;
  readonly #width: 1 | 2;
  /** The labels, in the order in which they were found. */
  readonly #labels = new Uint32Array(2 * BLOCK_VOXELS);
  /** The index of each voxel's label, x fastest. */
  readonly #ids = new Uint16Array(BLOCK_VOXELS);
  /** A hash table of 1 + the label's index; 0 is a free slot. It is only filled for two or more labels. */
  readonly #slots = new Uint16Array(SLOTS);
  /** The position of each label in the block's table. */
  readonly #entries = new Uint16Array(BLOCK_VOXELS);

  /** @param width Words per label. */
  constructor(width: 1 | 2) {
    this.#width = width;
  }

  /** Finds the labels of a block. It replaces those of the block before. */
  scan(words: Uint32Array, { first, rowStep, sliceStep, nx, ny, nz }: BlockLocation): void {
    const width = this.#width,
      labels = this.#labels,
      ids = this.#ids;
    // The label of the last voxel, and its index.
    let low = (labels[0] = words[first]),
      high = (labels[1] = words[first + width - 1]),
      id = 0;
    this.count = 1;
    for (let z = 0; z < nz; z++)
      for (let y = 0; y < ny; y++) {
        let at = first + z * sliceStep + y * rowStep;
        const to = BLOCK_SIDE * (y + BLOCK_SIDE * z),
          end = to + nx;
        // Most rows consist of the last label. This is checked without a branch per voxel, which takes a
        // third of the time.
        let differ = 0;
        for (let x = at; x < at + width * nx; x += width)
          differ |= (words[x] ^ low) | (words[x + width - 1] ^ high);
        if (differ === 0) {
          for (let x = to; id > 0 && x < end; x++) ids[x] = id;
          continue;
        }
        if (this.count === 1) this.#begin();
        for (let x = to; x < end; x++, at += width) {
          const l = words[at],
            h = words[at + width - 1];
          if (l !== low || h !== high) {
            low = l;
            high = h;
            id = this.#add(l, h);
          }
          ids[x] = id;
        }
      }
    this.hash = this.count;
    for (let k = 0; k < this.count; k++)
      this.hash = (this.hash + scramble(mix(labels[2 * k], labels[2 * k + 1]))) | 0;
  }

  /**
   * Prepares the tables for a second label. All voxels so far have the first label; voxels outside the chunk
   * keep it.
   */
  #begin(): void {
    this.#ids.fill(0);
    this.#slots.fill(0);
    this.#slots[mix(this.#labels[0], this.#labels[1]) >>> SLOT_SHIFT] = 1;
  }

  /** Returns the slot of a label, or the free slot where it would go. */
  #slotOf(low: number, high: number): number {
    const labels = this.#labels,
      slots = this.#slots;
    let slot = mix(low, high) >>> SLOT_SHIFT;
    for (
      let next = slots[slot];
      next > 0 && (labels[2 * next - 2] !== low || labels[2 * next - 1] !== high);
      next = slots[slot]
    )
      slot = (slot + 1) % SLOTS;
    return slot;
  }

  /** Adds a label if it is new. @returns its index. */
  #add(low: number, high: number): number {
    const slot = this.#slotOf(low, high);
    if (this.#slots[slot] === 0) {
      this.#labels[2 * this.count] = low;
      this.#labels[2 * this.count + 1] = high;
      this.#slots[slot] = ++this.count;
    }
    return this.#slots[slot] - 1;
  }

  /**
   * Tells whether the words from `at` on are a table of exactly these labels, in any order. If so, it becomes
   * the block's table.
   */
  useTable(words: Uint32Array, at: number): boolean {
    const { count } = this;
    const labels = this.#labels,
      entries = this.#entries,
      width = this.#width;
    if (count === 1) return words[at] === labels[0] && words[at + width - 1] === labels[1];
    entries.fill(BLOCK_VOXELS, 0, count);
    for (let entry = 0; entry < count; entry++, at += width) {
      const id = this.#slots[this.#slotOf(words[at], words[at + width - 1])] - 1;
      if (id < 0 || entries[id] !== BLOCK_VOXELS) return false;
      entries[id] = entry;
    }
    return true;
  }

  /** Writes a table of the labels at `at`. @returns where it ends. */
  writeTable(words: Uint32Array, at: number): number {
    for (let id = 0; id < this.count; id++) {
      this.#entries[id] = id;
      words[at++] = this.#labels[2 * id];
      if (this.#width === 2) words[at++] = this.#labels[2 * id + 1];
    }
    return at;
  }

  /** Writes the table entry of each voxel with `bits` bits, the first voxel in the lowest bits. */
  writePacked(words: Uint32Array, at: number, bits: number): void {
    const ids = this.#ids,
      entries = this.#entries;
    for (let voxel = 0; voxel < BLOCK_VOXELS; at++) {
      let word = 0;
      for (let shift = 0; shift < 32; shift += bits) word |= entries[ids[voxel++]] << shift;
      words[at] = word;
    }
  }
}
