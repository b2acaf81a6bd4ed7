/** The option `snap` in the public API: segmentations in every encoding, and supervoxels with their roots. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  openGraphene,
  openPrecomputed,
  type GrapheneVolume,
  type OpenGrapheneOptions,
} from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { BEFORE, GRAPH_INFO, rootOf, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

describe('snap in a plain volume', () => {
  // With clipped edges, voxel offsets, missing chunks and shards. The expected label comes from all voxels in
  // reach, read without snap.
  test.each([
    'seg_raw_u64_none',
    'seg_cseg_u64_missing',
    'seg_compresso_u8_none',
    'seg_crackle_u64_gzip',
    'shard_crackle_u64',
  ])('finds the nearest label in %s', async (name) => {
    const {
      folder,
      info,
      scales: [{ points }],
    } = loadFixture(name);
    await using volume = await openPrecomputed(folder);
    const {
      size: [nx, ny, nz],
      voxel_offset: origin,
      resolution: nm,
    } = info.scales[0];
    const all = new Int32Array(3 * nx * ny * nz);
    for (let k = 0; 3 * k < all.length; k++)
      all.set(
        [origin[0] + (k % nx), origin[1] + (Math.floor(k / nx) % ny), origin[2] + Math.floor(k / nx / ny)],
        3 * k,
      );
    const { values: labels, status: states } = await volume.scatteredPoints(all);
    const RADIUS = 100;
    const nearest = (point: readonly number[]): { label: number | bigint; nm: number } | undefined => {
      const [px, py, pz] = point.map((p, axis) => p - origin[axis]);
      if (
        px < 0 ||
        py < 0 ||
        pz < 0 ||
        px >= nx ||
        py >= ny ||
        pz >= nz ||
        states[px + nx * (py + ny * pz)] > 2
      )
        return undefined;
      let found: { label: number | bigint; nm: number } | undefined,
        least = RADIUS ** 2 + 1;
      for (let z = Math.max(0, pz - 3); z < Math.min(nz, pz + 4); z++)
        for (let y = Math.max(0, py - 13); y < Math.min(ny, py + 14); y++)
          for (let x = Math.max(0, px - 13); x < Math.min(nx, px + 14); x++) {
            const square = ((x - px) * nm[0]) ** 2 + ((y - py) * nm[1]) ** 2 + ((z - pz) * nm[2]) ** 2,
              label = labels[x + nx * (y + ny * z)];
            if (square >= least || !label) continue;
            least = square;
            found = { label, nm: Math.fround(Math.sqrt(square)) };
          }
      return found;
    };
    const result = await volume.scatteredPoints(points, { snap: { radiusNm: RADIUS } }),
      { values, snappedNm } = result;
    const expected = points.map(nearest);
    expect([...values]).toEqual(
      expected.map((found) => found?.label ?? (typeof values[0] === 'bigint' ? 0n : 0)),
    );
    expect([...snappedNm!]).toEqual(expected.map((found) => found?.nm ?? NaN));
    expect(Array.from(result.rows(), (row) => row.snappedNm)).toEqual([...snappedNm!]);
    expect(expected.filter((found) => found && found.nm > 0).length).toBeGreaterThan(5);
  });

  test('gives no distances without the option', async () => {
    await using volume = await openPrecomputed(loadFixture('seg_raw_u64_none').folder);
    const result = await volume.scatteredPoints([[0, 0, 0]]);
    expect(result).not.toHaveProperty('snappedNm');
    expect([...result.rows()][0]).not.toHaveProperty('snappedNm');
  });

  test.each<[radiusNm: unknown]>([[0], [-1], [NaN], [Infinity], ['10'], [undefined]])(
    'refuses a radius of %p',
    async (radiusNm) => {
      await using volume = await openPrecomputed(loadFixture('seg_raw_u64_none').folder);
      await expect(
        volume.scatteredPoints([[0, 0, 0]], { snap: { radiusNm: radiusNm as number } }),
      ).rejects.toThrow(/^snap\.radiusNm must be a positive number of nanometres, not /);
    },
  );

  test('is refused in an image', async () => {
    await using volume = await openPrecomputed(loadFixture('img_raw_u8').folder);
    await expect(volume.scatteredPoints([[10, 20, 30]], { snap: { radiusNm: 10 } })).rejects.toThrow(
      TypeError,
    );
  });
});

describe('snap in a graphene volume', () => {
  const graph = worldGraph(),
    bucket = worldBucket();
  const warnings: string[] = [];
  let served: ServedMocks;
  const open = (options: OpenGrapheneOptions = {}): Promise<GrapheneVolume> =>
    openGraphene(`graphene://${served.url}/segmentation/table/world`, {
      token: null,
      timestamp: BEFORE,
      logger: { warn: (message) => warnings.push(message) },
      ...options,
    });

  beforeAll(async () => void (served = await serveMocks({ '/segmentation': graph, '/bucket': bucket })));
  afterAll(() => served.close());
  beforeEach(() => {
    graph.log.clear();
    bucket.log.clear();
    warnings.length = 0;
  });

  // Voxels at x = 16, 24, 32, … are background. Of two labels 8 nm away the one of lower x is taken, which is
  // in the previous chunk and graph chunk.
  test('takes supervoxels across graph chunk boundaries, marks none as suspect, and looks up their roots', async () => {
    await using volume = await open();
    const result = await volume.scatteredPoints(
      [
        [24, 8, 4],
        [16, 12, 4],
        [17, 8, 4],
        [24, 20, 4],
        [15, 8, 4],
      ],
      { snap: { radiusNm: 8 }, onError: 'status' },
    );
    expect([...result.rows()]).toEqual([
      {
        index: 0,
        supervoxelId: supervoxel([0, 0, 0], 1),
        rootId: rootOf(0, 1),
        status: 'ok',
        snappedNm: 8,
        error: undefined,
      },
      {
        index: 1,
        supervoxelId: supervoxel([0, 0, 0], 2),
        rootId: rootOf(0, 2),
        status: 'ok',
        snappedNm: 8,
        error: undefined,
      },
      {
        index: 2,
        supervoxelId: supervoxel([0, 0, 0], 1),
        rootId: rootOf(0, 1),
        status: 'ok',
        snappedNm: 0,
        error: undefined,
      },
      {
        index: 3,
        supervoxelId: supervoxel([0, 1, 0], 2),
        rootId: rootOf(1, 2),
        status: 'ok',
        snappedNm: 8,
        error: undefined,
      },
      { index: 4, supervoxelId: 0n, rootId: 0n, status: 'out_of_bounds', snappedNm: NaN, error: undefined },
    ]);
    expect(result.snappedNm).toEqual(Float32Array.of(8, 8, 0, 8, NaN));
    expect(graph.log.idsPerBatch()).toEqual([3]);
    expect(warnings).toEqual([]);
  });

  test('marks a snapped supervoxel as suspect if its ID names another graph chunk than its voxel', async () => {
    const fromZero = { ...GRAPH_INFO, chunks_start_at_voxel_offset: false };
    const other = await serveMocks({
      '/segmentation': worldGraph({ info: fromZero }),
      '/bucket': worldBucket(),
    });
    await using volume = await openGraphene(`graphene://${other.url}/segmentation/table/world`, {
      token: null,
      logger: { warn: () => undefined },
    });
    const result = await volume.scatteredPoints(
      [
        [24, 8, 4],
        [25, 8, 4],
      ],
      { snap: { radiusNm: 8 } },
    );
    expect([...result.rows()].map(({ status, snappedNm }) => [status, snappedNm])).toEqual([
      ['suspect', 8],
      ['suspect', 0],
    ]);
    await other.close();
  });

  test('works in calls for one point', async () => {
    await using volume = await open();
    const snap = { radiusNm: 10 };
    expect(await volume.supervoxelAt([24, 8, 4], { snap })).toBe(supervoxel([0, 0, 0], 1));
    expect(await volume.rootAt([24, 8, 4], { snap })).toBe(rootOf(0, 1));
    expect(await volume.rootAt([24, 8, 4])).toBe(0n);
    expect(await volume.rootAt([24, 8, 4], { snap: { radiusNm: 7 } })).toBe(0n);
    expect(warnings).toEqual([]);
  });

  test('works with agglomerate: false', async () => {
    await using volume = await open();
    const { supervoxelIds, snappedNm } = await volume.scatteredPoints([[16, 8, 4]], {
      agglomerate: false,
      snap: { radiusNm: 8 },
    });
    expect([supervoxelIds[0], snappedNm![0]]).toEqual([supervoxel([0, 0, 0], 1), 8]);
  });

  test('causes an error when a neighbour chunk that could hold a nearer label cannot be read', async () => {
    await using volume = await open({ retries: 0 });
    bucket.faults.push({ match: /16-24_8-16/, status: 500 });
    await expect(
      volume.scatteredPoints(
        [
          [24, 8, 4],
          [25, 8, 4],
        ],
        { snap: { radiusNm: 8 } },
      ),
    ).rejects.toMatchObject({
      code: 'PARTIAL',
      message: expect.stringMatching(/^1 chunks \(1 of 2 points\) could not be read/) as unknown,
      result: { supervoxelIds: BigUint64Array.of(0n, supervoxel([1, 0, 0], 1)) },
    });
    bucket.faults.length = 0;
  });
});
