/**
 * The chunks that a worker thread holds for the disk cache, until the main thread asks to save them. It may
 * never ask, so the oldest are dropped when there are many. Memory: at most `MOST_BYTES`, one chunk, and
 * `MOST_FREE_BYTES`.
 */
import { crc32 } from 'node:zlib';
import { PackWriter } from '../cache/pack-files.ts';
import type { ChunkWorkResult } from '../chunks/chunk-work.ts';
import type { DiskForm } from '../chunks/disk-form.ts';
import type { SaveCommand, SavedAnswer } from './worker-messages.ts';

const MOST_BYTES = 32 * 1024 * 1024;
/** Memory of saved chunks that is used again: new memory costs as much as to write the chunk. */
const MOST_FREE_BYTES = 4 * 1024 * 1024;

/** Sizes of memory are multiples of this, so that chunks of similar sizes can use each other's. */
const STEP_BYTES = 16_384;

/** Holds chunks by the number of the command that they came with. */
export class HeldChunks {
  readonly #chunks = new Map<number, Uint8Array>();
  readonly #writer = new PackWriter();
  #bytes = 0;
  /** Memory that this class made. */
  readonly #own = new WeakSet<ArrayBufferLike>();
  #free: Uint8Array[] = [];
  #freeBytes = 0;

  /**
   * Holds a chunk.
   * @param isLost Whether the memory of the chunk is used for something else next.
   * @param crc The CRC-32 of the chunk.
   * @returns what the main thread needs to know of it.
   */
  add(
    id: number,
    { bytes: given, form }: DiskForm,
    isLost = false,
    crc = crc32(given),
  ): ChunkWorkResult['held'] {
    const bytes = isLost ? this.#copy(given) : given;
    this.#chunks.set(id, bytes);
    this.#bytes += bytes.byteLength;
    for (const oldest of this.#chunks.keys()) {
      if (this.#bytes <= MOST_BYTES || oldest === id) break;
      this.#drop(oldest);
    }
    return { byteLength: bytes.byteLength, crc, form };
  }

  /**
   * Stores chunks in the disk cache; all have the target of the first. They are held no longer, unless that
   * failed: the main thread may ask again.
   */
  save(commands: readonly SaveCommand[]): Pick<SavedAnswer, 'wasHeld' | 'error'>[] {
    const found = commands.filter(({ heldId }) => this.#chunks.has(heldId));
    let error: SavedAnswer['error'];
    try {
      const entries = found.map(({ heldId, hash, head }) => ({
        hash,
        parts: [head, this.#chunks.get(heldId)!],
      }));
      if (found.length > 0) this.#writer.append(found[0].target, entries);
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      error = { code, message };
    }
    const answers = commands.map(({ heldId }) =>
      this.#chunks.has(heldId) ? { wasHeld: true, error } : { wasHeld: false },
    );
    if (!error) for (const { heldId } of found) this.#drop(heldId);
    return answers;
  }

  #drop(id: number): void {
    const bytes = this.#chunks.get(id);
    if (!bytes) return;
    this.#bytes -= bytes.byteLength;
    this.#chunks.delete(id);
    const { byteLength } = bytes.buffer;
    if (!this.#own.has(bytes.buffer) || this.#freeBytes + byteLength > MOST_FREE_BYTES) return;
    this.#free.push(new Uint8Array(bytes.buffer));
    this.#freeBytes += byteLength;
  }

  #copy(bytes: Uint8Array): Uint8Array {
    const size = bytes.byteLength,
      at = this.#free.findIndex(({ byteLength }) => byteLength >= size && byteLength <= 2 * size);
    const memory =
      at >= 0
        ? this.#free.splice(at, 1)[0]
        : Buffer.allocUnsafeSlow(Math.ceil(size / STEP_BYTES) * STEP_BYTES);
    if (at >= 0) this.#freeBytes -= memory.byteLength;
    this.#own.add(memory.buffer);
    memory.set(bytes);
    return memory.subarray(0, size);
  }
}
