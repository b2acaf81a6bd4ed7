/** Working memory that one decode leaves to the next: decoding is synchronous, so two never need it at once. */

/** An array above this many elements is not kept between calls. */
const MAX_KEPT = 2 ** 20;

export class Scratch<A extends Int32Array | Uint8Array> {
  #kept: A;

  constructor(private readonly make: (length: number) => A) {
    this.#kept = make(0);
  }

  /** At least `length` elements, holding anything. The same memory at every call, unless it had to grow. */
  take(length: number): A {
    if (length <= this.#kept.length) return this.#kept;
    const fresh = this.make(length);
    if (length <= MAX_KEPT) this.#kept = fresh;
    return fresh;
  }
}

export const scratchWords = (): Scratch<Int32Array> => new Scratch((length) => new Int32Array(length));
export const scratchBytes = (): Scratch<Uint8Array> => new Scratch((length) => new Uint8Array(length));
