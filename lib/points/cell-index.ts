/**
 * A set of cell numbers (integers from 0, below 2^53) that gives each cell an ordinal in order of insertion.
 * It uses open addressing on typed arrays: 16 to 32 bytes per entry.
 */
export class CellIndex {
  #slots = new Int32Array(64).fill(-1);
  #cells = new Float64Array(32);
  #size = 0;

  /** Number of cells. */
  get size(): number {
    return this.#size;
  }

  /** The cells by ordinal, as a view that is valid until the next `add`. */
  get cells(): Float64Array {
    return this.#cells.subarray(0, this.#size);
  }

  /** Returns the ordinal of `cell`, and adds the cell if it is new. */
  add(cell: number): number {
    let slot = this.#slotOf(cell);
    let ordinal = this.#slots[slot];
    if (ordinal >= 0) return ordinal;
    if (this.#size === this.#cells.length) {
      this.#grow();
      slot = this.#slotOf(cell);
    }
    ordinal = this.#size++;
    this.#cells[ordinal] = cell;
    this.#slots[slot] = ordinal;
    return ordinal;
  }

  /** Returns the ordinal of `cell`; undefined when it was not added. */
  find(cell: number): number | undefined {
    const ordinal = this.#slots[this.#slotOf(cell)];
    return ordinal < 0 ? undefined : ordinal;
  }

  #slotOf(cell: number): number {
    const mask = this.#slots.length - 1;
    const low = cell >>> 0,
      high = (cell / 0x1_0000_0000) >>> 0;
    let slot = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    slot = (slot ^ (slot >>> 15)) & mask;
    while (this.#slots[slot] >= 0 && this.#cells[this.#slots[slot]] !== cell) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const cells = new Float64Array(this.#cells.length * 2);
    cells.set(this.#cells);
    this.#cells = cells;
    this.#slots = new Int32Array(cells.length * 2).fill(-1);
    for (let ordinal = 0; ordinal < this.#size; ordinal++)
      this.#slots[this.#slotOf(cells[ordinal])] = ordinal;
  }
}
