/**
 * Makes the volumes of `disk-cache.ts`: every encoding, with every compression and in shards with gzip, in chunks of 64 x 64 x 64 and of
 * 128 x 128 x 64. The labels are
 * the cells of a jittered grid of 24 x 24 x 12 voxels. There are only 8 different chunks, so that a volume is made in seconds.
 */
import { existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { compress, init } from '@bokuweb/zstd-wasm';
import { parseSharding } from '../lib/precomputed/sharding.ts';
import { ENCODERS } from '../mocks/volume/encoders.ts';
import { writeShards } from '../mocks/volume/shards.ts';
import { seededRandom, walks } from './volumes.ts';

type Vec3 = readonly [number, number, number];

/** The shapes of the volumes: voxels per chunk, and chunks. */
export const SHAPES = {
  '64x64x64': { chunk: [64, 64, 64], grid: [16, 16, 5] },
  '128x128x64': { chunk: [128, 128, 64], grid: [8, 8, 8] },
} as const satisfies Record<string, { chunk: Vec3; grid: Vec3 }>;
export type Shape = keyof typeof SHAPES;

export const ENCODINGS = ['raw', 'compressed_segmentation', 'compresso', 'crackle'] as const;

const BLOCK_SIZE = [8, 8, 8] as const;
const SPACING = [24, 24, 12] as const,
  PATTERNS = 8;

const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 22 } };
/** The compressions, with the suffixes of their files. */
export const COMPRESSIONS = {
  none: { suffix: '', compress: (bytes: Uint8Array): Uint8Array => bytes },
  gzip: { suffix: '.gz', compress: (bytes: Uint8Array): Uint8Array => gzipSync(bytes) },
  br: { suffix: '.br', compress: (bytes: Uint8Array): Uint8Array => brotliCompressSync(bytes, BROTLI) },
  zstd: { suffix: '.zst', compress: (bytes: Uint8Array): Uint8Array => compress(bytes, 3) },
};
export type Compression = keyof typeof COMPRESSIONS;
/** How the chunks of a volume are stored. */
export const STORAGES = [...(Object.keys(COMPRESSIONS) as Compression[]), 'sharded'] as const;
export type Storage = (typeof STORAGES)[number];

const SHARDING = {
  '@type': 'neuroglancer_uint64_sharded_v1',
  hash: 'identity',
  preshift_bits: 6,
  minishard_bits: 3,
  shard_bits: 2,
  minishard_index_encoding: 'gzip',
  data_encoding: 'gzip',
} as const;

/** Returns the labels of one chunk, x fastest: for each voxel the nearest point of a jittered grid. */
function makePattern(seed: number, size: Vec3) {
  const random = seededRandom(seed),
    [nx, ny, nz] = size.map((n, axis) => Math.ceil(n / SPACING[axis]));
  const seeds = Array.from({ length: nx * ny * nz }, (_, k) =>
    [k % nx, Math.floor(k / nx) % ny, Math.floor(k / (nx * ny))].map(
      (at, axis) => (at + random()) * SPACING[axis],
    ),
  );
  const labels = new BigUint64Array(size[0] * size[1] * size[2]);
  const upper = BigInt(2 ** 24 + seed * 2 ** 14) << 32n;
  for (let z = 0, at = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[0]; x++, at++) {
        const [gx, gy, gz] = [x, y, z].map((p, axis) => Math.floor(p / SPACING[axis]));
        let nearest = Infinity,
          label = 0;
        for (let k = Math.max(0, gz - 1); k <= Math.min(nz - 1, gz + 1); k++)
          for (let j = Math.max(0, gy - 1); j <= Math.min(ny - 1, gy + 1); j++)
            for (let i = Math.max(0, gx - 1); i <= Math.min(nx - 1, gx + 1); i++) {
              const s = i + nx * (j + ny * k),
                [sx, sy, sz] = seeds[s],
                d = (x - sx) ** 2 + (y - sy) ** 2 + (2 * (z - sz)) ** 2;
              if (d < nearest) [nearest, label] = [d, s + 1];
            }
        labels[at] = upper + BigInt(label * 37);
      }
  return labels;
}

/** Returns the name of a volume. */
export const volumeName = (shape: Shape, encoding: string, storage: Storage): string =>
  `${encoding}_${storage}_${shape}`;

/**
 * Makes the volumes that do not exist yet below `folder`, and two sets of points per shape: `uniform`, and `walks` (as synapses lie
 * along neurites).
 */
