/**
 * Reads points of the `compressed_segmentation` encoding. Each value takes one block header, one packed word
 * and one table entry; the whole chunk is never decoded. All offsets in the format count 32-bit little-endian
 * words.
 * Source: Neuroglancer, src/sliceview/compressed_segmentation/README.md, "Format specification" and
 * "Multi-channel format".
 */
import { DecodeError } from '../base/errors.ts';
import { product } from '../base/vec3.ts';
import type { Vec3 } from '../base/vec3.ts';
import { bytesPerValue, wordsPerValue } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from './codec.ts';

function blockSizeOf({ blockSize }: ChunkLayout): Vec3 {
  if (!blockSize) throw new TypeError('compressed_segmentation needs a block size');
  return blockSize;
}

/** Returns the number of blocks along each axis; the last ones may be clipped. */
const gridOf = ([sx, sy, sz]: Vec3, [bx, by, bz]: Vec3): Vec3 => [
  Math.ceil(sx / bx),
  Math.ceil(sy / by),
  Math.ceil(sz / bz),
];

function truncated(what: string, words: number): never {
  throw new DecodeError(
    'TRUNCATED',
    `compressed_segmentation: ${what} is past the end of the chunk (${words} words)`,
  );
}

/** Returns the chunk as words; a copy if its bytes are not aligned to words. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(buffer, byteOffset, byteLength >>> 2);
}

/** Returns the first word of a channel. All offsets in its block headers count from there. */
function channelStart(chunk: Uint32Array, channel: number, channels: number, blocks: number): number {
  const words = chunk.length;
  if (channel >= words) truncated(`the offset of channel ${channel}`, words);
  const start = chunk[channel];
  if (channel === 0 ? start !== channels : start < channels)
    throw new DecodeError(
      'BAD_HEADER',
      `compressed_segmentation: channel ${channel} of ${channels} cannot start at word ${start}`,
    );
  if (start + 2 * blocks > words) truncated(`a block header of channel ${channel}`, words);
  return start;
}

/** Points that are decoded together. */
const BATCH = 1024;
/**
 * For each point of the batch: the first word of its block header, later the position of its label; the
 * second word; its offset in the block.
 */
const first = new Uint32Array(BATCH),
  second = new Uint32Array(BATCH),
  offsetInBlock = new Float64Array(BATCH);

/**
 * Works in three steps (header, packed value, label), each for many points. The words are far apart in
 * memory, and a processor fetches several of them at once if no step of a loop depends on the one before.
 */
const decodePoints: Codec['decodePoints'] = (bytes, layout, offsets, out, outIndex) => {
  const { chunkSize, channels, dataType } = layout;
  const blockSize = blockSizeOf(layout);
  const [sx, sy] = chunkSize;
  const [bx, by, bz] = blockSize;
  const grid = gridOf(chunkSize, blockSize);
  const [gx, gy] = grid;
  const width = wordsPerValue(dataType);
  const chunk = wordsOf(bytes),
    words = chunk.length;

  for (let channel = 0; channel < channels; channel++) {
    const start = channelStart(chunk, channel, channels, product(grid));
    for (let from = 0; from < offsets.length; from += BATCH) {
      const count = Math.min(BATCH, offsets.length - from);
      for (let k = 0; k < count; k++) {
        // V8 compiles `(a / b) >>> 0` to an integer division, exact for all uint32. Math.floor would be a
        // division of doubles.
        const offset = offsets[from + k];
        const row = (offset / sx) >>> 0;
        const z = (row / sy) >>> 0;
        const x = offset - row * sx;
        const y = row - z * sy;
        const blockX = (x / bx) >>> 0;
        const blockY = (y / by) >>> 0;
        const blockZ = (z / bz) >>> 0;
        // Both header words are inside the chunk: channelStart has checked the header of the last block.
        const header = start + 2 * (blockX + gx * (blockY + gy * blockZ));
        first[k] = chunk[header];
        second[k] = chunk[header + 1];
        offsetInBlock[k] = x - blockX * bx + bx * (y - blockY * by + by * (z - blockZ * bz));
      }
      for (let k = 0; k < count; k++) {
        const bits = first[k] >>> 24;
        if (bits > 32 || (bits & (bits - 1)) !== 0)
          throw new DecodeError(
            'BAD_HEADER',
            `compressed_segmentation: ${bits} bits per voxel for voxel ${offsets[from + k]} of channel ${channel}`,
          );
        let label = start + (first[k] & 0xffffff);
        if (bits !== 0) {
          const bit = bits * offsetInBlock[k];
          const at = start + second[k] + Math.floor(bit / 32);
          if (at >= words)
            truncated(`the packed value of voxel ${offsets[from + k]}, channel ${channel}`, words);
          // The mask is made by shifting right, because `1 << 32` is 1 in JavaScript. `>>> 0`, because `&`
          // returns a signed number.
          const entry = ((chunk[at] >>> (bit & 31)) & (0xffffffff >>> (32 - bits))) >>> 0;
          label += width * entry;
        }
        if (label + width > words)
          truncated(`the table entry of voxel ${offsets[from + k]}, channel ${channel}`, words);
        first[k] = label;
      }
      for (let k = 0; k < count; k++) {
        const label = first[k],
          to = width * (outIndex[from + k] * channels + channel);
        out[to] = chunk[label];
        if (width === 2) out[to + 1] = chunk[label + 1];
      }
    }
  }
};

/**
 * Bounds the size of a chunk: an offset per channel, and per block 8 bytes of header, at most 32 bits per
 * voxel (including padding) and a table with at most one label per voxel. Only unused labels in a table, or
 * gaps between blocks, could take more.
 */
function maxBytes(layout: ChunkLayout): number {
  const blockSize = blockSizeOf(layout);
  const voxels = product(blockSize);
  return (
    layout.channels *
    (4 + product(gridOf(layout.chunkSize, blockSize)) * (8 + voxels * (4 + bytesPerValue(layout.dataType))))
  );
}

/** The codec of `compressed_segmentation`. */
export const compressedSegmentationCodec: Codec = {
  encoding: 'compressed_segmentation',
  dataTypes: ['uint32', 'uint64'],
  isPointwise: true,
  decodePoints,
  maxBytes,
};
