/**
 * Encodes raw chunks as `compressed_segmentation`, so that a cache can keep them in a fraction of their bytes
 * and still read single points. Blocks have 8 x 8 x 8 voxels. Blocks of a channel with the same labels share
 * a table. The raw bytes may come in pieces: only one layer of blocks is held at a time.
 * Source: Neuroglancer, src/sliceview/compressed_segmentation/README.md, "Format specification" and
 * "Multi-channel format".
 */
import type { Vec3 } from '../base/vec3.ts';
import { wordsPerValue } from '../precomputed/data-type.ts';
import { BLOCK_SIDE as SIDE, BlockLabels } from './block-labels.ts';
import type { ChunkLayout } from './codec.ts';

/** The block size that the encoder writes. */
export const ENCODED_BLOCK_SIZE: Vec3 = [SIDE, SIDE, SIDE];

/** Words that the voxels of a block take at one bit per voxel. */
const WORDS_PER_BIT = SIDE ** 3 / 32;

/** The most words that a block adds: 16 bits and a uint64 label per voxel. */
const MAX_BLOCK_WORDS = 16 * WORDS_PER_BIT + 2 * SIDE ** 3;

/** The format has 24 bits for the start of a table. */
const MAX_TABLE_OFFSET = 0xffffff;

const bitsFor = (labels: number): number =>
  labels === 1 ? 0 : labels === 2 ? 1 : labels <= 4 ? 2 : labels <= 16 ? 4 : labels <= 256 ? 8 : 16;

/**
 * Encodes one raw chunk of uint32 or uint64 in blocks of {@link ENCODED_BLOCK_SIZE}: call `add` for each
 * piece, then `finish`.
 */
export class SegmentationEncoder {
  readonly #chunkSize: Vec3;
  readonly #channels: number;
  readonly #width: 1 | 2;
  readonly #labels: BlockLabels;
  /** Words of the raw chunk. The result must take fewer. */
  readonly #limit: number;
  #out: Uint32Array;
  #end: number;
  /** Set once there can be no result: it became too large, or the chunk has too many bytes. */
  #failed = false;
  /** The layer being filled: up to 8 slices of a channel. */
  readonly #layer: Uint32Array;
  #layerBytes = 0;
  /** The channel and first slice of that layer. */
  #channel = 0;
  #z = 0;
  /** The first word of the channel. */
  #start = 0;
  /** Where the header of the next block goes. */
  #header = 0;
  /** The start of each table of the channel, by the hash of its labels. */
  #tables = new Map<number, number>();

  constructor({ chunkSize, channels, dataType }: ChunkLayout) {
    const [sx, sy, sz] = chunkSize;
    this.#chunkSize = chunkSize;
    this.#channels = channels;
    this.#width = wordsPerValue(dataType);
    this.#labels = new BlockLabels(this.#width);
    this.#limit = this.#width * sx * sy * sz * channels;
    this.#layer = new Uint32Array(this.#width * sx * sy * Math.min(SIDE, sz));
    this.#out = new Uint32Array(channels + (this.#limit >>> 5) + MAX_BLOCK_WORDS);
    this.#end = channels;
  }

  /**
   * Adds the next bytes of the raw chunk, which is in `[x, y, z, channel]` order, x fastest. A piece may have
   * any length and `byteOffset`; it is never written to.
   */
  add(bytes: Uint8Array): void {
    const layer = new Uint8Array(this.#layer.buffer);
    for (let from = 0; from < bytes.byteLength && !this.#failed;) {
      // More bytes than a chunk of this layout has.
      if (this.#channel === this.#channels) return void (this.#failed = true);
      const wanted = 4 * this.#width * this.#chunkSize[0] * this.#chunkSize[1] * this.#depth();
      const piece = bytes.subarray(from, from + wanted - this.#layerBytes);
      layer.set(piece, this.#layerBytes);
      from += piece.byteLength;
      this.#layerBytes += piece.byteLength;
      if (this.#layerBytes === wanted) this.#encodeLayer();
    }
  }

  /**
   * Ends the chunk.
   * @returns The encoded chunk in fresh memory; undefined if it is not smaller than the raw chunk, or if that
   *   had the wrong size.
   */
  finish(): Uint8Array | undefined {
    if (this.#failed || this.#channel < this.#channels) return undefined;
    return new Uint8Array(this.#out.slice(0, this.#end).buffer);
  }

  /** Returns the slices of the layer that is being filled. */
  #depth(): number {
    return Math.min(SIDE, this.#chunkSize[2] - this.#z);
  }

  #encodeLayer(): void {
    const [sx, sy, sz] = this.#chunkSize,
      nz = this.#depth();
    const rowStep = this.#width * sx,
      sliceStep = rowStep * sy;
    if (this.#z === 0) this.#beginChannel();
    for (let y = 0; y < sy && !this.#failed; y += SIDE)
      for (let x = 0; x < sx && !this.#failed; x += SIDE) {
        const first = this.#width * x + rowStep * y;
        this.#labels.scan(this.#layer, {
          first,
          rowStep,
          sliceStep,
          nx: Math.min(SIDE, sx - x),
          ny: Math.min(SIDE, sy - y),
          nz,
        });
        this.#writeBlock();
      }
    this.#layerBytes = 0;
    this.#z += nz;
    if (this.#z < sz) return;
    this.#z = 0;
    this.#channel++;
  }

  #beginChannel(): void {
    const [sx, sy, sz] = this.#chunkSize;
    this.#start = this.#header = this.#out[this.#channel] = this.#end;
    this.#tables.clear();
    this.#end += 2 * Math.ceil(sx / SIDE) * Math.ceil(sy / SIDE) * Math.ceil(sz / SIDE);
    this.#failed = this.#end >= this.#limit;
  }

  /**
   * Writes the block that was scanned last: its header, its voxels, and its table, unless the channel already
   * has the same table.
   */
  #writeBlock(): void {
    this.#reserve();
    const labels = this.#labels,
      out = this.#out,
      packed = this.#end;
    const bits = bitsFor(labels.count),
      end = packed + WORDS_PER_BIT * bits;
    let table = this.#tables.get(labels.hash);
    // The hash only finds a candidate; `useTable` compares the labels. Beyond `packed` nothing is written
    // yet.
    if (table !== undefined && table + this.#width * labels.count <= packed && labels.useTable(out, table))
      this.#end = end;
    else {
      table = end;
      this.#end = labels.writeTable(out, table);
      this.#tables.set(labels.hash, table);
    }
    if (bits > 0) labels.writePacked(out, packed, bits);
    out[this.#header++] = (table - this.#start) | (bits << 24);
    out[this.#header++] = packed - this.#start;
    this.#failed = this.#end >= this.#limit || table - this.#start > MAX_TABLE_OFFSET;
  }

  /** Grows the output if it has no room for another block. */
  #reserve(): void {
    if (this.#end + MAX_BLOCK_WORDS <= this.#out.length) return;
    const larger = new Uint32Array(Math.min(2 * this.#end, this.#limit) + MAX_BLOCK_WORDS);
    larger.set(this.#out.subarray(0, this.#end));
    this.#out = larger;
  }
}
