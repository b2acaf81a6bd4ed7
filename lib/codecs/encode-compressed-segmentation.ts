/**
 * Writes the `compressed_segmentation` encoding, so that a raw chunk can be kept in a small part of its bytes and still be read in one
 * step a point. Blocks of 8 x 8 x 8; blocks of a channel that hold the same labels share a table. The raw bytes may go by in pieces:
 * one layer of blocks is held at a time.
 * Source: Neuroglancer, src/sliceview/compressed_segmentation/README.md, "Format specification" and "Multi-channel format".
 */
import type { Vec3 } from '../base/vec3.ts';
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

const bitsFor = (labels: number): number =>
  labels === 1 ? 0 : labels === 2 ? 1 : labels <= 4 ? 2 : labels <= 16 ? 4 : labels <= 256 ? 8 : 16;

/** A raw chunk of uint32 or uint64 as compressed_segmentation in blocks of {@link ENCODED_BLOCK_SIZE}, as its bytes go by. */
export class SegmentationEncoder {
  readonly #chunkSize: Vec3;
  readonly #channels: number;
  readonly #width: 1 | 2;
  readonly #labels: BlockLabels;
  /** The result must take fewer words: those of the raw chunk. */
  readonly #limit: number;
  #out: Uint32Array;
  #end: number;
  /** No result: it has become too large, or the bytes too many. */
  #failed = false;
  /** Up to 8 slices of a channel, in words. */
  readonly #layer: Uint32Array;
  #layerBytes = 0;
  /** Which layer is being filled. */
  #channel = 0;
  #z = 0;
  /** Of the channel: its first word, the header of the next block, and tables by the hash of their labels. */
  #start = 0;
  #header = 0;
  #tables = new Map<number, number>();

  constructor({ chunkSize, channels, dataType }: ChunkLayout) {
    const [sx, sy, sz] = chunkSize;
    this.#chunkSize = chunkSize;
    this.#channels = channels;
    this.#width = wordsPerValue(dataType);
    this.#labels = new BlockLabels(this.#width);
    this.#limit = this.#width * sx * sy * sz * channels;
    this.#layer = new Uint32Array(this.#width * sx * sy * Math.min(SIDE, sz));
    this.#out = new Uint32Array(channels + (this.#limit >>> 5) + MOST_BLOCK_WORDS);
    this.#end = channels;
  }

  /** The next bytes of the raw chunk: `[x, y, z, channel]`, x fastest. Any number of them, at any `byteOffset`; never written to. */
  add(bytes: Uint8Array): void {
    const layer = new Uint8Array(this.#layer.buffer);
    for (let from = 0; from < bytes.byteLength && !this.#failed;) {
      // bytes of no chunk of this layout
      if (this.#channel === this.#channels) return void (this.#failed = true);
      const wanted = 4 * this.#width * this.#chunkSize[0] * this.#chunkSize[1] * this.#depth();
      const piece = bytes.subarray(from, from + wanted - this.#layerBytes);
      layer.set(piece, this.#layerBytes);
      from += piece.byteLength;
      this.#layerBytes += piece.byteLength;
      if (this.#layerBytes === wanted) this.#encodeLayer();
    }
  }

  /** @returns Fresh memory of just its size; undefined when it would not be smaller than the raw chunk, or that was not of the layout's size. */
  finish(): Uint8Array | undefined {
    if (this.#failed || this.#channel < this.#channels) return undefined;
    return new Uint8Array(this.#out.slice(0, this.#end).buffer);
  }

  /** Slices in the layer that is being filled. */
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

  /** The block scanned last: its header, its voxels, and its table unless one like it is there already. */
  #writeBlock(): void {
    this.#reserve();
    const labels = this.#labels,
      out = this.#out,
      packed = this.#end;
    const bits = bitsFor(labels.count),
      end = packed + PLANE * bits;
    let table = this.#tables.get(labels.hash);
    // What lies there decides, not the hash; beyond `packed` nothing is written yet.
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
    this.#failed = this.#end >= this.#limit || table - this.#start > MOST_TABLE_OFFSET;
  }

  /** Room for one more block. */
  #reserve(): void {
    if (this.#end + MOST_BLOCK_WORDS <= this.#out.length) return;
    const larger = new Uint32Array(Math.min(2 * this.#end, this.#limit) + MOST_BLOCK_WORDS);
    larger.set(this.#out.subarray(0, this.#end));
    this.#out = larger;
  }
}
