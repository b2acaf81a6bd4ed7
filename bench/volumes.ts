/**
 * Makes the benchmark volumes and point sets without Python: 1024 x 1024 x 512 voxels of uint64 in 512
 * chunks, or in 2,048 chunks of 64 x 64 x 64.
 *
 * One of the 512 chunks has some 40 labels, the cells of a jittered grid, with IDs as a chunkedgraph numbers supervoxels.
 * There are only 8 different chunk patterns, so that the volume is made in seconds. The true label of each
 * point comes from the pattern, not from the written files.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { SegmentationEncoder } from '../lib/codecs/encode-compressed-segmentation.ts';

type Vec3 = readonly [number, number, number];
const SIZE: Vec3 = [1024, 1024, 512],
  CHUNK: Vec3 = [128, 128, 64],
  SMALL: Vec3 = [64, 64, 64],
  SPACING: Vec3 = [32, 32, 26];
const [CX, CY, CZ] = CHUNK,
  VOXELS = CX * CY * CZ,
  PATTERNS = 8;
const compress = promisify(gzip);

/** Returns a generator of seeded random numbers from 0 to 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Returns, for every voxel of a chunk, the number of the nearest point of a jittered grid, from 1; x fastest.
 */
function makePattern(seed: number): Uint16Array {
  const random = seededRandom(seed),
    [nx, ny, nz] = CHUNK.map((n, axis) => Math.ceil(n / SPACING[axis]));
  const seeds = Array.from({ length: nx * ny * nz }, (_, k) =>
    [k % nx, Math.floor(k / nx) % ny, Math.floor(k / (nx * ny))].map(
      (at, axis) => (at + random()) * SPACING[axis],
    ),
  );
  const pattern = new Uint16Array(VOXELS);
  for (let z = 0, at = 0; z < CZ; z++)
    for (let y = 0; y < CY; y++)
      for (let x = 0; x < CX; x++, at++) {
        const gx = Math.floor(x / SPACING[0]),
          gy = Math.floor(y / SPACING[1]),
          gz = Math.floor(z / SPACING[2]);
        let nearest = Infinity;
        for (let k = Math.max(0, gz - 1); k <= Math.min(nz - 1, gz + 1); k++)
          for (let j = Math.max(0, gy - 1); j <= Math.min(ny - 1, gy + 1); j++)
            for (let i = Math.max(0, gx - 1); i <= Math.min(nx - 1, gx + 1); i++) {
              const s = i + nx * (j + ny * k),
                [sx, sy, sz] = seeds[s],
                d = (x - sx) ** 2 + (y - sy) ** 2 + (z - sz) ** 2;
              if (d < nearest) [nearest, pattern[at]] = [d, s + 1];
            }
      }
  return pattern;
}

const patternOf = (chunk: number): number => (chunk * 5 + (chunk >> 3)) % PATTERNS;
/** Returns the upper word of the IDs of the chunk at x, y, z: layer 1 and the position of the graph chunk. */
const upperOf = (x: number, y: number, z: number): number => 2 ** 24 + x * 2 ** 14 + y * 2 ** 4 + (z >> 4);
const lowerOf = (z: number, segment: number): number => ((z & 15) << 28) | (segment * 37);

const chunkName = (at: readonly number[], chunk: Vec3): string =>
  at.map((cell, axis) => `${cell * chunk[axis]}-${(cell + 1) * chunk[axis]}`).join('_');

/** Encodes a chunk as compressed_segmentation. */
function encodeSegmentation(bytes: Uint8Array, chunk: Vec3): Uint8Array {
  const encoder = new SegmentationEncoder({ chunkSize: [...chunk], channels: 1, dataType: 'uint64' });
  encoder.add(bytes);
  return encoder.finish()!;
}

/** Returns the quarter of a chunk that starts at `x0`, `y0`, as a chunk of 64 x 64 x 64. */
function quarter(words: Uint32Array, x0: number, y0: number): Uint8Array {
  const part = new Uint32Array(2 * SMALL[0] * SMALL[1] * SMALL[2]),
    row = 2 * SMALL[0];
  for (let z = 0, to = 0; z < SMALL[2]; z++)
    for (let y = 0; y < SMALL[1]; y++, to += row) {
      const from = 2 * (x0 + CX * (y0 + y + CY * z));
      part.set(words.subarray(from, from + row), to);
    }
  return new Uint8Array(part.buffer);
}

