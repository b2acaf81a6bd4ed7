/**
 * Point reads of the `raw` encoding while the chunk goes by in pieces: each value is taken out of the piece that holds it, and the chunk
 * is never held whole.
 */
import { product } from '../base/vec3.ts';
import { bytesPerValue, type WordArray } from '../precomputed/data-type.ts';
import type { ChunkLayout } from './codec.ts';

/** For more points whole chunks are better: 2^32 offsets times 2^21 points is the last product that a double holds. */
export const MAX_POINTS = 2 ** 21;

/** Values in the order their bytes come by, each as an exact sort key. */
const inOrder = (offsets: Uint32Array): Float64Array =>
  Float64Array.from(offsets, (offset, k) => offset * offsets.length + k).sort();

/** As {@link Codec.watchPoints}. Values may lie across two pieces: bytes are what is copied there. 8 bytes a point while it lasts. */
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
  const sorted = inOrder(offsets);
  const outBytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  const offsetAt = (at: number): number => Math.floor(sorted[at] / n);
  /** The bytes that value `at`, which lies from `from` on, has in the piece. */
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
        // The rest is in the next piece, for every point at this voxel.
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
