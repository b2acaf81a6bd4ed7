/**
 * The decoded values that the next values of a field are predicted from: somewhat more than one plane. The rows lie
 * in a ring. Each plane has a row of zeros before its first row, and values outside the chunk are 0.
 */

/** The rows around the row that is decoded, in a ring of rows. */
export class Front<Values extends Float32Array | Float64Array = Float32Array | Float64Array> {
  /** The memory of `values` as words: two per value of 64 bits, the low one first. */
  readonly words: Int32Array;
  /** 1 for each row of the ring whose values add without rounding; a decoder that sets it says which. Rows of zeros do. */
  readonly exactRows: Uint8Array;
  /** The row that is decoded. It counts through the field, from the row of zeros before the first plane. */
  #row = 0;
  readonly #rows: number;

  /**
   * @param width Values per row.
   * @param height Rows per plane.
   * @param allocate Creates the array of values.
   */
  constructor(
    readonly width: number,
    readonly height: number,
    allocate: (length: number) => Values,
  ) {
    this.#rows = height + 3;
    this.values = allocate(this.#rows * width);
    this.words = new Int32Array(this.values.buffer);
    this.exactRows = new Uint8Array(this.#rows);
  }
  readonly values: Values;

  /** Starts a field: all values before it are 0. */
  startField(): void {
    this.#row = -1;
    this.values.fill(0);
    this.exactRows.fill(1);
  }

  /** Goes to the row of zeros before the next plane. */
  startPlane(): void {
    this.startRow();
    const start = this.startOf(0);
    this.values.fill(0, start, start + this.width);
    this.exactRows[this.slotOf(0)] = 1;
  }

  startRow(): void {
    this.#row++;
  }

  /** Returns the index in `values` of the first value of the row that is `back` rows before the present one. */
  startOf(back: number): number {
    return this.slotOf(back) * this.width;
  }

  /** Returns where in the ring the row is that is `back` rows before the present one. */
  slotOf(back: number): number {
    return (this.#row + this.#rows - back) % this.#rows;
  }

  /** Lists where the values of the present plane are, in order: the ring may end within the plane. */
  spansOfPlane(): { from: number; end: number }[] {
    const from = this.startInPlane(0),
      end = from + this.width * this.height,
      ringEnd = this.values.length;
    return end <= ringEnd
      ? [{ from, end }]
      : [
          { from, end: ringEnd },
          { from: 0, end: end - ringEnd },
        ];
  }

  /** Returns the index of the first value of row y of the present plane, which has been decoded up to there. */
  startInPlane(y: number): number {
    return this.startOf((this.#row % (this.height + 1)) - 1 - y);
  }
}
