/**
 * Writes a Neuroglancer Precomputed volume from an array or a function: small volumes for tests, without
 * binary fixtures. Source: Neuroglancer, src/datasource/precomputed/volume.md and sharded.md.
 */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { product } from '../../lib/base/vec3.ts';
import type { DataType } from '../../lib/precomputed/data-type.ts';
import { cellBounds, cellPosition, cellSize, chunkKey, gridShape } from '../../lib/precomputed/grid.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';
import { parseSharding } from '../../lib/precomputed/sharding.ts';
import type { StoredFile } from '../stored-file.ts';
import { BITSTREAMS, type Bitstream } from './bitstream.ts';
import { encoderFor, type Encoding } from './encoders.ts';
import { writeShards, type ShardedChunk, type ShardingJson } from './shards.ts';
import { dataTypeOf, fill, valueOf, type Labels, type ValueOf } from './values.ts';

/** Options of {@link buildPrecomputed}. `labels` and `size` are required. */
export interface PrecomputedOptions {
  /** The values of the volume, as an array or a function of the voxel. */
  labels: Labels;
  /** Size of mip 0 in voxels, xyz. */
  size: Vec3;
  /** Data type of the values. @default the type of the array; uint64 for a function */
  dataType?: DataType;
  /** Values per voxel. @default 1 */
  channels?: number;
  /** Type of the volume. @default 'segmentation' for unsigned integers, else 'image' */
  type?: 'segmentation' | 'image';
  /** Nanometres per voxel of mip 0, xyz. @default [8, 8, 40] */
  resolution?: Vec3;
  /** First voxel of mip 0, xyz. @default [0, 0, 0] */
  voxelOffset?: Vec3;
  /** Size of a chunk in voxels, xyz, at every mip. @default [64, 64, 64] */
  chunkSize?: Vec3;
  /** Encoding of the chunks. @default 'raw' */
  encoding?: Encoding;
  /** Block size of compressed_segmentation in voxels, xyz. @default [8, 8, 8] */
  blockSize?: Vec3;
  /**
   * Compression of each chunk as a whole. It cannot be combined with `sharding`. zstd is written as stored
   * blocks.
   * @default 'none'
   */
  bitstream?: Bitstream;
  /**
   * Stores chunks in shards. `true` means the identity hash, no preshift, 2 minishard bits, 2 shard bits, and
   * gzip for data and indices. An object changes some of these.
   * @default false: one object per chunk
   */
  sharding?: boolean | Partial<ShardingJson>;
  /**
   * Number of scales. Each halves x and y of the scale before it, and keeps the value of the first voxel.
   * @default 1
   */
  mips?: number;
  /** Leaves out chunks that hold only 0, as CloudVolume does with `delete_black_uploads`. @default false */
  skipEmpty?: boolean;
}

/** A volume in memory. */
export interface BuiltPrecomputed {
  /** Content of the info file. */
  readonly info: PrecomputedInfo;
  /**
   * The info and all chunks or shards by key, for `createMockBucket` and `writeFiles`. The caller may change
   * it.
   */
  readonly files: Record<string, StoredFile>;
  /**
   * The value at a voxel, for expectations; undefined outside the scale. It comes from `labels`, not from the
   * files. Voxels are those of `mip` (default 0); `channel` is 0 by default.
   */
  readonly valueAt: (
    voxel: Vec3,
    options?: { mip?: number; channel?: number },
  ) => bigint | number | undefined;
}

/** The info file of a volume. */
export interface PrecomputedInfo {
  /** The format of the info file. */
  '@type': 'neuroglancer_multiscale_volume';
  /** Whether the values are labels or an image. */
  type: 'segmentation' | 'image';
  /** Data type of the values. */
  data_type: DataType;
  /** Values per voxel. */
  num_channels: number;
  /** The scales, finest first. */
  scales: ScaleJson[];
}

/** A scale, as the info file states it. */
export interface ScaleJson {
  /** The folder of the scale's chunks. */
  key: string;
  /** The size in voxels, xyz. */
  size: Vec3;
  /** Nanometres per voxel, xyz. */
  resolution: Vec3;
  /** The first voxel, xyz. */
  voxel_offset: Vec3;
  /** The size of a chunk in voxels, xyz. */
  chunk_sizes: [Vec3];
  /** How chunks are encoded. */
  encoding: Encoding;
  /** The block size of `compressed_segmentation`, xyz. */
  compressed_segmentation_block_size?: Vec3;
  /** How chunks are packed into shards; absent for one object per chunk. */
  sharding?: ShardingJson;
}

const DEFAULT_SHARDING: ShardingJson = {
  '@type': 'neuroglancer_uint64_sharded_v1',
  hash: 'identity',
  preshift_bits: 0,
  minishard_bits: 2,
  shard_bits: 2,
  minishard_index_encoding: 'gzip',
  data_encoding: 'gzip',
};

/**
 * Writes a volume into memory.
 *
 * @throws RangeError or TypeError for options that do not match, InfoError for an impossible `sharding`.
 * @example
 * const labels = (x, y, z) => BigInt(1 + x);
 * const volume = buildPrecomputed({ labels, size: [100, 50, 20], encoding: 'compressed_segmentation' });
 * const bucket = createMockBucket({ files: volume.files });
 */
