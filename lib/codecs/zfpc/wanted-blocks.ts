/** Groups the values that are wanted of one zfpc chunk by the blocks that hold them. */
import type { ChunkLayout } from '../codec.ts';
import type { ZfpcContainer } from './zfpc-container.ts';

/** The wanted values as one list per block. Value c of point k is number `k * channels + c`. */
export interface WantedBlocks {
  /** One more than the last value of each block's list; 0 if nothing of the block is wanted. Streams follow each other. */
  last: Uint32Array;
  /** One more than the value before each value in its list; 0 at the end. */
  previous: Uint32Array;
  /** Where each value is in its block. */
  places: Uint8Array;
}

/** Takes 4 bytes per block of the chunk, and 5 per wanted value. */
export function groupByBlock(
  { axes: [x, y, z, c], streamCount, blocksPerStream }: ZfpcContainer,
  { chunkSize: [sx, sy], channels }: ChunkLayout,
  offsets: Uint32Array,
): WantedBlocks {
  const last = new Uint32Array(streamCount * blocksPerStream),
    previous = new Uint32Array(offsets.length * channels),
    places = new Uint8Array(offsets.length * channels);
  for (let k = 0, value = 0; k < offsets.length; k++) {
    const row = Math.floor(offsets[k] / sx),
      atX = offsets[k] - row * sx,
      atZ = Math.floor(row / sy),
      atY = row - atZ * sy;
    const block =
      (atX >> x.blockShift) * x.blockStride +
      (atY >> y.blockShift) * y.blockStride +
      (atZ >> z.blockShift) * z.blockStride;
    const place = (atX & 3) * x.valueStride + (atY & 3) * y.valueStride + (atZ & 3) * z.valueStride;
    for (let channel = 0; channel < channels; channel++, value++) {
      const at = block + (channel >> c.blockShift) * c.blockStride;
      places[value] = place + (channel & 3) * c.valueStride;
      previous[value] = last[at];
      last[at] = value + 1;
    }
  }
  return { last, previous, places };
}
