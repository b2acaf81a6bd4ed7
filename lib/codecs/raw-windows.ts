/**
 * Reads points of the `raw` encoding from a chunk whose bytes arrive in windows, one after the other. Each
 * value is copied from the window that holds it, so the whole chunk is never in memory.
 */
import { product } from '../base/vec3.ts';
import { bytesPerValue, type WordArray } from '../precomputed/data-type.ts';
import type { ChunkLayout } from './codec.ts';

/**
 * The number of points must be below this. The sort keys are exact up to 2^32 offsets times 2^21 points, which
 * is 2^53. With more points, the whole chunk is decoded instead.
 */
export const MAX_POINTS = 2 ** 21;

/** Returns a sort key per point, `offset * n + k`, in ascending order. */
const sortKeys = (offsets: Uint32Array): Float64Array =>
  Float64Array.from(offsets, (offset, k) => offset * offsets.length + k).sort();

/**
 * Implements {@link Codec.createStreamDecoder}. A value may be split between two windows. The decoder takes 8
 * bytes of memory per point.
 */
export function createRawStreamDecoder(
  layout: ChunkLayout,
  offsets: Uint32Array,
  out: WordArray,
  outIndex: Uint32Array,
): (window: Uint8Array, at: number) => void {
  const { chunkSize, channels, dataType } = layout;
  const width = bytesPerValue(dataType),
    voxels = product(chunkSize),
    n = offsets.length;
  const sorted = sortKeys(offsets);
  const outBytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  const offsetAt = (at: number): number => Math.floor(sorted[at] / n);
  /** Copies the bytes that the window has of value `at`, which starts at byte `from` of the chunk. */
  const copy = (at: number, from: number, window: Uint8Array, start: number): void => {
    const to = (outIndex[sorted[at] - offsetAt(at) * n] * channels + channel) * width;
    const end = Math.min(width, start + window.byteLength - from);
    for (let b = Math.max(0, start - from); b < end; b++) outBytes[to + b] = window[from + b - start];
  };
  let channel = 0,
    next = 0;
  return (window, start) => {
    const end = start + window.byteLength;
    while (channel < channels) {
      const offset = offsetAt(next),
        from = (channel * voxels + offset) * width;
      if (from >= end) return;
      if (from + width > end) {
        // The rest is in the next window, for every point at this voxel.
        for (let same = next; same < n && offsetAt(same) === offset; same++) copy(same, from, window, start);
        return;
      }
      copy(next, from, window, start);
      if (++next === n) {
        next = 0;
        channel++;
      }
    }
  };
}
