/**
 * Parses the `info` file of a Precomputed volume: strictly where a mistake would give wrong answers,
 * leniently elsewhere (unknown fields are ignored; old infos have no `@type`).
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "info JSON file specification".
 */
import * as z from 'zod/mini';
import { InfoError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import { product, type Vec3 } from '../base/vec3.ts';
import { firstIssue, safeParse } from '../base/schema.ts';
import { bytesPerValue, DATA_TYPES, type DataType } from './data-type.ts';

/** One scale of a volume. All vectors are x, y, z. */
export interface Scale {
  /** Index in `scales`; 0 is the finest. */
  mip: number;
  /** Folder of the scale's chunks, relative to the info. */
  key: string;
  /** Nanometres per voxel. */
  resolution: Vec3;
  /** The size of the volume, in voxels of this mip. */
  size: Vec3;
  /** The first voxel of the volume, in voxels of this mip. */
  voxelOffset: Vec3;
  /**
   * The chunk size in voxels: the first entry of `chunk_sizes`, because each entry stores the whole volume.
   */
  chunkSize: Vec3;
  /** How voxels are written: `raw`, `compressed_segmentation`, `compresso`, `crackle`, …, in lower case. */
  encoding: string;
  /** Voxels per block; only for `compressed_segmentation`. */
  blockSize?: Vec3;
  /** The `sharding` member of the info, not yet checked; undefined if each chunk is an object of its own. */
  sharding?: unknown;
  /**
   * Why this scale cannot be read. It is thrown when the scale is used. Fields that are not known are then
   * NaN or empty.
   */
  error?: InfoError;
}

/** The info of a volume. */
export interface VolumeInfo {
  type: 'image' | 'segmentation';
  dataType: DataType;
  numChannels: number;
  /** The scales, finest first. */
  scales: readonly Scale[];
}

/**
 * The largest decoded chunk, in bytes. The info comes from a server, so it must not decide freely how much is
 * allocated.
 */
const MAX_CHUNK_BYTES = 2 ** 31;
/** The largest side of a compressed_segmentation block, unless the chunk is larger. */
const MAX_BLOCK = 64;

const vec3 = <T extends z.ZodMiniType<number>>(of: T) => z.tuple([of, of, of]);
const count = z.int().check(z.positive());

const scaleSchema = z.looseObject({
  key: z.string().check(z.minLength(1)),
  resolution: vec3(z.number().check(z.positive())),
  size: vec3(count),
  voxel_offset: z.nullish(vec3(z.int())),
  chunk_sizes: z.array(vec3(count)).check(z.minLength(1)),
  encoding: z.string().check(z.toLowerCase()),
  compressed_segmentation_block_size: z.nullish(vec3(count)),
  sharding: z.optional(z.unknown()),
});

const inLowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

const infoSchema = z.looseObject({
  '@type': z.optional(z.literal('neuroglancer_multiscale_volume')),
  type: z.pipe(z.transform(inLowerCase), z.enum(['image', 'segmentation'])),
  data_type: z.pipe(z.transform(inLowerCase), z.enum(Object.keys(DATA_TYPES) as [DataType, ...DataType[]])),
  num_channels: count.check(z.maximum(65_536)),
  scales: z.array(z.unknown()).check(z.minLength(1)),
});

/**
 * Returns the scale of a mip.
 * @throws RangeError if the volume has no such mip; InfoError if its scale cannot be read.
 */
export function scaleAt(scales: readonly Scale[], mip: number): Scale {
  const scale = scales[mip];
  if (!scale) throw new RangeError(`mip ${mip} is not one of 0 to ${scales.length - 1}`);
  if (scale.error) throw scale.error;
  return scale;
}

/** Returns the bounding box of a scale in voxels of its mip. */
export const scaleBounds = ({ voxelOffset: min, size }: Scale): { min: Vec3; max: Vec3 } => ({
  min,
  max: [min[0] + size[0], min[1] + size[1], min[2] + size[2]],
});

/**
 * Returns the nanometres per voxel of the finest scale, even if that scale cannot be read.
 * @throws InfoError if the info has no resolution.
 */
export function finestResolution([{ resolution, error }]: readonly Scale[]): Vec3 {
  if (error && resolution.some(Number.isNaN)) throw error;
  return resolution;
}

/**
 * Parses an info. A scale that cannot be read is returned with its `error`; the call throws only if no scale
 * can be read.
 *
 * @param json The parsed content of the info file.
 * @param url Where it was read from, for errors.
 * @throws InfoError BAD_INFO (a field is missing or impossible) or UNSUPPORTED (valid, but not supported by
 *   this version).
 */
export function parseInfo(json: unknown, url: string): VolumeInfo {
  const parsed = safeParse(infoSchema, json);
  if (!parsed.success)
    throw new InfoError(
      'BAD_INFO',
      `info at ${url} is not a Precomputed volume: ${firstIssue(parsed.error)}`,
      url,
    );
  const { type, data_type: dataType, num_channels: numChannels, scales: given } = parsed.data;
  const scales = given.map((scale, mip) => readScale(scale, mip, numChannels * bytesPerValue(dataType), url));
  if (scales.every(({ error }) => error)) throw scales[0].error!;
  return { type, dataType, numChannels, scales };
}

function readScale(json: unknown, mip: number, bytesPerVoxel: number, url: string): Scale {
  try {
    const parsed = safeParse(scaleSchema, json);
    if (!parsed.success)
      throw new InfoError(
        'BAD_INFO',
        `info at ${url} is not a Precomputed volume: ${firstIssue(parsed.error, `scales[${mip}]`)}`,
        url,
      );
    return toScale(parsed.data, mip, bytesPerVoxel, url);
  } catch (error) {
    if (!(error instanceof InfoError)) throw error;
    return { ...validFieldsOf(json), mip, error };
  }
}

/** Returns the fields that are valid in a scale that cannot be read. */
function validFieldsOf(json: unknown): Omit<Scale, 'mip'> {
  const {
    key,
    resolution,
    size,
    voxel_offset: voxelOffset,
    chunk_sizes: chunkSizes,
    encoding,
  } = (json ?? {}) as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === 'string' ? toPrintable(value) : '');
  const vector = (value: unknown): Vec3 => vec3(z.number()).safeParse(value).data ?? [NaN, NaN, NaN];
  return {
    key: text(key),
    resolution: vec3(z.number().check(z.positive())).safeParse(resolution).data ?? [NaN, NaN, NaN],
    size: vector(size),
    voxelOffset: voxelOffset == null ? [0, 0, 0] : vector(voxelOffset),
    chunkSize: vector(Array.isArray(chunkSizes) ? chunkSizes[0] : undefined),
    encoding: text(encoding),
  };
}

