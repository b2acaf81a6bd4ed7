/**
 * Graphs whose chunks, mip or offset differ from the volume's: every label must be right, and none suspect.
 */
import { describe, expect, test } from '@jest/globals';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { openGraphene, PointStatus, type GrapheneVolume } from '../../lib/index.ts';
import { createMockBucket, createMockChunkedGraph, serveMocks } from '../../mocks/index.ts';
import { seeded } from '../../testing/random.ts';
import { shardedFiles, shardedInfo, type ShardedVolume } from '../support/sharded-volume.ts';
import { supervoxel, tinyFiles, tinyInfo, type TinyVolume } from '../../testing/tiny-volume.ts';

interface Layout {
  name: string;
  /** Size at the graph's mip. */
  voxelOffset: Vec3;
  graphChunk: Vec3;
  atOffset: boolean;
  cvMip: 0 | 1;
  sharded: boolean;
  /** Parts of the scale's info. */
  scale?: object;
}

// Sizes that differ on every axis, and that no chunk divides.
const SIZE: Vec3 = [37, 26, 11],
  STORAGE_CHUNK: Vec3 = [8, 4, 2];
const layouts: Layout[] = [
  {
    name: 'graph chunks from the voxel offset',
    voxelOffset: [13, 7, 3],
    graphChunk: [10, 12, 5],
    atOffset: true,
    cvMip: 0,
    sharded: false,
  },
  {
    name: 'graph chunks from voxel 0',
    voxelOffset: [13, 7, 3],
    graphChunk: [10, 12, 5],
    atOffset: false,
    cvMip: 0,
    sharded: false,
  },
  {
    name: "graph chunks smaller than the volume's chunks",
    voxelOffset: [1, 0, 2],
    graphChunk: [3, 2, 1],
    atOffset: false,
    cvMip: 0,
    sharded: false,
  },
  {
    name: 'a graph of mip 1',
    voxelOffset: [13, 7, 3],
    graphChunk: [10, 12, 5],
    atOffset: true,
    cvMip: 1,
    sharded: false,
  },
  {
    name: 'a graph of mip 1, from voxel 0, in shards',
    voxelOffset: [13, 7, 3],
    graphChunk: [10, 12, 5],
    atOffset: false,
    cvMip: 1,
    sharded: true,
  },
  { name: 'shards', voxelOffset: [0, 0, 0], graphChunk: [16, 8, 4], atOffset: true, cvMip: 0, sharded: true },
  {
    name: 'several chunk sizes, and unknown fields',
    voxelOffset: [13, 7, 3],
    graphChunk: [10, 12, 5],
    atOffset: true,
    cvMip: 0,
    sharded: false,
    scale: { chunk_sizes: [STORAGE_CHUNK, [64, 64, 64]], hidden: true, future: { a: [1] } },
  },
];

/**
 * An info with the graph's own scale at `cvMip`. A finer scale, with twice the voxels along x and y, is not
 * stored.
 */
function worldOf({ voxelOffset, graphChunk, atOffset, cvMip, sharded, scale }: Layout) {
  const graphCell = (x: number, y: number, z: number): Vec3 =>
    [x, y, z].map((v, axis) =>
      Math.floor((v - (atOffset ? voxelOffset[axis] : 0)) / graphChunk[axis]),
    ) as unknown as Vec3;
  const labelAt = (x: number, y: number, z: number): bigint =>
    supervoxel(graphCell(x, y, z), 1 + ((x + 3 * y + 5 * z) % 4));
  const tiny: TinyVolume = { size: SIZE, chunkSize: STORAGE_CHUNK, voxelOffset, labelAt };
  const volume: ShardedVolume = {
    ...tiny,
    sharding: {
      '@type': 'neuroglancer_uint64_sharded_v1',
      hash: 'murmurhash3_x86_128',
      preshift_bits: 1,
      minishard_bits: 1,
      shard_bits: 3,
      minishard_index_encoding: 'gzip',
      data_encoding: 'gzip',
    },
  };
  const info = { ...(sharded ? shardedInfo(volume) : tinyInfo(tiny)), '@type': undefined }; // as in old infos
  const own = { ...info.scales[0], ...scale };
  const finer = {
    ...own,
    key: 'finer',
    resolution: [4, 4, 40],
    size: [2 * SIZE[0], 2 * SIZE[1], SIZE[2]],
    voxel_offset: [2 * voxelOffset[0], 2 * voxelOffset[1], voxelOffset[2]],
  };
  const scales = cvMip === 1 ? [finer, own] : [own];
  const graphInfo = {
    ...info,
    scales,
    app: { supported_api_versions: [0, 1] },
    chunks_start_at_voxel_offset: atOffset,
    data_dir: '{DATA_DIR}',
    graph: {
      chunk_size: graphChunk,
      cv_mip: cvMip,
      n_bits_for_layer_id: 8,
      n_layers: 4,
      spatial_bit_masks: { 1: 10, 2: 10, 3: 10, 4: 10 },
    },
  };
  const graph = createMockChunkedGraph({
    info: graphInfo,
    table: 'world',
    dataDir: '{HOST}/bucket',
    supervoxel_to_root: {},
    base_timestamp: '2024-01-01T00:00:00Z',
  });
  const files = sharded ? shardedFiles(volume) : tinyFiles(tiny);
  return {
    graph,
    bucket: createMockBucket({
      files: { ...files, info: new TextEncoder().encode(JSON.stringify({ ...info, scales })) },
    }),
    labelAt,
  };
}

