/**
 * The chunks that a worker thread holds for the disk cache, until the main thread asks to save them. It may never
 * ask, so the oldest are dropped when there are many. Memory: at most `MOST_BYTES`, and one chunk.
 */
import { crc32 } from 'node:zlib';
import { writeFileNow } from '../cache/entry-files.ts';
import type { ChunkWorkResult } from '../chunks/chunk-work.ts';
import type { DiskForm } from '../chunks/disk-form.ts';
import type { SaveCommand, SavedAnswer } from './worker-messages.ts';

const MOST_BYTES = 32 * 1024 * 1024;

/** Holds chunks by the number of the command that they came with. */
export class HeldChunks {
  readonly #chunks = new Map<number, Uint8Array>();
  #bytes = 0;

  /** Holds a chunk. @returns what the main thread needs to know of it. */
  add(id: number, { bytes, form }: DiskForm): ChunkWorkResult['held'] {
    this.#chunks.set(id, bytes);
    this.#bytes += bytes.byteLength;
    for (const oldest of this.#chunks.keys()) {
      if (this.#bytes <= MOST_BYTES || oldest === id) break;
      this.#drop(oldest);
    }
    return { byteLength: bytes.byteLength, crc: crc32(bytes), form };
  }

  /** Writes a chunk to a file. It is held no longer, unless that failed: the main thread may ask again. */
  save({ heldId, temporary, file, head }: SaveCommand): Pick<SavedAnswer, 'wasHeld' | 'error'> {
    const bytes = this.#chunks.get(heldId);
    if (!bytes) return { wasHeld: false };
    try {
      writeFileNow(temporary, file, [head, bytes]);
      this.#drop(heldId);
      return { wasHeld: true };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { wasHeld: true, error: { code, message } };
    }
  }

  #drop(id: number): void {
    this.#bytes -= this.#chunks.get(id)!.byteLength;
    this.#chunks.delete(id);
  }
}