function toScale(scale: z.infer<typeof scaleSchema>, mip: number, bytesPerVoxel: number, url: string): Scale {
  const where = `scales[${mip}] of the info at ${url}`;
  const key = scale.key.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  // The format allows a key to leave its folder. No writer does that, and it would let a server point
  // anywhere in a store.
  if (
    key === '' ||
    /^[/\\]|[\\\p{Cc}\p{Cf}]|^[a-z][a-z0-9+.-]*:\/\//iu.test(key) ||
    key.split('/').some((part) => part === '..' || part === '.' || part === '')
  )
    throw new InfoError(
      'UNSUPPORTED',
      `${where}: key ${JSON.stringify(toPrintable(scale.key))} does not stay below the volume's folder`,
      url,
    );
  if (scale.sharding != null && scale.chunk_sizes.length > 1)
    throw new InfoError(
      'BAD_INFO',
      `${where}: a sharded scale has one chunk size, not ${scale.chunk_sizes.length}`,
      url,
    );
  const chunkSize = scale.chunk_sizes[0];
  const largest = scale.size.map((size, axis) => Math.min(size, chunkSize[axis])) as unknown as Vec3;
  if (product(largest) * bytesPerVoxel > MAX_CHUNK_BYTES)
    throw new InfoError(
      'UNSUPPORTED',
      `${where}: chunks of ${largest.join('x')} voxels of ${bytesPerVoxel} bytes are too large; up to ${MAX_CHUNK_BYTES} bytes are supported`,
      url,
    );
  const cells = [0, 1, 2].reduce((n, axis) => n * Math.ceil(scale.size[axis] / chunkSize[axis]), 1);
  if (cells > Number.MAX_SAFE_INTEGER)
    throw new InfoError('UNSUPPORTED', `${where}: more than 2^53 chunks are not supported`, url);
  const blockSize = scale.compressed_segmentation_block_size ?? undefined;
  if (scale.encoding === 'compressed_segmentation' && !blockSize)
    throw new InfoError(
      'BAD_INFO',
      `${where}: compressed_segmentation needs compressed_segmentation_block_size`,
      url,
    );
  // Blocks are padded to their full size, so huge blocks would let a chunk take any number of bytes.
  if (blockSize?.some((size, axis) => size > Math.max(MAX_BLOCK, chunkSize[axis])))
    throw new InfoError(
      'UNSUPPORTED',
      `${where}: blocks of ${blockSize.join('x')} voxels are too large for chunks of ${chunkSize.join('x')}`,
      url,
    );
  return {
    mip,
    key,
    resolution: scale.resolution,
    size: scale.size,
    voxelOffset: scale.voxel_offset ?? [0, 0, 0],
    chunkSize,
    encoding: scale.encoding,
    ...(blockSize && { blockSize }),
    ...(scale.sharding != null && { sharding: scale.sharding }),
  };
}
