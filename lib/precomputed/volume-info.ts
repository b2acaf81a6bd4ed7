/**
 * The `info` file of a Precomputed volume, read strictly where a mistake would give wrong answers and leniently elsewhere
 * (unknown fields are kept out of the way; old infos have no `@type`).
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "info JSON file specification".
 */
import * as z from 'zod';
import { InfoError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import { product, type Vec3 } from '../base/vec3.ts';
import { firstIssue } from './first-issue.ts';
import { bytesPerValue, DATA_TYPES, type DataType } from './data-type.ts';

export interface Scale {
  /** Index in `scales`; 0 is the finest. */
  mip: number;
  /** Folder of the scale's chunks, relative to the info. */
  key: string;
  /** Nanometres a voxel. */
  resolution: Vec3;
  /** Voxels of this mip. */
  size: Vec3;
  /** First voxel, in voxels of this mip. */
  voxelOffset: Vec3;
  /** The first of `chunk_sizes`: each of them stores the whole volume. */
  chunkSize: Vec3;
  encoding: string;
  /** Only `compressed_segmentation`. */
  blockSize?: Vec3;
  /** The `sharding` member as it stands; undefined for one object a chunk. */
  sharding?: unknown;
  /** Why this scale cannot be read, told to whoever uses it; what is not known of its other fields is NaN, or empty. */
  error?: InfoError;
}

export interface VolumeInfo {
  type: 'image' | 'segmentation';
  dataType: DataType;
  numChannels: number;
  scales: readonly Scale[];
}

/** What one chunk may hold, decoded: a server's info decides how much is allocated, up to this. */
const MAX_CHUNK_BYTES = 2 ** 31;
/** Voxels along a side of a compressed_segmentation block, unless the chunk is larger. */
const MAX_BLOCK = 64;

const vec3 = <T extends z.ZodType<number>>(of: T) => z.tuple([of, of, of]);
const count = z.int().positive();

const scaleSchema = z.looseObject({
  key: z.string().min(1),
  resolution: vec3(z.number().positive()),
  size: vec3(count),
  voxel_offset: vec3(z.int()).nullish(),
  chunk_sizes: z.array(vec3(count)).min(1),
  encoding: z.string().toLowerCase(),
  compressed_segmentation_block_size: vec3(count).nullish(),
  sharding: z.unknown().optional(),
});

const inLowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

const infoSchema = z.looseObject({
  '@type': z.literal('neuroglancer_multiscale_volume').optional(),
  type: z.preprocess(inLowerCase, z.enum(['image', 'segmentation'])),
  data_type: z.preprocess(inLowerCase, z.enum(Object.keys(DATA_TYPES) as [DataType, ...DataType[]])),
  num_channels: count.max(65_536),
  scales: z.array(z.unknown()).min(1),
});

/** @throws RangeError for a mip the volume has not; InfoError for one that cannot be read. */
export function scaleAt(scales: readonly Scale[], mip: number): Scale {
  const scale = scales[mip];
  if (!scale) throw new RangeError(`mip ${mip} is not one of 0 to ${scales.length - 1}`);
  if (scale.error) throw scale.error;
  return scale;
}

/** Voxels of its mip that a scale covers: half-open. */
export const scaleBounds = ({ voxelOffset: min, size }: Scale): { min: Vec3; max: Vec3 } => ({
  min,
  max: [min[0] + size[0], min[1] + size[1], min[2] + size[2]],
});

/** Nanometres a voxel of the finest scale, also where it is not known how to read that. @throws InfoError when it does not say. */
export function finestResolution([{ resolution, error }]: readonly Scale[]): Vec3 {
  if (error && resolution.some(Number.isNaN)) throw error;
  return resolution;
}

/**
 * A scale that cannot be read has its error with it, unless that is so of all of them.
 *
 * @param json What the info file holds.
 * @param url Where it was read from, for messages.
 * @throws InfoError BAD_INFO (a field is missing or impossible) or UNSUPPORTED (legal, but not read here).
 */
export function parseInfo(json: unknown, url: string): VolumeInfo {
  const parsed = infoSchema.safeParse(json);
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
    const parsed = scaleSchema.safeParse(json);
    if (!parsed.success)
      throw new InfoError(
        'BAD_INFO',
        `info at ${url} is not a Precomputed volume: ${firstIssue(parsed.error, `scales[${mip}]`)}`,
        url,
      );
    return toScale(parsed.data, mip, bytesPerVoxel, url);
  } catch (error) {
    if (!(error instanceof InfoError)) throw error;
    return { ...knownOf(json), mip, error };
  }
}

/** What a scale that cannot be read says all the same. */
function knownOf(json: unknown): Omit<Scale, 'mip'> {
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
    resolution: vec3(z.number().positive()).safeParse(resolution).data ?? [NaN, NaN, NaN],
    size: vector(size),
    voxelOffset: voxelOffset == null ? [0, 0, 0] : vector(voxelOffset),
    chunkSize: vector(Array.isArray(chunkSizes) ? chunkSizes[0] : undefined),
    encoding: text(encoding),
  };
}

function toScale(scale: z.infer<typeof scaleSchema>, mip: number, bytesPerVoxel: number, url: string): Scale {
  const where = `scales[${mip}] of the info at ${url}`;
  const key = scale.key.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  // The format allows a key to leave its folder; nobody writes that, and it would let a server point anywhere in a store.
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
      `${where}: chunks of ${largest.join('x')} voxels of ${bytesPerVoxel} bytes; up to ${MAX_CHUNK_BYTES} bytes are readable`,
      url,
    );
  const cells = [0, 1, 2].reduce((n, axis) => n * Math.ceil(scale.size[axis] / chunkSize[axis]), 1);
  if (cells > Number.MAX_SAFE_INTEGER)
    throw new InfoError('UNSUPPORTED', `${where}: more than 2^53 chunks`, url);
  const blockSize = scale.compressed_segmentation_block_size ?? undefined;
  if (scale.encoding === 'compressed_segmentation' && !blockSize)
    throw new InfoError(
      'BAD_INFO',
      `${where}: compressed_segmentation needs compressed_segmentation_block_size`,
      url,
    );
  // Blocks are padded to their whole size: absurd ones would let a chunk take any number of bytes.
  if (blockSize?.some((size, axis) => size > Math.max(MAX_BLOCK, chunkSize[axis])))
    throw new InfoError(
      'UNSUPPORTED',
      `${where}: blocks of ${blockSize.join('x')} voxels in chunks of ${chunkSize.join('x')}`,
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
