/**
 * A benchmark volume without Python: 1024 x 1024 x 512 voxels of uint64 in 512 chunks, cells of a jittered grid with some 40 labels a chunk, as
 * supervoxels have, and IDs as a chunkedgraph numbers them. There are 8 shapes of a chunk, so that it is made in seconds; the truth of every
 * point comes from the shapes and not from what was written.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { SegmentationEncoder } from '../lib/codecs/encode-compressed-segmentation.ts';

const SIZE = [1024, 1024, 512] as const,
  CHUNK = [128, 128, 64] as const,
  SPACING = [32, 32, 26] as const;
const [CX, CY, CZ] = CHUNK,
  VOXELS = CX * CY * CZ,
  SHAPES = 8;
const pack = promisify(gzip);

/** Seeded: mulberry32. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Nearest seed of a jittered grid, for every voxel of a chunk; x fastest. */
function makeShape(seed: number): Uint16Array {
  const roll = dice(seed),
    [nx, ny, nz] = CHUNK.map((n, axis) => Math.ceil(n / SPACING[axis]));
  const seeds = Array.from({ length: nx * ny * nz }, (_, k) =>
    [k % nx, Math.floor(k / nx) % ny, Math.floor(k / (nx * ny))].map(
      (at, axis) => (at + roll()) * SPACING[axis],
    ),
  );
  const shape = new Uint16Array(VOXELS);
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
              if (d < nearest) [nearest, shape[at]] = [d, s + 1];
            }
      }
  return shape;
}

const shapeOf = (cell: number): number => (cell * 5 + (cell >> 3)) % SHAPES;
/** Upper word of the IDs of a cell, whose lower word counts: layer 1 and the place of the chunk. */
const upperOf = (x: number, y: number, z: number): number => 2 ** 24 + x * 2 ** 14 + y * 2 ** 4 + (z >> 4);
const lowerOf = (z: number, segment: number): number => ((z & 15) << 28) | (segment * 37);

const spanned = ([x, y, z]: readonly number[]): string =>
  [x, y, z].map((at, axis) => `${at * CHUNK[axis]}-${(at + 1) * CHUNK[axis]}`).join('_');

/** Writes `cseg_gzip`, `raw_gzip` and the point sets u1k to u1M and c10k below `folder`. */
export async function makeVolumes(folder: string): Promise<void> {
  const shapes = Array.from({ length: SHAPES }, (_, k) => makeShape(k + 1));
  for (const [name, encoding] of [
    ['raw_gzip', 'raw'],
    ['cseg_gzip', 'compressed_segmentation'],
  ] as const) {
    mkdirSync(join(folder, name, '8_8_40'), { recursive: true });
    const scale = {
      encoding,
      chunk_sizes: [CHUNK],
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
  for (let cell = 0; cell < 512; cell++) {
    const at = [cell % 8, (cell >> 3) % 8, cell >> 6] as const,
      shape = shapes[shapeOf(cell)],
      upper = upperOf(...at);
    for (let k = 0; k < VOXELS; k++) {
      words[2 * k] = lowerOf(at[2], shape[k]);
      words[2 * k + 1] = upper;
    }
    const encoder = new SegmentationEncoder({ chunkSize: [...CHUNK], channels: 1, dataType: 'uint64' });
    encoder.add(bytes);
    const [raw, cseg] = await Promise.all([pack(bytes, { level: 1 }), pack(encoder.finish()!)]);
    writeFileSync(join(folder, 'raw_gzip/8_8_40', `${spanned(at)}.gz`), raw);
    writeFileSync(join(folder, 'cseg_gzip/8_8_40', `${spanned(at)}.gz`), cseg);
  }
  const roll = dice(99);
  const uniform = (n: number): Float64Array =>
    new Float64Array(3 * n).map((_, k) => Math.floor(roll() * SIZE[k % 3]));
  for (const [name, points] of Object.entries({
    u1k: uniform(1000),
    u10k: uniform(10_000),
    u100k: uniform(100_000),
    u1M: uniform(1_000_000),
    c10k: walks(roll, 40, 250),
  })) {
    const truth = new Uint32Array((2 * points.length) / 3);
    for (let i = 0; i < points.length; i += 3) {
      const at = [0, 1, 2].map((axis) => Math.floor(points[i + axis] / CHUNK[axis])),
        [x, y, z] = [0, 1, 2].map((axis) => points[i + axis] % CHUNK[axis]);
      const segment = shapes[shapeOf(at[0] + 8 * (at[1] + 8 * at[2]))][x + CX * (y + CY * z)];
      truth[(2 * i) / 3] = lowerOf(at[2], segment);
      truth[(2 * i) / 3 + 1] = upperOf(at[0], at[1], at[2]);
    }
    writeFileSync(join(folder, `${name}.f64`), points);
    writeFileSync(join(folder, `${name}.u64`), truth);
  }
}

/** Points along random walks, up to 12 voxels a step in x and y and 3 in z: as synapses along neurites. */
function walks(roll: () => number, count: number, steps: number): Float64Array {
  const points = new Float64Array(3 * count * steps);
  let to = 0;
  for (let walk = 0; walk < count; walk++) {
    const p = SIZE.map((n) => roll() * n),
      d = [0, 0, 0].map(() => roll() - 0.5);
    for (let step = 0; step < steps; step++) {
      for (const axis of [0, 1, 2]) d[axis] = 0.9 * d[axis] + 0.4 * (roll() - 0.5);
      const length = Math.hypot(...d) || 1;
      for (const axis of [0, 1, 2]) {
        p[axis] = Math.min(SIZE[axis] - 1, Math.max(0, p[axis] + (d[axis] / length) * [12, 12, 3][axis]));
        points[to++] = Math.floor(p[axis]);
      }
    }
  }
  return points;
}
