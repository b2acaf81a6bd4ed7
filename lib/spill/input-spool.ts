/** Keeps the bytes of an input that can be read once only, so that they can be read again. */
import { TemporaryFile } from './temporary-file.ts';

/** Up to this many bytes are kept in memory by default. */
const MEMORY_BYTES = 2 ** 23;
const PIECE_BYTES = 2 ** 20;

/**
 * Passes the bytes of a stream on, and keeps them: a short stream in memory, a longer one in a temporary
 * file.
 */
export class InputSpool {
  readonly #folder: string;
  readonly #memoryBytes: number;
  #inMemory: Uint8Array[] = [];
  #file: TemporaryFile | undefined;
  #length = 0;
  #error: unknown;
  #isNeeded = false;

  /**
   * @param folder The folder of the temporary file.
   * @param memoryBytes The most bytes that are kept in memory.
   */
  constructor(folder: string, memoryBytes = MEMORY_BYTES) {
    this.#folder = folder;
    this.#memoryBytes = memoryBytes;
  }

  /**
   * From now on, a stream that cannot be kept ends with that error.
   * @throws TableError UNREADABLE if it could not be kept so far.
   */
  require(): void {
    this.#isNeeded = true;
    if (this.#error !== undefined) throw this.#error as Error;
  }

  /**
   * Yields the bytes of a stream, each once it is kept. What cannot be kept is passed on nevertheless, unless
   * it is required.
   */
  async *keep(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of source) {
      await this.#append(bytes);
      yield bytes;
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return;
    if (!this.#file && this.#length + bytes.length <= this.#memoryBytes) {
      this.#inMemory.push(bytes);
      this.#length += bytes.length;
      return;
    }
    try {
      this.#file ??= await TemporaryFile.create(this.#folder);
      let offset = this.#length - this.#inMemory.reduce((sum, { length }) => sum + length, 0);
      for (const part of [...this.#inMemory, bytes]) {
        await this.#file.write(part, offset);
        offset += part.length;
      }
      this.#inMemory = [];
      this.#length = offset;
    } catch (error) {
      this.#error = error;
      await this.close();
      if (this.#isNeeded) throw error;
    }
  }

  /** Yields all bytes again. @throws TableError UNREADABLE if they could not be kept. */
  async *again(): AsyncGenerator<Uint8Array> {
    if (this.#error !== undefined) throw this.#error as Error;
    yield* this.#inMemory;
    for (let at = 0; this.#file && at < this.#length; at += PIECE_BYTES) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, this.#length - at));
      await this.#file.read(piece, at);
      yield piece;
    }
  }

  /** Deletes what is kept. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#inMemory = [];
    await file?.close();
  }
}
