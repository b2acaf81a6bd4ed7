/**
 * Writes the `compressed_segmentation` encoding, so that a raw chunk can be kept in a small part of its bytes and still be read in one
 * step a point. Blocks of 8 x 8 x 8; blocks of a channel that hold the same labels share a table.
 * Source: Neuroglancer, src/sliceview/compressed_segmentation/README.md, "Format specification" and "Multi-channel format".
 */
import { product, type Vec3 } from '../base/vec3.ts';
import { wordsPerValue } from '../precomputed/data-type.ts';
import { BLOCK_SIDE as SIDE, BlockLabels } from './block-labels.ts';
import type { ChunkLayout } from './codec.ts';

/** The block size that is written. */
export const ENCODED_BLOCK_SIZE: Vec3 = [SIDE, SIDE, SIDE];

/** Words that the voxels of a block take at one bit each. */
const PLANE = SIDE ** 3 / 32;

/** Most words a block adds: 16 bits a voxel, and a uint64 label a voxel. */
const MOST_BLOCK_WORDS = 16 * PLANE + 2 * SIDE ** 3;

/** The format has 24 bits for where a table starts. */
const MOST_TABLE_OFFSET = 0xffffff;

const bitsFor = (labels: number): number => (labels === 1 ? 0 : labels === 2 ? 1 : labels <= 4 ? 2 : labels <= 16 ? 4 : labels <= 256 ? 8 : 16);

/**
 * A raw chunk of uint32 or uint64 as compressed_segmentation in blocks of {@link ENCODED_BLOCK_SIZE}.
 *
 * @param bytes The raw chunk: `[x, y, z, channel]`, x fastest. Any `byteOffset`; never written to.
 * @returns Fresh memory of just its size; undefined when it would not be smaller than `bytes`, or `bytes` has not the layout's size.
 */
export function encodeCompressedSegmentation(bytes: Uint8Array, { chunkSize, channels, dataType }: ChunkLayout): Uint8Array | undefined {
  const width = wordsPerValue(dataType), channelWords = width * product(chunkSize);
  if (bytes.byteLength !== 4 * channels * channelWords) return undefined;
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const encoder = new ChunkEncoder(width, channels, channels * channelWords);
  for (let channel = 0; channel < channels; channel++) {
    const words = new Uint32Array(buffer, byteOffset + 4 * channel * channelWords, channelWords);
    if (!encoder.add(channel, words, chunkSize)) return undefined;
  }
  return encoder.finish();
}

class ChunkEncoder {
  readonly #width: 1 | 2;
  /** The chunk must take fewer words. */
  readonly #limit: number;
  readonly #labels: BlockLabels;
  #out: Uint32Array;
  #end: number;

  constructor(width: 1 | 2, channels: number, limit: number) {
    this.#width = width;
    this.#limit = limit;
    this.#labels = new BlockLabels(width);
    this.#out = new Uint32Array(channels + (limit >>> 5) + MOST_BLOCK_WORDS);
    this.#end = channels;
  }

  /** @returns false when the chunk has become too large. */
  add(channel: number, words: Uint32Array, [sx, sy, sz]: Vec3): boolean {
    const start = this.#end, rowStep = this.#width * sx, sliceStep = rowStep * sy;
    const tables = new Map<number, number>();
    let header = start;
    this.#end += 2 * Math.ceil(sx / SIDE) * Math.ceil(sy / SIDE) * Math.ceil(sz / SIDE);
    if (this.#end >= this.#limit) return false;
    this.#reserve();
    this.#out[channel] = start;
    for (let z = 0; z < sz; z += SIDE)
      for (let y = 0; y < sy; y += SIDE)
        for (let x = 0; x < sx; x += SIDE, header += 2) {
          const first = this.#width * x + rowStep * y + sliceStep * z;
          this.#labels.scan(words, { first, rowStep, sliceStep, nx: Math.min(SIDE, sx - x), ny: Math.min(SIDE, sy - y), nz: Math.min(SIDE, sz - z) });
          this.#reserve();
          const table = this.#writeBlock(header, start, tables);
          if (this.#end >= this.#limit || table - start > MOST_TABLE_OFFSET) return false;
        }
    return true;
  }

  /** @returns where its table is: a known one, or one behind its voxels. */
  #writeBlock(header: number, start: number, tables: Map<number, number>): number {
    const labels = this.#labels, out = this.#out, packed = this.#end;
    const bits = bitsFor(labels.count), end = packed + PLANE * bits;
    let table = tables.get(labels.hash);
    // What lies there decides, not the hash; beyond `packed` nothing is written yet.
    if (table !== undefined && table + this.#width * labels.count <= packed && labels.useTable(out, table)) this.#end = end;
    else {
      table = end;
      this.#end = labels.writeTable(out, table);
      tables.set(labels.hash, table);
    }
    if (bits > 0) labels.writePacked(out, packed, bits);
    out[header] = (table - start) | (bits << 24);
    out[header + 1] = packed - start;
    return table;
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#out.slice(0, this.#end).buffer);
  }

  /** Room for one more block. */
  #reserve(): void {
    if (this.#end + MOST_BLOCK_WORDS <= this.#out.length) return;
    const larger = new Uint32Array(Math.min(2 * this.#end, this.#limit) + MOST_BLOCK_WORDS);
    larger.set(this.#out.subarray(0, this.#end));
    this.#out = larger;
  }
}
