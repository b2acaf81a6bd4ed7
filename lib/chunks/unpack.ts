/**
 * Stored bytes to those who wait for them. A large chunk whose voxels lie at known places goes by in windows, each taking its voxels out
 * as they pass, and is never held whole; any other is inflated once and shown to all.
 */
import { canStream, decompressWindows } from '../compression/windows.ts';
import type { Codec } from '../codecs/codec.ts';
import type { ChunkPart, StoredChunk } from './chunk-source.ts';
import { inflate } from './inflate.ts';

/** Sees a chunk go by: pieces in order, `at` the offset of each. */
export type Watcher = (window: Uint8Array, at: number) => void;

export interface Taker {
  /**
   * Takes what it needs out of all bytes of the chunk, at once; it must not keep them. Undefined: the chunk is not stored.
   *
   * @param codec What reads the bytes, where they are not in the source's own encoding.
   */
  take(bytes: Uint8Array | undefined, codec?: Codec): void;
  /** The same by windows, where the encoding allows it. */
  watch?(): Watcher | undefined;
  done(): void;
  fail(error: unknown): void;
}

/** Below this a chunk is inflated whole: windows would cost more than they save. */
const WHOLE_BYTES = 1024 * 1024;

/**
 * @param keep Whether somebody wants the inflated bytes afterwards.
 * @returns The inflated bytes when they were made and somebody could use them.
 */
export async function unpack(chunk: StoredChunk | undefined, takers: readonly Taker[], keep: boolean, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const watchers = keep || !chunk || !goesByWindows(chunk) ? [] : takers.map((taker) => taker.watch?.());
  if (chunk && watchers.length > 0 && watchers.every((watcher) => watcher !== undefined)) {
    takers = await unpackWindows(chunk, takers, watchers, signal);
    if (takers.length === 0) return undefined;
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = chunk && (await inflate(chunk, signal));
  } catch (error) {
    for (const taker of takers) taker.fail(error);
    return undefined;
  }
  let taken = false;
  for (const taker of takers) {
    if (settle(taker, () => taker.take(bytes))) taken = true;
  }
  return taken ? bytes : undefined;
}

const goesByWindows = ({ exactBytes, contentEncoding }: StoredChunk): boolean => exactBytes !== undefined && exactBytes > WHOLE_BYTES && canStream(contentEncoding);

/** @returns Those not served yet, when what went by is not the chunk: it has another size, and may hold another bitstream. */
async function unpackWindows(chunk: StoredChunk, takers: readonly Taker[], watchers: readonly Watcher[], signal: AbortSignal): Promise<Taker[]> {
  const watching = new Map(takers.map((taker, k) => [taker, watchers[k]]));
  try {
    const total = await decompressWindows(chunk.bytes, chunk.contentEncoding!, { maxBytes: chunk.maxBytes, signal }, (window, at) => {
      for (const [taker, watch] of watching) {
        try {
          watch(window, at);
        } catch (error) {
          watching.delete(taker); // its own fault alone
          taker.fail(error);
        }
      }
    });
    if (total !== chunk.exactBytes) return [...watching.keys()];
    for (const taker of watching.keys()) taker.done();
  } catch (error) {
    for (const taker of watching.keys()) taker.fail(error);
  }
  return [];
}

/** Parts of a chunk, to one who needs no more than those. */
export function handOver(parts: readonly ChunkPart[], taker: Taker): void {
  settle(taker, () => {
    const watch = taker.watch!()!;
    for (const { bytes, start } of parts) watch(bytes, start);
  });
}

/** @returns whether it went well. */
function settle(taker: Taker, act: () => void): boolean {
  try {
    act();
  } catch (error) {
    taker.fail(error);
    return false;
  }
  taker.done();
  return true;
}