export async function makeCacheVolumes(folder: string): Promise<void> {
  await init();
  for (const [name, { chunk, grid }] of Object.entries(SHAPES)) {
    const shape = name as Shape,
      size = chunk.map((n, axis) => n * grid[axis]) as [number, number, number];
    const isMade = (encoding: string, storage: Storage): boolean =>
      existsSync(join(folder, volumeName(shape, encoding, storage), 'info'));
    if (ENCODINGS.every((encoding) => STORAGES.every((storage) => isMade(encoding, storage)))) continue;
    mkdirSync(folder, { recursive: true });
    const patterns = Array.from({ length: PATTERNS }, (_, k) => makePattern(k + 1, chunk));
    for (const [set, points] of [
      ['walks', walks(seededRandom(5), size, 120, 250)],
      ['uniform', new Float64Array(300_000).map(uniform(seededRandom(7), size))],
    ] as const) {
      writeFileSync(join(folder, `${set}_${shape}.f64`), points);
      writeFileSync(join(folder, `${set}_${shape}.u64`), labelsAt(points, patterns, chunk, grid));
    }
    for (const encoding of ENCODINGS) {
      const encoded = patterns.map((labels) =>
        ENCODERS[encoding].encode(labels, { size: [...chunk], channels: 1, blockSize: [...BLOCK_SIZE] }),
      );
      for (const storage of STORAGES) {
        if (isMade(encoding, storage)) continue;
        const volume = join(folder, volumeName(shape, encoding, storage)),
          scale = join(volume, '8_8_40');
        mkdirSync(scale, { recursive: true });
        if (storage === 'sharded') writeAllShards(scale, encoded, grid);
        else {
          const { suffix, compress } = COMPRESSIONS[storage];
          for (const [k, bytes] of encoded.entries())
            writeFileSync(join(volume, `pattern${k}`), compress(bytes));
          for (let cell = 0; cell < grid[0] * grid[1] * grid[2]; cell++)
            linkSync(
              join(volume, `pattern${patternOf(cell)}`),
              join(scale, chunkName(positionOf(cell, grid), chunk) + suffix),
            );
        }
        writeFileSync(join(volume, 'info'), infoOf(encoding, chunk, size, storage === 'sharded'));
      }
    }
  }
}

function writeAllShards(folder: string, encoded: readonly Uint8Array[], grid: Vec3): void {
  const stored = encoded.map((bytes) => new Uint8Array(gzipSync(bytes)));
  const chunks = Array.from({ length: grid[0] * grid[1] * grid[2] }, (_, cell) => ({
    position: positionOf(cell, grid),
    bytes: stored[patternOf(cell)],
  }));
  // The chunks are compressed already.
  const spec = { ...parseSharding(SHARDING, 'sharding'), dataEncoding: 'raw' } as const;
  for (const [name, bytes] of writeShards(chunks, [...grid], spec)) writeFileSync(join(folder, name), bytes);
}

const patternOf = (cell: number): number => (cell * 5 + (cell >> 3)) % PATTERNS;
const positionOf = (cell: number, [gx, gy]: Vec3): [number, number, number] => [
  cell % gx,
  Math.floor(cell / gx) % gy,
  Math.floor(cell / (gx * gy)),
];
const chunkName = (at: readonly number[], chunk: Vec3): string =>
  at.map((k, axis) => `${k * chunk[axis]}-${(k + 1) * chunk[axis]}`).join('_');
const uniform =
  (random: () => number, size: readonly number[]) =>
  (_: number, k: number): number =>
    Math.floor(random() * size[k % 3]);

function infoOf(encoding: string, chunk: Vec3, size: readonly number[], isSharded: boolean): string {
  const scale = {
    encoding,
    chunk_sizes: [chunk],
    key: '8_8_40',
    resolution: [8, 8, 40],
    voxel_offset: [0, 0, 0],
    size,
    ...(isSharded && { sharding: SHARDING }),
    ...(encoding === 'compressed_segmentation' && { compressed_segmentation_block_size: BLOCK_SIZE }),
  };
  return JSON.stringify({
    '@type': 'neuroglancer_multiscale_volume',
    type: 'segmentation',
    data_type: 'uint64',
    num_channels: 1,
    scales: [scale],
  });
}

function labelsAt(
  points: Float64Array,
  patterns: readonly BigUint64Array[],
  chunk: Vec3,
  grid: Vec3,
): BigUint64Array {
  const labels = new BigUint64Array(points.length / 3);
  for (let i = 0; i < labels.length; i++) {
    const p = points.subarray(3 * i, 3 * i + 3);
    const [x, y, z] = p.map((v, axis) => v % chunk[axis]),
      [cx, cy, cz] = p.map((v, axis) => Math.floor(v / chunk[axis]));
    labels[i] = patterns[patternOf(cx + grid[0] * (cy + grid[1] * cz))][x + chunk[0] * (y + chunk[1] * z)];
  }
  return labels;
}
