/** Takes given numbers of bytes from a stream, in memory that is aligned to 8 bytes. */

/** A size is only a claim, so that no more than this is allocated before the bytes have come. */
const FIRST_BYTES = 2 ** 24;

/** The bytes of a stream that have not been taken. */
export class ByteQueue {
  readonly #parts: AsyncIterator<Uint8Array>;
  #pending: Uint8Array = new Uint8Array(0);
  #hasEnded = false;
  /** The number of bytes that were taken. */
  position = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#parts = source[Symbol.asyncIterator]();
  }

  /** Returns the next bytes without taking them; fewer at the end of the stream. For few bytes only. */
  async peek(bytes: number): Promise<Uint8Array> {
    while (this.#pending.length < bytes && !this.#hasEnded) {
      const next = await this.#next();
      if (next) this.#pending = Buffer.concat([this.#pending, next]);
    }
    return this.#pending.subarray(0, bytes);
  }

  /** Takes the next bytes; fewer at the end of the stream. The memory is fresh and aligned. */
  async take(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    let taken = new Uint8Array(Math.min(bytes, FIRST_BYTES)),
      length = 0;
    while (length < bytes) {
      if (this.#pending.length === 0) {
        const next = await this.#next();
        if (!next) break;
        this.#pending = next;
      }
      const part = this.#pending.subarray(0, bytes - length);
      if (length + part.length > taken.length) {
        const larger = new Uint8Array(Math.min(bytes, Math.max(2 * taken.length, length + part.length)));
        larger.set(taken.subarray(0, length));
        taken = larger;
      }
      taken.set(part, length);
      length += part.length;
      this.#pending = this.#pending.subarray(part.length);
    }
    this.position += length;
    return taken.subarray(0, length);
  }

  /** Yields all bytes that have not been taken. */
  async *all(): AsyncGenerator<Uint8Array> {
    yield this.#pending;
    for (let next = await this.#next(); next; next = await this.#next()) yield next;
  }

  /** Ends the stream. */
  async close(): Promise<void> {
    this.#hasEnded = true;
    await this.#parts.return?.();
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#hasEnded) return undefined;
    const next = await this.#parts.next();
    if (next.done) this.#hasEnded = true;
    return next.done ? undefined : next.value;
  }
}
