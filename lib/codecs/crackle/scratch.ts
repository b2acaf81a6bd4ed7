/**
 * Working memory that is reused by the next decode. Decoding is synchronous, so two decodes never need it at
 * the same time.
 */

/** The most elements of an array that is kept between calls. */
const MAX_KEPT = 2 ** 20;

/** One reusable array. */
export class Scratch<A extends Int32Array | Uint8Array> {
  #kept: A;

  constructor(private readonly make: (length: number) => A) {
    this.#kept = make(0);
  }

  /**
   * Returns an array of at least `length` elements with arbitrary content. It is the same memory in each
   * call, unless it had to grow.
   */
  take(length: number): A {
    if (length <= this.#kept.length) return this.#kept;
    const fresh = this.make(length);
    if (length <= MAX_KEPT) this.#kept = fresh;
    return fresh;
  }
}

/** Makes a reusable array of words. */
export const scratchWords = (): Scratch<Int32Array> => new Scratch((length) => new Int32Array(length));
/** Makes a reusable array of bytes. */
export const scratchBytes = (): Scratch<Uint8Array> => new Scratch((length) => new Uint8Array(length));
