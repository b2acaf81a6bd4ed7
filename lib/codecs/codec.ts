/**
 * The interface of an encoding. A codec reads single voxels from the bytes of one chunk, which are already
 * decompressed, and decodes no more of the chunk than they need. Codecs are pure: bytes and numbers in,
 * numbers out. A new encoding needs one file in this folder, one line in `registry.ts`, and one spec.
 */
import type { PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { DataType, WordArray } from '../precomputed/data-type.ts';
import type { ByteRange } from '../storage/store.ts';

/** What a codec must know about a chunk. */
export interface ChunkLayout {
  /** The size of this chunk in voxels, xyz, clipped at the volume's edge. */
  chunkSize: Vec3;
  channels: number;
  dataType: DataType;
  /** Voxels per block, xyz; only for `compressed_segmentation`. */
  blockSize?: Vec3;
}

/** One encoding. */
export interface Codec {
  /** The encoding's name, as `info` spells it: `raw`, `compressed_segmentation`, … */
  readonly encoding: string;
  /** The data types that the encoding can hold. */
  readonly dataTypes: readonly DataType[];
  /** The numbers of channels that the encoding can hold. @default any */
  readonly channels?: readonly number[];
  /**
   * Whether the cost of a voxel does not depend on the other voxels of the call. If not set, each call of
   * `decodePoints` decodes the parts of the chunk that its voxels lie in, so few large calls are cheaper.
   */
  readonly isPointwise?: boolean;
  /**
   * Reads the values of many voxels of one chunk.
   *
   * @param bytes The chunk's bytes; they may start at any `byteOffset`, and are never written to.
   * @param offsets The voxels, as linear offsets in the chunk, x fastest; each < the chunk's voxel count. Any
   *   order, repeats allowed.
   * @param out Receives the values as words (see {@link WordArray}): value c of voxel k starts at
   *   `out[(outIndex[k] * channels + c) * wordsPerValue]`.
   * @param outIndex The position of each voxel in `out`; as long as `offsets`.
   * @returns Work, if a chunk can take more than some milliseconds: nothing is read before it runs. It yields
   *   every millisecond or so. A codec that returns work has `toRaw`.
   * @throws DecodeError if the bytes do not follow the format, at the call or from the work; `out` may then
   * be
   *   partly written.
   */
  decodePoints(
    bytes: Uint8Array,
    layout: ChunkLayout,
    offsets: Uint32Array,
    out: WordArray,
    outIndex: Uint32Array,
  ): PausableWork | void;
  /**
   * Reads the same values from a stream of the chunk's bytes, for encodings whose values are at known
   * positions.
   *
   * @returns A function that must receive each piece of the chunk in order, with its offset; undefined if
   *   reading whole chunks is better.
   */
  createStreamDecoder?(
    layout: ChunkLayout,
    offsets: Uint32Array,
    out: WordArray,
    outIndex: Uint32Array,
  ): ((window: Uint8Array, at: number) => void) | undefined;
  /**
   * Returns the byte ranges of the voxels' values in the chunk, for encodings whose values are at known
   * positions.
   */
  wantedBytes?(layout: ChunkLayout, offsets: Uint32Array): ByteRange[];
  /**
   * Decodes a whole chunk to the `raw` encoding, for encodings that read a voxel only after those before it.
   * The caller then reads from the result with the raw codec.
   * @throws DecodeError from the work.
   */
  toRaw?(bytes: Uint8Array, layout: ChunkLayout): PausableWork<Uint8Array>;
  /**
   * Returns about how many milliseconds the decoder holds its thread without a pause, for decoders that
   * cannot pause. @default a few
   */
  holdsThreadMs?(layout: ChunkLayout): number;
  /** The package that `load` imports: an optional dependency. Known once `load` has tried to. */
  readonly packageName?: string;
  /**
   * Imports what the decoder needs. A volume awaits it when it is opened, if one of its scales has this
   * encoding; all other functions are called only after that. It may be called more than once.
   */
  load?(): Promise<void>;
  /** Returns the most bytes that a chunk of this layout can take. Decompression stops there. */
  maxBytes(layout: ChunkLayout): number;
  /** Returns the exact size of a chunk of this layout, if the format fixes it (raw). */
  exactBytes?(layout: ChunkLayout): number;
}
