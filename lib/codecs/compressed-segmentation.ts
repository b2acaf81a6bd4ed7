/**
 * Point reads of the `compressed_segmentation` encoding: one block header, one packed word, one table entry a value; never the
 * whole chunk. All offsets in the format count 32-bit little-endian words.
 * Source: Neuroglancer, src/sliceview/compressed_segmentation/README.md, "Format specification" and "Multi-channel format".
 */
import { DecodeError } from '../base/errors.ts';
import { product } from '../base/vec3.ts';
import type { Vec3 } from '../base/vec3.ts';
import { bytesPerValue, wordsPerValue } from '../precomputed/data-type.ts';
import type { WordArray } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from './codec.ts';

function blockSizeOf({ blockSize }: ChunkLayout): Vec3 {
  if (!blockSize) throw new TypeError('compressed_segmentation needs a block size');
  return blockSize;
}

/** Blocks along each axis; the last ones may be clipped. */
const gridOf = ([sx, sy, sz]: Vec3, [bx, by, bz]: Vec3): Vec3 => [Math.ceil(sx / bx), Math.ceil(sy / by), Math.ceil(sz / bz)];

function truncated(what: string, words: number): never {
  throw new DecodeError('TRUNCATED', `compressed_segmentation: ${what} is past the end of the chunk (${words} words)`);
}

/** First word of a channel: all offsets in its block headers count from there. */
function channelStart(view: DataView, words: number, channel: number, channels: number, blocks: number): number {
  if (channel >= words) truncated(`the offset of channel ${channel}`, words);
  const start = view.getUint32(4 * channel, true);
  if (channel === 0 ? start !== channels : start < channels)
    throw new DecodeError('BAD_HEADER', `compressed_segmentation: channel ${channel} of ${channels} cannot start at word ${start}`);
  if (start + 2 * blocks > words) truncated(`a block header of channel ${channel}`, words);
  return start;
}

function decodePoints(bytes: Uint8Array, layout: ChunkLayout, offsets: Uint32Array, out: WordArray, outIndex: Uint32Array): void {
  const { chunkSize, channels, dataType } = layout;
  const blockSize = blockSizeOf(layout);
  const [sx, sy] = chunkSize;
  const [bx, by, bz] = blockSize;
  const grid = gridOf(chunkSize, blockSize);
  const [gx, gy] = grid;
  const width = wordsPerValue(dataType);
  // Takes any byteOffset, and is within a tenth of the time of an aligned Uint32Array.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Math.floor(bytes.byteLength / 4);

  for (let channel = 0; channel < channels; channel++) {
    const start = channelStart(view, words, channel, channels, product(grid));
    for (let k = 0; k < offsets.length; k++) {
      // `(a / b) >>> 0` is an integer division to V8, and exact for all uint32; Math.floor would be a float one.
      const offset = offsets[k];
      const row = (offset / sx) >>> 0;
      const z = (row / sy) >>> 0;
      const x = offset - row * sx;
      const y = row - z * sy;
      const blockX = (x / bx) >>> 0;
      const blockY = (y / by) >>> 0;
      const blockZ = (z / bz) >>> 0;
      const block = blockX + gx * (blockY + gy * blockZ);

      // Both header words lie inside: channelStart has checked the last block's.
      const header = view.getUint32(4 * (start + 2 * block), true);
      const bits = header >>> 24;
      if (bits > 32 || (bits & (bits - 1)) !== 0)
        throw new DecodeError('BAD_HEADER', `compressed_segmentation: ${bits} bits per voxel in block ${block} of channel ${channel}`);
      let label = start + (header & 0xffffff);
      if (bits !== 0) {
        const bit = bits * (x - blockX * bx + bx * (y - blockY * by + by * (z - blockZ * bz)));
        const at = start + view.getUint32(4 * (start + 2 * block + 1), true) + Math.floor(bit / 32);
        if (at >= words) truncated(`a packed value of block ${block}, channel ${channel}`, words);
        // A mask made by shifting right: `1 << 32` is 1 in JavaScript. `>>> 0`, because `&` gives a signed number.
        const entry = ((view.getUint32(4 * at, true) >>> (bit & 31)) & (0xffffffff >>> (32 - bits))) >>> 0;
        label += width * entry;
      }
      if (label + width > words) truncated(`a table entry of block ${block}, channel ${channel}`, words);
      const to = width * (outIndex[k] * channels + channel);
      out[to] = view.getUint32(4 * label, true);
      if (width === 2) out[to + 1] = view.getUint32(4 * label + 4, true);
    }
  }
}

/**
 * Each channel: its offset; each block: 8 bytes of header, at most 32 bits a voxel (padding included), and a table of its own
 * with at most one label a voxel. Only a table with labels that its block does not hold, or gaps between blocks, could take more.
 */
function maxBytes(layout: ChunkLayout): number {
  const blockSize = blockSizeOf(layout);
  const voxels = product(blockSize);
  return layout.channels * (4 + product(gridOf(layout.chunkSize, blockSize)) * (8 + voxels * (4 + bytesPerValue(layout.dataType))));
}

export const compressedSegmentation: Codec = {
  encoding: 'compressed_segmentation',
  dataTypes: ['uint32', 'uint64'],
  decodePoints,
  maxBytes,
};
