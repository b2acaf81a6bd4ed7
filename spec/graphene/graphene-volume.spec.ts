/**
 * The main job end to end, on mocks: points in, supervoxels and roots out, and the number of requests that
 * takes.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openGraphene, PointStatus, type GrapheneVolume, type OpenGrapheneOptions } from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import {
  BEFORE,
  GRAPH_INFO,
  MERGED_AT,
  rootOf,
  spreadPoints,
  worldBucket,
  worldGraph,
  WORLD,
} from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

const graph = worldGraph(),
  bucket = worldBucket();
const warnings: string[] = [];
let served: ServedMocks;
const open = (options: OpenGrapheneOptions = {}): Promise<GrapheneVolume> =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, {
    token: null,
    logger: { warn: (message) => warnings.push(message) },
    ...options,
  });
const roots = () => graph.log.matching('roots_binary');

beforeAll(async () => void (served = await serveMocks({ '/segmentation': graph, '/bucket': bucket })));
afterAll(() => served.close());
beforeEach(() => {
  graph.log.clear();
  bucket.log.clear();
  warnings.length = 0;
});

describe('scatteredPoints', () => {
  const points = spreadPoints(10_000);
  const labels = BigUint64Array.from({ length: 10_000 }, (_, i) =>
    WORLD.labelAt(points[3 * i], points[3 * i + 1], points[3 * i + 2]),
  );

  test('reads 10,000 points in 100 chunks with 100 chunk requests and one root request', async () => {
    await using volume = await open();
    const result = await volume.scatteredPoints(points);
    expect(result.supervoxelIds).toEqual(labels);
    expect(new Set(result.status)).toEqual(new Set([PointStatus.ok]));
    expect(bucket.log.count()).toBe(100);
    expect(roots()).toHaveLength(1);
    expect(graph.log.idsPerBatch()).toEqual([200]);
    expect(result.stats).toMatchObject({
      points: 10_000,
      chunks: 100,
      requests: 100,
      rootRequests: 1,
      distinctSupervoxels: 200,
      cacheHits: 0,
      bytes: 100 * 8 * 8 * 4 * 8,
    });
  });

  test('shares every read and the one root request between ten calls made in one tick', async () => {
    await using volume = await open();
    const results = await Promise.all(Array.from({ length: 10 }, () => volume.scatteredPoints(points)));
    expect(bucket.log.count()).toBe(100);
    expect(roots()).toHaveLength(1);
    for (const result of results) expect(result.rootIds).toEqual(results[0].rootIds);
    expect(new Set(results.map(({ timestamp }) => timestamp.getTime())).size).toBe(1);
  });

  test('answers from the memory cache without a request', async () => {
    await using volume = await open({ lruBytes: 10e6 });
    await volume.scatteredPoints(points);
    bucket.log.clear();
    const again = await volume.scatteredPoints(points, { agglomerate: false });
    expect(bucket.log.count()).toBe(0);
    expect(again.stats).toMatchObject({ cacheHits: 100, requests: 0, bytes: 0 });
    expect(again.supervoxelIds).toEqual(labels);
    expect(again).not.toHaveProperty('rootIds');
  });

  test('never has more chunks in flight than concurrency allows, in all calls together', async () => {
    const slow = await serveMocks({ '/segmentation': graph, '/bucket': bucket }, { latencyMs: 5 });
    await using volume = await openGraphene(`graphene://${slow.url}/segmentation/table/world`, {
      token: null,
      concurrency: 3,
    });
    bucket.log.clear();
    await Promise.all([volume.scatteredPoints(points), volume.scatteredPoints(points.slice(0, 900))]);
    expect(bucket.log.highestConcurrency).toBe(3);
    await slow.close();
  });

  test('gives every point the first status that applies, in order, and keeps duplicates', async () => {
    await using volume = await open();
    const [sv1, sv2] = [supervoxel([0, 0, 0], 1), supervoxel([0, 0, 0], 2)];
    const result = await volume.at(BEFORE).scatteredPoints(
      [
        [17, 8, 4],
        [16, 8, 4],
        [17, 8, 4],
        [15, 8, 4],
        [17.9, 12.5, 4.2],
        [NaN, 0, 0],
        [96, 8, 4],
        [17, Infinity, 4],
      ],
      { onError: 'status' },
    );
    expect(
      [...result.rows()].map(({ status, supervoxelId, rootId }) => [status, supervoxelId, rootId]),
    ).toEqual([
      ['ok', sv1, rootOf(0, 1)],
      ['background', 0n, 0n],
      ['ok', sv1, rootOf(0, 1)],
      ['out_of_bounds', 0n, 0n],
      ['ok', sv2, rootOf(0, 2)],
      ['invalid_point', 0n, 0n],
      ['out_of_bounds', 0n, 0n],
      ['invalid_point', 0n, 0n],
    ]);
    // 4 of 8 is not more than half.
    expect(warnings.filter((message) => message.includes('outside the volume'))).toHaveLength(0);
  });

  test('reads coordinates in another resolution, and warns once in that unit when most points miss', async () => {
    await using volume = await open({ resolution: [4, 4, 40] });
    const hit = await volume.scatteredPoints([[34, 17, 4]], { timestamp: BEFORE });
    expect(hit.rootIds[0]).toBe(rootOf(0, 1));
    await volume.scatteredPoints(
      [
        [17, 8, 4],
        [17, 9, 4],
        [34, 17, 4],
      ],
      { agglomerate: false },
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('32,16,4 to 192,176,8');
  });

  test('sees an edit from its own millisecond on', async () => {
    await using volume = await open();
    const points = [
      [17, 8, 4],
      [17, 12, 4],
    ];
    const before = await volume.at(BEFORE).scatteredPoints(points),
      after = await volume.at(MERGED_AT).scatteredPoints(points);
    expect(before.rootIds).toEqual(BigUint64Array.of(rootOf(0, 1), rootOf(0, 2)));
    expect(after.rootIds[0]).toBe(after.rootIds[1]);
    expect(before.rootIds).not.toContain(after.rootIds[0]);
    expect(after.timestamp.toISOString()).toBe(MERGED_AT);
    expect(roots().map(({ query }) => query)).toEqual([
      'timestamp=1717582201.202',
      'timestamp=1717582201.203',
    ]);
  });
});

describe('roots and one-value calls', () => {
  test('roots keeps zeros and IDs at or above the requested layer, and requests each other ID once', async () => {
    await using volume = await open({ timestamp: BEFORE });
    const sv = supervoxel([3, 4, 0], 2),
      unknown = supervoxel([3, 4, 0], 77);
    const result = await volume.roots([sv, 0n, rootOf(1, 1), sv, unknown]);
    expect(result.rootIds).toEqual(BigUint64Array.of(rootOf(4, 2), 0n, rootOf(1, 1), rootOf(4, 2), 0n));
    expect([...result.rows()].map(({ status }) => status)).toEqual([
      'ok',
      'background',
      'not_looked_up',
      'ok',
      'no_root',
    ]);
    expect(graph.log.idsPerBatch()).toEqual([2]);
    expect(bucket.log.count()).toBe(0);
  });

  test('roots ends the look-up at a stop layer', async () => {
    await using volume = await open();
    const result = await volume.roots([supervoxel([3, 4, 0], 2)], { stopLayer: 2, timestamp: BEFORE });
    expect(result.rootIds[0] >> 56n).toBe(2n);
    expect(roots()[0].query).toContain('stop_layer=2');
  });

  test('roots splits many IDs into batches of the same timestamp', async () => {
    await using volume = await open({ rootBatchSize: 30 });
    await volume.scatteredPoints(spreadPoints(10_000));
    expect(graph.log.idsPerBatch()).toEqual([30, 30, 30, 30, 30, 30, 20]);
    expect(new Set(roots().map(({ query }) => query)).size).toBe(1);
  });

  test('a thousand calls of rootOf at once share one request', async () => {
    await using volume = await open();
    const ids = Array.from({ length: 1000 }, (_, i) =>
      supervoxel([i % 10, Math.floor(i / 10) % 10, 0], 1 + (i % 2)),
    );
    const found = await Promise.all(ids.map((id) => volume.rootOf(id, { timestamp: BEFORE })));
    expect(found[57]).toBe(rootOf(5, 2));
    expect(roots()).toHaveLength(1);
  });

  test.each([
    { name: 'a root', point: [17, 16, 4], root: rootOf(1, 1) },
    { name: '0n on background', point: [16, 8, 4], root: 0n },
  ])('rootAt gives $name', async ({ point, root }) => {
    await using volume = await open();
    expect(await volume.rootAt(point)).toBe(root);
    expect(warnings).toEqual([]);
  });

  test.each([
    { code: 'OUT_OF_BOUNDS', point: [0, 0, 0] },
    { code: 'INVALID_POINT', point: [NaN, 0, 0] },
    { code: 'NO_ROOT', point: [17, 8, 4], timestamp: '2023-01-01' },
  ])('rootAt throws PointError $code that names the point', async ({ code, point, timestamp }) => {
    await using volume = await open();
    await expect(volume.rootAt(point, { timestamp })).rejects.toMatchObject({
      name: 'PointError',
      code,
      message: expect.stringContaining(`[${point.join(',')}]`),
    });
  });

  test('rootOf throws NO_ROOT with the ID, and warns once that the server echoed a whole batch', async () => {
    await using volume = await open({ timestamp: '2023-01-01' });
    const id = supervoxel([0, 0, 0], 1);
    await expect(volume.rootOf(id)).rejects.toMatchObject({
      code: 'NO_ROOT',
      message: expect.stringContaining(String(id)),
    });
    await expect(volume.rootOf(id)).rejects.toMatchObject({ code: 'NO_ROOT' });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('2023-01-01T00:00:00.000Z');
  });
});

describe('suspects', () => {
  test('are IDs of another graph chunk: they are kept, looked up and marked, with one warning', async () => {
    const shifted = worldGraph({ info: { ...GRAPH_INFO, chunks_start_at_voxel_offset: false } });
    const mocks = await serveMocks({ '/segmentation': shifted, '/bucket': bucket });
    const path = `graphene://${mocks.url}/segmentation/table/world`;
    const options = {
      token: null,
      timestamp: BEFORE,
      logger: { warn: (message: string) => warnings.push(message) },
    };
    await using volume = await openGraphene(path, options);
    const result = await volume.scatteredPoints([
      [17, 8, 4],
      [18, 8, 4],
    ]);
    expect([...result.rows()]).toMatchObject([
      { status: 'suspect', supervoxelId: supervoxel([0, 0, 0], 1), rootId: rootOf(0, 1) },
      { status: 'suspect' },
    ]);
    expect(warnings.filter((message) => message.includes('graph chunk'))).toHaveLength(1);
    expect(await volume.rootAt([17, 8, 4])).toBe(rootOf(0, 1));
    // 0n means background, so a suspect without a root is an error in a call for one point.
    await expect(volume.rootAt([17, 8, 4], { timestamp: '2023-01-01' })).rejects.toMatchObject({
      code: 'NO_ROOT',
    });
    await using trusting = await openGraphene(path, { ...options, checkSupervoxels: false });
    expect([...(await trusting.scatteredPoints([[17, 8, 4]])).rows()]).toMatchObject([{ status: 'ok' }]);
    await mocks.close();
  });
});

describe('the volume', () => {
  test('describes itself', async () => {
    await using volume = await open();
    expect(volume.bounds()).toEqual({ min: [16, 8, 4], max: [96, 88, 8] });
    expect(volume.graph).toMatchObject({
      table: 'world',
      nLayers: 4,
      chunkSize: [8, 8, 4],
      cvMip: 0,
      chunksStartAtVoxelOffset: true,
      apiVersions: [0, 1],
    });
    expect(volume.info.data_type).toBe('uint64');
    expect(volume.scales.map(({ key }) => key)).toEqual(['s0']);
  });

  test('opens with one request, for the graph info', async () => {
    await using volume = await open();
    expect(graph.log.requests.map(({ path }) => path)).toEqual(['/segmentation/table/world/info']);
    expect(bucket.log.count()).toBe(0);
    void volume;
  });

  test('refuses every call once it is closed, and aborts calls in flight', async () => {
    const volume = await open();
    const underWay = volume.scatteredPoints(spreadPoints(100));
    await volume.close();
    await expect(underWay).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(volume.scatteredPoints([[17, 8, 4]])).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(volume.roots([1n])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
