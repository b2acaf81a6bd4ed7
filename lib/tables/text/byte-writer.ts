/** Builds text as bytes. Rows are copied, and IDs become digits without a bigint or a string in between. */
export class ByteWriter {
  #bytes: Buffer;
  length = 0;

  constructor(readonly initialBytes = 1 << 16) {
    this.#bytes = Buffer.allocUnsafe(initialBytes);
  }

  /** Returns the bytes written so far. The writer continues with new memory. */
  take(): Buffer {
    const written = this.#bytes.subarray(0, this.length);
    this.#bytes = Buffer.allocUnsafe(this.#bytes.length);
    this.length = 0;
    return written;
  }

  copy(source: Buffer, start = 0, end = source.length): void {
    this.#reserve(end - start);
    source.copy(this.#bytes, this.length, start, end);
    this.length += end - start;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  /** Adds bytes that the caller fills at once. Their old content is undefined. */
  extend(size: number): Uint8Array {
    this.#reserve(size);
    const start = this.length;
    this.length += size;
    return this.#bytes.subarray(start, this.length);
  }

  ascii(text: string): void {
    this.#reserve(text.length);
    for (let k = 0; k < text.length; k++) this.#bytes[this.length++] = text.charCodeAt(k);
  }

  /** Writes `high × 2³² + low` in decimal. */
  uint64(low: number, high: number): void {
    this.#reserve(20);
    // Long division by 10⁹ in steps of 16 bits: every intermediate value stays below 2⁵³.
    const upper = (high % 1e9) * 65536 + (low >>> 16);
    const lower = (upper % 1e9) * 65536 + (low & 0xffff);
    const rest =
      Math.floor(high / 1e9) * 4294967296 + Math.floor(upper / 1e9) * 65536 + Math.floor(lower / 1e9);
    if (rest === 0) return this.#digits(lower % 1e9, 1);
    const top = Math.floor(rest / 1e9);
    if (top > 0) this.#digits(top, 1);
    this.#digits(rest % 1e9, top > 0 ? 9 : 1);
    this.#digits(lower % 1e9, 9);
  }

  /** Writes a whole number below 10⁹ with at least `width` digits. */
  #digits(value: number, width: number): void {
    let count = width;
    for (let limit = 10 ** width; value >= limit; limit *= 10) count++;
    let left = value | 0;
    for (let at = this.length + count - 1; at >= this.length; at--) {
      const quotient = (left / 10) | 0;
      this.#bytes[at] = 48 + left - quotient * 10;
      left = quotient;
    }
    this.length += count;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + more));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}
