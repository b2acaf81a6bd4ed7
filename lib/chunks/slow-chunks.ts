/**
 * Chunks whose decoder holds its thread for long, such as images of WebAssembly decoders, which cannot pause.
 * A worker thread decodes them even if a call reads only one, and even if the chunk is in the memory cache.
 */
import { codecFor } from '../codecs/registry.ts';
import type { ChunkContent, ChunkSource, KeptChunk, ReadTask } from './chunk-source.ts';

/** The main thread may be held for this long. */
const LONGEST_HOLD_MS = 20;

/** Whether decoding a chunk would hold the main thread for too long. */
export const isSlow = ({ encoding, layout }: Pick<ChunkContent, 'encoding' | 'layout'>): boolean =>
  encoding !== undefined &&
  layout !== undefined &&
  (codecFor(encoding)?.holdsThreadMs?.(layout) ?? 0) > LONGEST_HOLD_MS;

/**
 * Returns what finds the slow chunks of a source: it returns undefined for a chunk that is not slow.
 * @param cell Any cell of the source.
 * @returns Undefined if the source has no slow chunks.
 */
export function slowChunksOf(
  source: ChunkSource,
  cell: number | undefined,
): ((cell: number) => ChunkContent | undefined) | undefined {
  const { encoding } = (cell !== undefined && source.contentOf?.(cell)) || {};
  if (encoding === undefined || !codecFor(encoding)?.holdsThreadMs) return undefined;
  return (one) => {
    const content = source.contentOf!(one);
    return isSlow(content) ? content : undefined;
  };
}

/** A task that delivers a chunk of the memory cache as if it had been read. */
export const keptChunkTask = (cell: number, content: ChunkContent, { bytes }: KeptChunk): ReadTask => ({
  cells: [cell],
  run: ({ deliver }) => deliver(cell, { ...content, bytes, contentEncoding: undefined }, 'cache'),
});
