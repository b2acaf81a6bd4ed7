/** The labels of one block of a chunk that is being encoded as compressed_segmentation: which there are, and which voxel has which. */

/** Voxels along each edge of a block. */
export const BLOCK_SIDE = 8;
const BLOCK_VOXELS = BLOCK_SIDE ** 3;

/** Twice the labels a block can hold, so that a search ends soon. */
const SLOTS = 2 * BLOCK_VOXELS,
  SLOT_SHIFT = 22;

/** Where a block lies in a channel, in words of 32 bits. Fewer than 8 voxels along an axis: clipped at the chunk's edge. */
export interface BlockLocation {
  first: number;
  rowStep: number;
  sliceStep: number;
  nx: number;
  ny: number;
  nz: number;
}

const { imul } = Math;

/** Where a label is looked for: the upper bits. */
const mix = (low: number, high: number): number => imul(low ^ imul(high, 0x85ebca6b), 0x9e3779b1);

/** What a label adds to the hash of a set. Sums of {@link mix} would be those of the labels: 1 and 4 would look like 2 and 3. */
const scramble = (mixed: number): number => imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);

/** One for a whole chunk: each scan forgets the block before. A label is a pair of words; of a uint32 both are the same one. */
export class BlockLabels {
  /** Labels in the last block scanned. */
  count = 0;
  /** The same for blocks with the same labels, in whatever order: a signed 32-bit number. */
  hash = 0;
  readonly #width: 1 | 2;
  /** In the order met. */
  readonly #labels = new Uint32Array(2 * BLOCK_VOXELS);
  /** Which label each voxel has, x fastest. */
  readonly #ids = new Uint16Array(BLOCK_VOXELS);
  /** A hash table: 1 + the label's number; 0 is free. Only filled for two labels and more. */
  readonly #slots = new Uint16Array(SLOTS);
  /** Where each label is in the block's table. */
  readonly #entries = new Uint16Array(BLOCK_VOXELS);

  /** @param width Words a label. */
  constructor(width: 1 | 2) {
    this.#width = width;
  }

  scan(words: Uint32Array, { first, rowStep, sliceStep, nx, ny, nz }: BlockLocation): void {
    const width = this.#width,
      labels = this.#labels,
      ids = this.#ids;
    // The label met last, and its number.
    let low = (labels[0] = words[first]),
      high = (labels[1] = words[first + width - 1]),
      id = 0;
    this.count = 1;
    for (let z = 0; z < nz; z++)
      for (let y = 0; y < ny; y++) {
        let at = first + z * sliceStep + y * rowStep;
        const to = BLOCK_SIDE * (y + BLOCK_SIDE * z),
          end = to + nx;
        // Most rows have one label, the one met last: seen without a branch a voxel, which takes a third of the time.
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

  /** All voxels have the first label so far; those outside the chunk keep it. */
  #begin(): void {
    this.#ids.fill(0);
    this.#slots.fill(0);
    this.#slots[mix(this.#labels[0], this.#labels[1]) >>> SLOT_SHIFT] = 1;
  }

  /** Where a label is among the slots, or the free one where it would be. */
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

  /** @returns the label's number, a new one if need be. */
  #add(low: number, high: number): number {
    const slot = this.#slotOf(low, high);
    if (this.#slots[slot] === 0) {
      this.#labels[2 * this.count] = low;
      this.#labels[2 * this.count + 1] = high;
      this.#slots[slot] = ++this.count;
    }
    return this.#slots[slot] - 1;
  }

  /** Whether the words from `at` on are a table of just these labels, in some order; if so it becomes the block's table. */
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

  /** A table of its own. @returns where it ends. */
  writeTable(words: Uint32Array, at: number): number {
    for (let id = 0; id < this.count; id++) {
      this.#entries[id] = id;
      words[at++] = this.#labels[2 * id];
      if (this.#width === 2) words[at++] = this.#labels[2 * id + 1];
    }
    return at;
  }

  /** The table entry of each voxel, `bits` each, the first voxel in the lowest bits. */
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
