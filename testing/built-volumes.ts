/**
 * Volumes that `buildPrecomputed` writes, in every encoding and compression. spec/mocks/volume reads them
 * with the SDK, and the interoperability run reads them with CloudVolume and TensorStore. Their sizes differ
 * on every axis, their last chunks are clipped, their labels pass 2^53, and some parts are noise.
 */
import type { PrecomputedOptions } from '../mocks/volume/precomputed.ts';

/** One volume to build. */
export interface BuiltCase {
  name: string;
  options: PrecomputedOptions;
  /** Whether TensorStore cannot read it: it knows neither crackle nor compresso. */
  cloudVolumeOnly: boolean;
}

const WIDTH = { uint8: 8, uint16: 16, uint32: 32, uint64: 64 } as const;
type Unsigned = keyof typeof WIDTH;

/**
 * Labels in blobs of 5 x 7 x 3 voxels. A fifth of the blobs is background, and an eleventh has a different
 * label in every voxel.
 */
export function blobs(x: number, y: number, z: number): bigint {
  const [cx, cy, cz] = [Math.floor(x / 5), Math.floor(y / 7), Math.floor(z / 3)];
  const hash = Math.imul((cx * 73_856_093) ^ (cy * 19_349_663) ^ (cz * 83_492_791), 2_654_435_761) >>> 0;
  if (hash % 5 === 0) return 0n;
  return hash % 11 === 3 ? BigInt((31 * x + 17 * y + 7 * z) % 9) : 2n ** 60n + BigInt(hash);
}

const MURMUR = {
  hash: 'murmurhash3_x86_128',
  preshift_bits: 1,
  minishard_bits: 1,
  shard_bits: 1,
  minishard_index_encoding: 'raw',
  data_encoding: 'raw',
} as const;

const STORED = {
  plain: {},
  gzip: { bitstream: 'gzip' },
  br: { bitstream: 'br' },
  zstd: { bitstream: 'zstd' },
  sharded: { sharding: true },
  'sharded by murmurhash': { sharding: MURMUR },
} as const satisfies Record<string, Partial<PrecomputedOptions>>;

const unsigned = (
  encoding: 'raw' | 'compressed_segmentation' | 'crackle' | 'compresso',
  dataType: Unsigned,
  stored: keyof typeof STORED,
): BuiltCase => ({
  name: `${encoding}, ${dataType}, ${stored}`,
  options: {
    labels: (x, y, z) => BigInt.asUintN(WIDTH[dataType], blobs(x, y, z)),
    dataType,
    encoding,
    size: [41, 21, 11],
    voxelOffset: [13, 6, 3],
    chunkSize: [24, 16, 8],
    blockSize: [8, 4, 8],
    mips: 2,
    ...STORED[stored],
  },
  cloudVolumeOnly: encoding === 'crackle' || encoding === 'compresso',
});

const ENCODINGS = ['raw', 'compressed_segmentation', 'crackle', 'compresso'] as const;

/** All volumes to build. */
export const BUILT_CASES: readonly BuiltCase[] = [
  ...ENCODINGS.flatMap((encoding) =>
    (Object.keys(STORED) as (keyof typeof STORED)[]).map((stored) => unsigned(encoding, 'uint64', stored)),
  ),
  ...ENCODINGS.map((encoding) => unsigned(encoding, 'uint32', 'plain')),
  ...(['uint8', 'uint16'] as const).flatMap((dataType) =>
    (['raw', 'crackle', 'compresso'] as const).map((encoding) => unsigned(encoding, dataType, 'sharded')),
  ),
  {
    name: 'raw, float32, 3 channels',
    options: {
      labels: (x, y, z, channel) => x / 4 - y * z + channel / 8,
      dataType: 'float32',
      channels: 3,
      size: [9, 7, 5],
      chunkSize: [4, 8, 3],
    },
    cloudVolumeOnly: false,
  },
  {
    name: 'compressed_segmentation, uint32, 2 channels',
    options: {
      labels: (x, y, z, channel) => x * y + z * 70_000 + channel,
      dataType: 'uint32',
      channels: 2,
      size: [9, 7, 5],
      chunkSize: [8, 8, 4],
      encoding: 'compressed_segmentation',
    },
    cloudVolumeOnly: false,
  },
  {
    name: 'raw, int16',
    options: {
      labels: Int16Array.from({ length: 60 }, (_, k) => 7 * k - 200),
      size: [5, 4, 3],
      chunkSize: [2, 4, 2],
    },
    cloudVolumeOnly: false,
  },
];