/** Opens a layout and reads points. @param storage The bucket of the labels, unless the graph names it. */
async function withVolume(
  layout: Layout,
  check: (volume: GrapheneVolume, world: ReturnType<typeof worldOf>) => Promise<void>,
  storage = layout,
): Promise<void> {
  const world = worldOf(layout),
    { bucket, labelAt } = worldOf(storage),
    served = await serveMocks({ '/segmentation': world.graph, '/bucket': bucket });
  try {
    await using volume = await openGraphene(`graphene://${served.url}/segmentation/table/world`, {
      token: null,
      logger: { warn: () => undefined },
    });
    await check(volume, { ...world, labelAt });
  } finally {
    await served.close();
  }
}

describe('layouts', () => {
  test.each(layouts)('are read correctly, and no supervoxel is suspect: $name', (layout) =>
    withVolume(layout, async (volume, { labelAt }) => {
      const { voxelOffset, cvMip } = layout,
        random = seeded(12),
        fine = cvMip === 1 ? 2 : 1;
      const corners = [voxelOffset, voxelOffset.map((v, axis) => v + SIZE[axis] - 1) as unknown as Vec3];
      const voxels = [
        ...corners,
        ...Array.from(
          { length: 300 },
          () => voxelOffset.map((v, axis) => v + random.below(SIZE[axis])) as unknown as Vec3,
        ),
      ];
      // Points are in voxels of mip 0, whatever the graph's mip. Two of them share a voxel along x.
      const points = voxels.map(([x, y, z], i) => [fine * x + (fine - 1) * (i % 2), fine * y, z]);
      const { supervoxelIds, status } = await volume.scatteredPoints(points, { agglomerate: false });
      expect(supervoxelIds).toEqual(BigUint64Array.from(voxels, (voxel) => labelAt(...voxel)));
      expect(new Set(status)).toEqual(new Set([PointStatus.ok]));
      const [x, y, z] = points[1];
      const outside = await volume.scatteredPoints(
        [
          [x + fine, y, z],
          [x, y + fine, z],
          [x, y, z + 1],
          [points[0][0] - 1, points[0][1], points[0][2]],
        ],
        { agglomerate: false },
      );
      expect([...outside.status]).toEqual(Array(4).fill(PointStatus.outOfBounds));
    }),
  );

  test('with a graph of mip 1 have no supervoxels at mip 0', () =>
    withVolume(layouts[3], async (volume) => {
      await expect(volume.scatteredPoints([[30, 20, 5]], { mip: 0 })).rejects.toThrow(
        new RangeError("mip 0 is finer than the graph's own mip, 1: it holds no supervoxels of this graph"),
      );
    }));

  test('give suspects when the labels were made for other graph chunks', () =>
    // The graph counts graph chunks from the voxel offset; the labels were made for a count from voxel 0.
    withVolume(
      layouts[0],
      async (volume, { labelAt }) => {
        const { status, supervoxelIds } = await volume.scatteredPoints(
          [
            [13, 7, 3],
            [22, 12, 4],
          ],
          { agglomerate: false },
        );
        expect(supervoxelIds).toEqual(BigUint64Array.of(labelAt(13, 7, 3), labelAt(22, 12, 4)));
        expect([...status]).toEqual([PointStatus.suspect, PointStatus.suspect]);
      },
      layouts[1],
    ));
});
