/**
 * What every encoding is: single voxels out of the bytes of one chunk (content encoding already undone), never the whole chunk.
 * Pure: bytes and numbers in, numbers out. An encoding is one file in this room, one line in `registry.ts`, one spec.
 */
import type { Vec3 } from '../base/vec3.ts';
import type { DataType, WordArray } from '../precomputed/data-type.ts';
import type { ByteRange } from '../storage/store.ts';

export interface ChunkLayout {
  /** Shape of this chunk in voxels, xyz, clipped at the volume's edge. */
  chunkSize: Vec3;
  channels: number;
  dataType: DataType;
  /** Only `compressed_segmentation`: voxels a block, xyz. */
  blockSize?: Vec3;
}

export interface Codec {
  /** As `info` spells it: `raw`, `compressed_segmentation`, … */
  readonly encoding: string;
  readonly dataTypes: readonly DataType[];
  /** Whether voxels cost the same however they are parted between calls of `decodePoints`; else each call decodes what its voxels lie in. */
  readonly isPointwise?: boolean;
  /**
   * Values of many voxels of one chunk.
   *
   * @param bytes The chunk's bytes; may start at any `byteOffset`; never written to.
   * @param offsets Wanted voxels as linear offsets in the chunk, x fastest; each < the chunk's voxel count. Any order, repeats allowed.
   * @param out Where values go, as words (see {@link WordArray}): value c of voxel k starts at
   *   `out[(outIndex[k] * channels + c) * wordsPerValue]`.
   * @param outIndex Same length as `offsets`.
   * @throws DecodeError when the bytes do not follow the format; `out` may then be partly written.
   */
  decodePoints(
    bytes: Uint8Array,
    layout: ChunkLayout,
    offsets: Uint32Array,
    out: WordArray,
    outIndex: Uint32Array,
  ): void;
  /**
   * The same while the chunk's bytes go by in pieces of any size, for encodings whose values lie at known places.
   *
   * @returns What sees each piece, in order, with its offset; undefined where whole chunks are better.
   */
  createStreamDecoder?(
    layout: ChunkLayout,
    offsets: Uint32Array,
    out: WordArray,
    outIndex: Uint32Array,
  ): ((window: Uint8Array, at: number) => void) | undefined;
  /** Where in the chunk the values of these voxels lie, for encodings whose values lie at known places; {@link createStreamDecoder} needs no more. */
  wantedBytes?(layout: ChunkLayout, offsets: Uint32Array): ByteRange[];
  /**
   * For encodings that give all voxels of a chunk or none (images): the chunk as `raw` has it. Done once a chunk, where its bitstream is
   * undone: what is kept is decoded, and `decodePoints` reads what this returned.
   * @throws DecodeError when the bytes do not follow the format.
   */
  decodeChunk?(bytes: Uint8Array, layout: ChunkLayout): Uint8Array | Promise<Uint8Array>;
  /** The most bytes a chunk of this layout can take: what inflating stops at. */
  maxBytes(layout: ChunkLayout): number;
  /** The exact size of every chunk of this layout, where the format fixes it (raw). */
  exactBytes?(layout: ChunkLayout): number;
}