export function buildPrecomputed(options: PrecomputedOptions): BuiltPrecomputed {
  const { labels, size, channels = 1, voxelOffset = [0, 0, 0], mips = 1 } = options;
  const {
    encoding = 'raw',
    blockSize = [8, 8, 8],
    bitstream = 'none',
    sharding,
    skipEmpty = false,
  } = options;
  const dataType = options.dataType ?? dataTypeOf(labels);
  check(options);
  const encode = encoderFor(encoding, dataType, channels);
  const at = valueOf(labels, { size, voxelOffset, channels });

  const scales = Array.from({ length: mips }, (_, mip) => scaleOf(mip, options));
  const info: PrecomputedInfo = {
    '@type': 'neuroglancer_multiscale_volume',
    type: options.type ?? (dataType.startsWith('uint') ? 'segmentation' : 'image'),
    data_type: dataType,
    num_channels: channels,
    scales: scales.map((scale) => toJson(scale, encoding, blockSize, sharding)),
  };
  const files: Record<string, StoredFile> = {
    info: { bytes: new TextEncoder().encode(JSON.stringify(info)) },
  };
  scales.forEach((scale, mip) => {
    const sample = samples(at, scale, { size, voxelOffset });
    const chunks: (ShardedChunk & { key: string })[] = [];
    for (let cell = 0; cell < product(gridShape(scale)); cell++) {
      const { min, max } = cellBounds(scale, cell);
      const values = fill(dataType, min, max, channels, sample);
      if (skipEmpty && values.every((value) => Number(value) === 0)) continue;
      chunks.push({
        key: chunkKey(scale, cell),
        position: cellPosition(scale, cell),
        bytes: encode(values, { size: cellSize(scale, cell), channels, blockSize }),
      });
    }
    const { sharding: json } = info.scales[mip];
    if (json) {
      const shards = writeShards(chunks, gridShape(scale), parseSharding(json, `scales[${mip}]`));
      for (const [name, bytes] of shards) files[`${scale.key}/${name}`] = { bytes };
    } else for (const { key, bytes } of chunks) files[key] = storedAs(bytes, bitstream);
  });

  const valueAt: BuiltPrecomputed['valueAt'] = (voxel, { mip = 0, channel = 0 } = {}) => {
    const scale = scales[mip];
    const inside = voxel.every(
      (v, axis) => v >= scale.voxelOffset[axis] && v < scale.voxelOffset[axis] + scale.size[axis],
    );
    return inside ? samples(at, scale, { size, voxelOffset })(...voxel, channel) : undefined;
  };
  return { info, files, valueAt };
}

function check({ size, channels = 1, mips = 1, bitstream = 'none', sharding }: PrecomputedOptions): void {
  if (![...size, channels, mips].every((count) => Number.isSafeInteger(count) && count > 0))
    throw new RangeError(
      `size ${size.join()}, channels ${channels} and mips ${mips} must be whole numbers from 1`,
    );
  if (!Object.hasOwn(BITSTREAMS, bitstream))
    throw new TypeError(`bitstream ${String(bitstream)} is not one of ${Object.keys(BITSTREAMS).join(', ')}`);
  if (sharding && bitstream !== 'none')
    throw new RangeError(
      `a sharded volume has no bitstream: set data_encoding of its sharding instead of ${bitstream}`,
    );
}

const storedAs = (bytes: Uint8Array, bitstream: Bitstream): StoredFile => ({
  bytes: BITSTREAMS[bitstream](bytes),
  ...(bitstream !== 'none' && { contentEncoding: bitstream }),
});

type Grid = Pick<Scale, 'key' | 'mip' | 'size' | 'voxelOffset' | 'chunkSize' | 'resolution'>;

/**
 * The scale of a mip. One voxel covers 2^mip voxels of mip 0 along x and y. The scale covers all of mip 0.
 */
function scaleOf(
  mip: number,
  { size, voxelOffset = [0, 0, 0], resolution = [8, 8, 40], chunkSize = [64, 64, 64] }: PrecomputedOptions,
): Grid {
  const factor: Vec3 = [2 ** mip, 2 ** mip, 1];
  const each = (of: (axis: 0 | 1 | 2) => number): Vec3 => [of(0), of(1), of(2)];
  const first = each((axis) => Math.floor(voxelOffset[axis] / factor[axis]));
  const nm = each((axis) => resolution[axis] * factor[axis]);
  return {
    mip,
    key: nm.join('_'),
    resolution: nm,
    voxelOffset: first,
    size: each((axis) => Math.ceil((voxelOffset[axis] + size[axis]) / factor[axis]) - first[axis]),
    chunkSize,
  };
}

/** The values of a scale: each voxel has the value of the first voxel of mip 0 that it covers. */
function samples(
  at: ValueOf,
  { mip }: Grid,
  { size: [sx, sy], voxelOffset: [ox, oy] }: Pick<Scale, 'size' | 'voxelOffset'>,
): ValueOf {
  if (mip === 0) return at;
  const factor = 2 ** mip;
  const inside = (v: number, first: number, count: number): number =>
    Math.min(Math.max(v, first), first + count - 1);
  return (x, y, z, channel) => at(inside(x * factor, ox, sx), inside(y * factor, oy, sy), z, channel);
}

/** The members of a scale that state its grid. */
export const gridJson = ({ key, size, resolution, voxelOffset, chunkSize }: Omit<Grid, 'mip'>) => ({
  key,
  size,
  resolution,
  voxel_offset: voxelOffset,
  chunk_sizes: [chunkSize] as [Vec3],
});

function toJson(
  grid: Grid,
  encoding: Encoding,
  blockSize: Vec3,
  sharding: PrecomputedOptions['sharding'],
): ScaleJson {
  return {
    ...gridJson(grid),
    encoding,
    ...(encoding === 'compressed_segmentation' && { compressed_segmentation_block_size: blockSize }),
    ...(sharding && { sharding: { ...DEFAULT_SHARDING, ...(sharding === true ? {} : sharding) } }),
  };
}
