/**
 * The `info` file of a Precomputed volume, read strictly where a mistake would give wrong answers and leniently elsewhere
 * (unknown fields are kept out of the way; old infos have no `@type`).
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "info JSON file specification".
 */
import * as z from 'zod';
import { InfoError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
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

const infoSchema = z.looseObject({
  '@type': z.literal('neuroglancer_multiscale_volume').optional(),
  type: z.enum(['image', 'segmentation']),
  data_type: z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), z.enum(Object.keys(DATA_TYPES) as [DataType, ...DataType[]])),
  num_channels: count.max(65_536),
  scales: z.array(scaleSchema).min(1),
});

/** @throws RangeError for a mip the volume has not. */
export function scaleAt(scales: readonly Scale[], mip: number): Scale {
  const scale = scales[mip];
  if (!scale) throw new RangeError(`mip ${mip} is not one of 0 to ${scales.length - 1}`);
  return scale;
}

/**
 * @param json What the info file holds.
 * @param url Where it was read from, for messages.
 * @throws InfoError BAD_INFO (a field is missing or impossible) or UNSUPPORTED (legal, but not read here).
 */
export function parseInfo(json: unknown, url: string): VolumeInfo {
  const parsed = infoSchema.safeParse(json);
  if (!parsed.success) throw new InfoError('BAD_INFO', `info at ${url} is not a Precomputed volume: ${firstIssue(parsed.error)}`, url);
  const { type, data_type: dataType, num_channels: numChannels, scales } = parsed.data;
  return { type, dataType, numChannels, scales: scales.map((scale, mip) => toScale(scale, mip, numChannels * bytesPerValue(dataType), url)) };
}

function toScale(scale: z.infer<typeof scaleSchema>, mip: number, bytesPerVoxel: number, url: string): Scale {
  const where = `scales[${mip}] of the info at ${url}`;
  const key = scale.key.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  // The format allows a key to leave its folder; nobody writes that, and it would let a server point anywhere in a store.
  if (key === '' || /^[/\\]|[\\\p{Cc}\p{Cf}]|^[a-z][a-z0-9+.-]*:\/\//iu.test(key) || key.split('/').some((part) => part === '..' || part === '.' || part === ''))
    throw new InfoError('UNSUPPORTED', `${where}: key ${JSON.stringify(printable(scale.key))} does not stay below the volume's folder`, url);
  if (scale.sharding != null && scale.chunk_sizes.length > 1)
    throw new InfoError('BAD_INFO', `${where}: a sharded scale has one chunk size, not ${scale.chunk_sizes.length}`, url);
  const chunkSize = scale.chunk_sizes[0];
  const largest = scale.size.map((size, axis) => Math.min(size, chunkSize[axis])) as unknown as Vec3;
  if (product(largest) * bytesPerVoxel > MAX_CHUNK_BYTES)
    throw new InfoError('UNSUPPORTED', `${where}: chunks of ${largest.join('x')} voxels of ${bytesPerVoxel} bytes; up to ${MAX_CHUNK_BYTES} bytes are readable`, url);
  const cells = [0, 1, 2].reduce((n, axis) => n * Math.ceil(scale.size[axis] / chunkSize[axis]), 1);
  if (cells > Number.MAX_SAFE_INTEGER) throw new InfoError('UNSUPPORTED', `${where}: more than 2^53 chunks`, url);
  const blockSize = scale.compressed_segmentation_block_size ?? undefined;
  if (scale.encoding === 'compressed_segmentation' && !blockSize)
    throw new InfoError('BAD_INFO', `${where}: compressed_segmentation needs compressed_segmentation_block_size`, url);
  // Blocks are padded to their whole size: absurd ones would let a chunk take any number of bytes.
  if (blockSize?.some((size, axis) => size > Math.max(MAX_BLOCK, chunkSize[axis])))
    throw new InfoError('UNSUPPORTED', `${where}: blocks of ${blockSize.join('x')} voxels in chunks of ${chunkSize.join('x')}`, url);
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
