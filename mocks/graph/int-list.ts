/** A list of int32 that grows by doubling. A number[] would need four times the memory. */
export class IntList {
  #items: Int32Array;
  #length = 0;

  constructor(capacity = 16) {
    this.#items = new Int32Array(Math.max(capacity, 1));
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) {
      const larger = new Int32Array(2 * this.#length);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length++] = value;
  }

  at(index: number): number {
    return this.#items[index];
  }

  /** A view of the items [from, to), valid until the next push. */
  view(from: number, to: number): Int32Array {
    return this.#items.subarray(from, to);
  }
}