/** Writes `cseg_gzip`, `raw_gzip`, `cseg64_gzip` and the point sets u1k to u1M and c10k below `folder`. */
export async function makeVolumes(folder: string): Promise<void> {
  const patterns = Array.from({ length: PATTERNS }, (_, k) => makePattern(k + 1));
  for (const [name, encoding, chunk] of [
    ['raw_gzip', 'raw', CHUNK],
    ['cseg_gzip', 'compressed_segmentation', CHUNK],
    ['cseg64_gzip', 'compressed_segmentation', SMALL],
  ] as const) {
    mkdirSync(join(folder, name, '8_8_40'), { recursive: true });
    const scale = {
      encoding,
      chunk_sizes: [chunk],
      key: '8_8_40',
      resolution: [8, 8, 40],
      voxel_offset: [0, 0, 0],
      size: SIZE,
      ...(encoding !== 'raw' && { compressed_segmentation_block_size: [8, 8, 8] }),
    };
    writeFileSync(
      join(folder, name, 'info'),
      JSON.stringify({
        '@type': 'neuroglancer_multiscale_volume',
        type: 'segmentation',
        data_type: 'uint64',
        num_channels: 1,
        scales: [scale],
      }),
    );
  }
  const words = new Uint32Array(2 * VOXELS),
    bytes = new Uint8Array(words.buffer);
  for (let chunk = 0; chunk < 512; chunk++) {
    const at = [chunk % 8, (chunk >> 3) % 8, chunk >> 6] as const,
      pattern = patterns[patternOf(chunk)],
      upper = upperOf(...at);
    for (let k = 0; k < VOXELS; k++) {
      words[2 * k] = lowerOf(at[2], pattern[k]);
      words[2 * k + 1] = upper;
    }
    const store = (volume: string, chunk: string, stored: Uint8Array): void =>
      writeFileSync(join(folder, volume, '8_8_40', `${chunk}.gz`), stored);
    const quarters = [0, 1, 2, 3].map(async (k) => {
      const [qx, qy] = [k & 1, k >> 1];
      const cseg = encodeSegmentation(quarter(words, qx * SMALL[0], qy * SMALL[1]), SMALL);
      store('cseg64_gzip', chunkName([2 * at[0] + qx, 2 * at[1] + qy, at[2]], SMALL), await compress(cseg));
    });
    const [raw, cseg] = await Promise.all([
      compress(bytes, { level: 1 }),
      compress(encodeSegmentation(bytes, CHUNK)),
      ...quarters,
    ]);
    store('raw_gzip', chunkName(at, CHUNK), raw);
    store('cseg_gzip', chunkName(at, CHUNK), cseg);
  }
  const random = seededRandom(99);
  const uniform = (n: number): Float64Array =>
    new Float64Array(3 * n).map((_, k) => Math.floor(random() * SIZE[k % 3]));
  for (const [name, points] of Object.entries({
    u1k: uniform(1000),
    u10k: uniform(10_000),
    u100k: uniform(100_000),
    u1M: uniform(1_000_000),
    c10k: walks(random, SIZE, 40, 250),
  })) {
    const truth = new Uint32Array((2 * points.length) / 3);
    for (let i = 0; i < points.length; i += 3) {
      const at = [0, 1, 2].map((axis) => Math.floor(points[i + axis] / CHUNK[axis])),
        [x, y, z] = [0, 1, 2].map((axis) => points[i + axis] % CHUNK[axis]);
      const segment = patterns[patternOf(at[0] + 8 * (at[1] + 8 * at[2]))][x + CX * (y + CY * z)];
      truth[(2 * i) / 3] = lowerOf(at[2], segment);
      truth[(2 * i) / 3 + 1] = upperOf(at[0], at[1], at[2]);
    }
    writeFileSync(join(folder, `${name}.f64`), points);
    writeFileSync(join(folder, `${name}.u64`), truth);
  }
}

/**
 * Returns points along random walks, as synapses lie along neurites: up to 12 voxels per step in x and y, 3
 * in z.
 */
export function walks(
  random: () => number,
  size: readonly number[],
  count: number,
  steps: number,
): Float64Array {
  const points = new Float64Array(3 * count * steps);
  let to = 0;
  for (let walk = 0; walk < count; walk++) {
    const p = size.map((n) => random() * n),
      d = [0, 0, 0].map(() => random() - 0.5);
    for (let step = 0; step < steps; step++) {
      for (const axis of [0, 1, 2]) d[axis] = 0.9 * d[axis] + 0.4 * (random() - 0.5);
      const length = Math.hypot(...d) || 1;
      for (const axis of [0, 1, 2]) {
        p[axis] = Math.min(size[axis] - 1, Math.max(0, p[axis] + (d[axis] / length) * [12, 12, 3][axis]));
        points[to++] = Math.floor(p[axis]);
      }
    }
  }
  return points;
}
