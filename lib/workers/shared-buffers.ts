/**
 * Memory for parts of shards, which all threads share. V8 does not count such memory when it decides whether to
 * collect garbage, so it is used again. Memory: the parts that are being read, and at most 64 MiB that is free.
 *
 * Memory that is given back is overwritten by the next part. So it may only be given back when nothing will read
 * or write it any more. Where a thread still might (a call was aborted, a thread has ended), nobody gives it
 * back, and the garbage collector frees it.
 */
const MOST_FREE_BYTES = 64 * 1024 * 1024;
/** Sizes are rounded up by at most an eighth, so that parts of similar sizes can use each other's memory. */
const STEPS = 8;
/** The smallest step in bytes. */
const LEAST_STEP = 4096;

/** Returns new memory that threads share: a view of so many bytes. The memory is a little larger. */
export function newSharedBytes(bytes: number): Uint8Array<SharedArrayBuffer> {
  const step = Math.max(LEAST_STEP, 2 ** Math.floor(Math.log2(Math.max(1, bytes))) / STEPS);
  return new Uint8Array(new SharedArrayBuffer(Math.ceil(bytes / step) * step), 0, bytes);
}

/** Keeps shared memory that is free. */
export class SharedBuffers {
  readonly #poisons: boolean;
  /** The memory that became free last is at the end. */
  readonly #free: SharedArrayBuffer[] = [];
  #freeBytes = 0;
  /** Bytes that may be given back, once: a second time, the memory would hold another part. */
  readonly #inUse = new WeakSet<Uint8Array>();

  /** @param poisons Whether to overwrite memory that becomes free, so that specs notice who reads it too late. */
  constructor({ poisons = false } = {}) {
    this.#poisons = poisons;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /**
   * Takes the smallest free memory that is large enough; undefined if there is none.
   * @param mayBeLess Whether fewer bytes may come. Then the largest memory is taken if none is large enough.
   */
  take(bytes: number, mayBeLess = false): SharedArrayBuffer | undefined {
    let best: SharedArrayBuffer | undefined;
    for (const memory of this.#free) {
      const size = memory.byteLength,
        bestSize = best?.byteLength ?? 0;
      if (size >= bytes ? bestSize < bytes || size < bestSize : mayBeLess && size > bestSize) best = memory;
    }
    if (best) this.#remove(best);
    return best;
  }

  /** Frees memory that was taken, and into which nothing was read. */
  free(memory: SharedArrayBuffer): void {
    if (this.#poisons) new Uint8Array(memory).fill(POISON);
    this.#free.push(memory);
    this.#freeBytes += memory.byteLength;
    while (this.#freeBytes > MOST_FREE_BYTES) this.#remove(this.#free[0]);
  }

  /** Returns bytes that can be given back: those given. All of their memory belongs to them. */
  use(bytes: Uint8Array<SharedArrayBuffer>): Uint8Array {
    this.#inUse.add(bytes);
    return bytes;
  }

  /** Returns a copy in shared memory, which can be given back. */
  copy(bytes: Uint8Array): Uint8Array {
    const size = bytes.byteLength,
      memory = this.take(size),
      shared = memory ? new Uint8Array(memory, 0, size) : newSharedBytes(size);
    shared.set(bytes);
    return this.use(shared);
  }

  /** Frees the memory of bytes. Ignores bytes that cannot be given back. */
  giveBack(bytes: Uint8Array): void {
    if (this.#inUse.delete(bytes)) this.free(bytes.buffer as SharedArrayBuffer);
  }

  #remove(memory: SharedArrayBuffer): void {
    this.#free.splice(this.#free.indexOf(memory), 1);
    this.#freeBytes -= memory.byteLength;
  }
}

const POISON = 0xdb;
