/** The interface of the worker threads that do the work on chunks. */
import type { Stop } from '../base/stop.ts';
import type { EntryPlace, PackTarget } from '../cache/pack-files.ts';
import type { EntryRead } from './chunk-source.ts';
import type { ChunkWork, ChunkWorkResult, SharingThreads } from './chunk-work.ts';

/** Worker threads, as a reader of chunks sees them. */
export interface ChunkThreads extends SharingThreads {
  /** For how many milliseconds each thread has been busy, on average. */
  readonly busyMs: number;
  /** Asks for the stored bytes of a chunk that is being fetched, because another call has joined the read. */
  keep(work: ChunkWork): void;
  /**
   * Announces that a call will read this many chunks, so that threads can start if they pay.
   * @param slowChunks How many of them only a thread should decode; see {@link isSlow}.
   */
  expect(chunks: number, slowChunks?: number): void;
  /**
   * Does the work on stored bytes. The bytes are copied. Slow chunks wait until a thread has started.
   * @returns Undefined, at once or later, if no thread does it. Rejects only with the reason of the stop.
   */
  work(
    stored: Uint8Array,
    contentEncoding: string | undefined,
    work: ChunkWork,
    stop: Stop,
  ): Promise<ChunkWorkResult | undefined> | undefined;
  /**
   * Stores a chunk that a thread holds; see {@link HeldBytes.write}.
   * @param result The result of the work that held the chunk.
   */
  save(result: ChunkWorkResult, target: PackTarget, hash: Uint8Array, head: Uint8Array): Promise<boolean>;
  /**
   * Reads an entry of the disk cache and does the work on it.
   * @returns Undefined, at once or later, if no thread does it.
   */
  readEntry(place: EntryPlace, work: ChunkWork, stop: Stop): Promise<EntryRead | undefined> | undefined;
}
