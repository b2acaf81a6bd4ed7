/**
 * A mocked chunkedgraph and its watershed: 10 x 10 x 1 chunks of 8 x 8 x 4 voxels from (16, 8, 4). Graph
 * chunks are the same.
 *
 * In each chunk, the first voxels along x are background. Supervoxel 1 is the lower half in y, and supervoxel
 * 2 the upper half. Each row of chunks along x has two objects: one of all supervoxels 1, one of all
 * supervoxels 2. At `MERGED_AT` the two objects of row 0 are merged.
 */
import type { Vec3 } from '../lib/base/vec3.ts';
import {
  createMockBucket,
  createMockChunkedGraph,
  type MockBucketOptions,
  type MockChunkedGraphOptions,
} from '../mocks/index.ts';
import { supervoxel, tinyFiles, tinyInfo, type TinyVolume } from './tiny-volume.ts';

/** Timestamp of the merge. */
export const MERGED_AT = '2024-06-05T10:10:01.203Z';
/** The last millisecond before the merge. */
export const BEFORE = '2024-06-05T10:10:01.202Z';
export const CHUNK: Vec3 = [8, 8, 4];
export const OFFSET: Vec3 = [16, 8, 4];

export const WORLD: TinyVolume = {
  size: [80, 80, 4],
  chunkSize: CHUNK,
  voxelOffset: OFFSET,
  labelAt: (x, y) => {
    const cx = Math.floor((x - OFFSET[0]) / CHUNK[0]),
      cy = Math.floor((y - OFFSET[1]) / CHUNK[1]);
    if ((x - OFFSET[0]) % CHUNK[0] === 0) return 0n;
    return supervoxel([cx, cy, 0], (y - OFFSET[1]) % CHUNK[1] < CHUNK[1] / 2 ? 1 : 2);
  },
};

/** Root ID of supervoxel `n` in row `cy` of chunks, before the merge. */
export const rootOf = (cy: number, n: number): bigint => (4n << 56n) | BigInt(1000 + 10 * cy + n);

export const GRAPH_INFO = {
  ...tinyInfo(WORLD),
  app: { supported_api_versions: [0, 1] },
  chunks_start_at_voxel_offset: true,
  data_dir: '{DATA_DIR}',
  graph: {
    chunk_size: CHUNK,
    cv_mip: 0,
    n_bits_for_layer_id: 8,
    n_layers: 4,
    spatial_bit_masks: { 1: 10, 2: 10, 3: 10, 4: 10 },
  },
};

export const worldBucket = (options: Partial<MockBucketOptions> = {}) =>
  createMockBucket({ files: tinyFiles(WORLD), ...options });

export function worldGraph(options: Partial<MockChunkedGraphOptions> = {}) {
  const supervoxelToRoot: Record<string, bigint> = {};
  for (let cx = 0; cx < 10; cx++)
    for (let cy = 0; cy < 10; cy++)
      for (const n of [1, 2]) supervoxelToRoot[String(supervoxel([cx, cy, 0], n))] = rootOf(cy, n);
  return createMockChunkedGraph({
    info: GRAPH_INFO,
    table: 'world',
    dataDir: '{HOST}/bucket',
    supervoxel_to_root: supervoxelToRoot,
    base_timestamp: '2024-01-01T00:00:00Z',
    edits: [{ timestamp: MERGED_AT, merge: [supervoxel([0, 0, 0], 1), supervoxel([0, 0, 0], 2)] }],
    ...options,
  });
}

/** Points spread over all 100 chunks, none of them on background. */
export function spreadPoints(count: number): Float64Array {
  const points = new Float64Array(3 * count);
  for (let i = 0; i < count; i++) {
    const cell = i % 100,
      k = Math.floor(i / 100);
    points.set(
      [
        OFFSET[0] + (cell % 10) * 8 + 1 + (k % 7),
        OFFSET[1] + Math.floor(cell / 10) * 8 + (k % 8),
        OFFSET[2] + (k % 4),
      ],
      3 * i,
    );
  }
  return points;
}
