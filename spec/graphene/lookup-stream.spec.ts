/** `lookupStream` of both kinds of volumes, on mocks and on a fixture with CloudVolume's answers. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  isLookupError,
  openGraphene,
  openPrecomputed,
  PartialResultError,
  PointStatus,
  type GrapheneVolume,
  type OpenGrapheneOptions,
  type PrecomputedVolume,
  type StreamBatch,
} from '../../lib/index.ts';
import {
  buildPrecomputed,
  createMockBucket,
  createMockChunkedGraph,
  serveMocks,
  type ServedMocks,
} from '../../mocks/index.ts';
import { expectedAnswers, shownAnswers } from '../../testing/fixture-answers.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { BEFORE, rootOf, spreadPoints, worldBucket, worldGraph, WORLD } from '../../testing/graph-world.ts';

const graph = worldGraph(),
  bucket = worldBucket();
const warnings: string[] = [];
const logger = { warn: (message: string) => void warnings.push(message) };
const fixture = loadFixture('graphene_cseg_u64');
const [scale] = fixture.scales;
let served: ServedMocks, servedFixture: ServedMocks;
const open = (options: OpenGrapheneOptions = {}): Promise<GrapheneVolume> =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, { token: null, logger, ...options });
const labelAt = (x: number, y: number, z: number): bigint => WORLD.labelAt(x, y, z);

beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  servedFixture = await serveMocks({
    '/segmentation': createMockChunkedGraph({
      ...(fixture.graph as unknown as Parameters<typeof createMockChunkedGraph>[0]),
      dataDir: '{HOST}/bucket',
    }),
    '/bucket': createMockBucket({ folder: fixture.folder }),
  });
});
afterAll(async () => {
  await served.close();
  await servedFixture.close();
});
beforeEach(() => {
  graph.log.clear();
  bucket.log.clear();
  warnings.length = 0;
});

async function all<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const answer of answers) taken.push(answer);
  return taken;
}

describe('lookupStream of a graphene volume', () => {
  test('gives the labels and roots of the fixture, batch by batch, in order', async () => {
    await using volume = await openGraphene(`graphene://${servedFixture.url}/segmentation/table/mock`, {
      logger,
    });
    const { resolution } = fixture.info.scales[0],
      sizes = [1, 0, 7, 30, 2, 160];
    const batches: { points: (typeof scale.points)[0][]; first: number }[] = [];
    for (let first = 0, k = 0; first < scale.points.length; first += sizes[k++ % sizes.length])
      batches.push({ points: scale.points.slice(first, first + sizes[k % sizes.length]), first });
    const results = await all(volume.lookupStream(batches, { resolution, pointsPerCall: 50 }));
    expect(results.map(({ index }) => index)).toEqual(batches.map((_, index) => index));
    const whole = await volume.scatteredPoints(scale.points, { resolution });
    for (const [k, { batch, supervoxelIds, rootIds, status }] of results.entries()) {
      expect(batch).toBe(batches[k]);
      const end = batch.first + batch.points.length;
      expect(supervoxelIds).toEqual(whole.supervoxelIds.slice(batch.first, end));
      expect(rootIds).toEqual(whole.rootIds.slice(batch.first, end));
      expect(status).toEqual(whole.status.slice(batch.first, end));
    }
    expect(results.flatMap((result) => [...result.supervoxelIds].map(String))).toEqual(
      scale.values.map((value) => value ?? '0'),
    );
    expect(results.flatMap((result) => [...result.rootIds].map(String))).toEqual(
      scale.roots!.map((root) => root ?? '0'),
    );
  });

  test('looks up 100,000 single points in few calls, each chunk and each supervoxel once', async () => {
    await using volume = await open({ lruBytes: 10e6, rootCache: true, timestamp: BEFORE });
    const flat = spreadPoints(100_000);
    async function* points() {
      for (let i = 0; i < 100_000; i++) yield { x: flat[3 * i], y: flat[3 * i + 1], z: flat[3 * i + 2], i };
    }
    let next = 0,
      wrong = 0,
      sum = 0;
    // One call at a time: a call that begins just before another learns its roots may ask for them again.
    const results = volume.lookupStream(points(), { concurrency: 1 });
    for await (const { supervoxelIds, rootIds, status, batch, stats } of results) {
      const i = next++;
      sum += stats.points;
      const label = labelAt(flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]);
      if (batch.i !== i || supervoxelIds[0] !== label || rootIds.length !== 1 || status[0] !== PointStatus.ok)
        wrong++;
    }
    expect([next, wrong, sum]).toEqual([100_000, 0, 100_000]);
    expect(bucket.log.count()).toBe(100);
    expect(graph.log.idsPerBatch().reduce((a, b) => a + b, 0)).toBe(200);
  });

  test('takes every form of points, and one point', async () => {
    await using volume = await open({ timestamp: BEFORE });
    const batches: StreamBatch[] = [
      [[17, 8, 4]],
      [17, 8, 4],
      [17n, 8n, 4n],
      { x: 17, y: 8, z: 4 },
      [{ x: 17, y: 8, z: 4 }],
      Float32Array.of(17, 8, 4),
      { x: [17], y: Int32Array.of(8), z: [4] },
      { points: [17, 8, 4] },
      { points: { x: 17, y: 8, z: 4 } },
      { points: BigInt64Array.of(17n, 8n, 4n) },
    ];
    const results = await all(volume.lookupStream([...batches, []]));
    expect(results.pop()!.rootIds).toEqual(new BigUint64Array(0));
    expect(results.map(({ rootIds }) => rootIds)).toEqual(batches.map(() => BigUint64Array.of(rootOf(0, 1))));
    expect([...results[0].rows()]).toEqual([
      { index: 0, supervoxelId: labelAt(17, 8, 4), rootId: rootOf(0, 1), status: 'ok', error: undefined },
    ]);
    const [{ timestamp, settled, stats }] = results;
    expect([timestamp, settled, stats.chunks]).toEqual([new Date(BEFORE), true, 1]);
    expect(results[1].stats).toMatchObject({ points: 1, chunks: 0, requests: 0 });
  });

  test('takes an object stream of Node, and refuses what holds no batches', async () => {
    await using volume = await open();
    const stream = Readable.from([[17, 8, 4], [25, 8, 4]]); // prettier-ignore
    const results = await all(volume.lookupStream(stream, { agglomerate: false }));
    expect(results.map(({ supervoxelIds }) => supervoxelIds[0])).toEqual([
      labelAt(17, 8, 4),
      labelAt(25, 8, 4),
    ]);
    expect(results[0]).not.toHaveProperty('rootIds');
    for (const [source, message] of [
      [
        Readable.from(Buffer.from('x,y,z'), { objectMode: false }),
        /stream of bytes: its objectMode is false/,
      ],
      [async function* () {}, /not a function: call it first/],
      [Float64Array.of(1, 2, 3), /not a typed array: pass \[points\]/],
      [undefined, /^the source of a stream is an iterable or an async iterable/],
      ['17,8,4', /^the source of a stream is/],
    ] as const)
      expect(() => volume.lookupStream(source as never)).toThrow(message);
    expect(() => volume.lookupStream([], { concurrency: 0 })).toThrow(/^concurrency must be a whole number/);
    expect(() => volume.lookupStream([], { onProgress: () => undefined } as never)).toThrow(/no option/);
    expect(() => volume.lookupStream([], { timestamp: 'mat' })).toThrow(/datastack/);
  });

  test('copies what the source may write again, and lends with borrow', async () => {
    await using volume = await open();
    function* batches() {
      const points = Float64Array.of(17, 8, 4);
      for (const x of [17, 25, 33]) {
        points[0] = x;
        yield points;
      }
    }
    const results = await all(volume.lookupStream(batches(), { agglomerate: false }));
    expect(results.map(({ supervoxelIds }) => supervoxelIds[0])).toEqual(
      [17, 25, 33].map((x) => labelAt(x, 8, 4)),
    );
    const lent = await all(volume.lookupStream(batches(), { agglomerate: false, borrow: true }));
    expect(lent.map(({ supervoxelIds }) => supervoxelIds[0])).toEqual(Array(3).fill(labelAt(33, 8, 4)));
  });

  test('gives all batches the timestamp of the beginning', async () => {
    await using volume = await open();
    const timestamps: number[] = [];
    const batches = Array.from({ length: 5 }, () => [[17, 8, 4]]);
    for await (const { timestamp } of volume.lookupStream(batches, { concurrency: 1, pointsPerCall: 1 })) {
      timestamps.push(timestamp.getTime());
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(timestamps).toHaveLength(5);
    expect(new Set(timestamps).size).toBe(1);
    expect(Math.abs(Date.now() - timestamps[0])).toBeLessThan(60_000);
  });

  const failing = async (): Promise<{ volume: GrapheneVolume; close: () => Promise<void> }> => {
    const mocks = await serveMocks({
      '/segmentation': worldGraph(),
      '/bucket': worldBucket({ faults: [{ match: /24-32_8-16/, status: 403 }] }),
    });
    const volume = await openGraphene(`graphene://${mocks.url}/segmentation/table/world`, {
      token: null,
      logger,
      retries: 0,
    });
    return { volume, close: async () => (await volume.close(), mocks.close()) };
  };
  const BATCHES = [[[17, 8, 4]], [[33, 8, 4]], [[17, 8, 4], [25, 8, 4]], [[41, 8, 4]]]; // prettier-ignore

  test.each([1, 100])(
    'names the batch that failed, after the results before it (%i points per call)',
    async (pointsPerCall) => {
      const { volume, close } = await failing();
      const taken: number[] = [];
      const reading = (async () => {
        for await (const { index } of volume.lookupStream(BATCHES, { pointsPerCall })) taken.push(index);
      })();
      const error = await reading.catch((thrown: unknown) => thrown as PartialResultError);
      expect(taken).toEqual([0, 1]);
      expect(isLookupError(error, 'PARTIAL') && error.message).toMatch(
        /^batch 2 of the stream: 1 of 2 points have no answer; the rest is in error\.result\. First: chunk http/,
      );
      const { result, causes } = error as PartialResultError;
      expect([...result.status]).toEqual([PointStatus.ok, PointStatus.failed]);
      expect([...causes.keys()]).toEqual([expect.stringContaining('24-32_8-16')]);
      expect([...result.rows()][1].error).toBe([...causes.values()][0]);
      await close();
    },
  );

  test("shows failures as statuses with onError: 'status', and goes on", async () => {
    const { volume, close } = await failing();
    const results = await all(volume.lookupStream(BATCHES, { onError: 'status' }));
    expect(results.map(({ status }) => [...status])).toEqual([[1], [1], [1, 8], [1]]);
    expect([...results[2].rows()].map(({ error }) => error?.message)).toEqual([
      undefined,
      expect.stringContaining('24-32_8-16'),
    ]);
    expect([...results[3].rows()][0].error).toBeUndefined();
    await close();
  });

  test('names a batch that holds no points, after the results before it', async () => {
    await using volume = await open();
    const taken: number[] = [];
    const reading = (async () => {
      const batches = [[[17, 8, 4]], [[1, 2, 3], ['4', 5, 6]]] as StreamBatch[]; // prettier-ignore
      for await (const { index } of volume.lookupStream(batches)) taken.push(index);
    })();
    await expect(reading).rejects.toThrow(
      /^batch 1 of the stream: the point at index 1: its x is a string; /,
    );
    await expect(reading).rejects.toThrow(TypeError);
    expect(taken).toEqual([0]);
  });

  test('throws VolumeClosedError at once when the volume is closed, and the reason of its signal', async () => {
    const volume = await open();
    const never = (): Readable => new Readable({ objectMode: true, read: () => undefined });
    const [source, other] = [never(), never()];
    const controller = new AbortController();
    const aborted = volume.lookupStream(other, { signal: controller.signal }).next();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const waiting = volume.lookupStream(source).next();
    await volume.close();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    expect([source.destroyed, other.destroyed]).toEqual([true, true]);
    await expect(volume.lookupStream([[17, 8, 4]]).next()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('warns about the whole stream once, not about each call', async () => {
    await using volume = await open();
    const points = Array.from({ length: 20 }, () => [0, 0, 0]);
    await all(volume.lookupStream([...points, [17, 8, 4]], { pointsPerCall: 1 }));
    expect(warnings).toEqual([
      expect.stringMatching(/^20 of 21 points are outside the volume and 0 on back/),
    ]);
    warnings.length = 0;
    await all(volume.lookupStream([[0, 0, 0], [17, 8, 4], [25, 8, 4]])); // prettier-ignore
    expect(warnings).toEqual([]);
  });
});

describe('lookupStream of a Precomputed volume', () => {
  const imageFiles = buildPrecomputed({
    labels: (x: number, y: number, z: number) => x + 10 * y + 100 * z,
    dataType: 'float32',
    type: 'image',
    size: [8, 8, 4],
    chunkSize: [4, 4, 4],
    resolution: [16, 16, 40],
  }).files;
  const openImage = (): Promise<PrecomputedVolume> =>
    openPrecomputed('store://image', {
      storage: {
        url: 'store://image',
        read(key) {
          const file = imageFiles[key];
          const bytes = file instanceof Uint8Array ? file : file?.bytes;
          return Promise.resolve(bytes && { bytes, contentEncoding: undefined });
        },
      },
      logger,
    });

  test('gives the values of the fixture', async () => {
    await using volume = await openPrecomputed(`file://${fixture.folder}`, { logger });
    const batches = [scale.points.slice(0, 100), scale.points.slice(100)];
    const results = await all(
      volume.lookupStream(batches, { resolution: fixture.info.scales[0].resolution }),
    );
    expect(results.flatMap((result) => shownAnswers(result.rows()))).toEqual(
      expectedAnswers(scale, volume.dataType),
    );
  });

  test('interpolates by the type of each batch, and snaps', async () => {
    await using volume = await openImage();
    const results = await all(
      volume.lookupStream([[1, 1, 1], Int32Array.of(1, 1, 1), [1n, 1n, 1n], [[1.5, 1, 1]]], {
        interpolate: 'linear',
      }),
    );
    expect(results.map(({ values }) => [...values])).toEqual([[55.5], [111], [111], [56]]);
    await using labels = await openGrapheneLabels();
    const [{ snappedNm }, { snappedNm: other }] = await all(
      labels.lookupStream([[17, 8, 4], [16, 8, 4]], { snap: { radiusNm: 1e3 } }), // prettier-ignore
    );
    expect(snappedNm).toEqual(Float32Array.of(0));
    expect(other![0]).toBeGreaterThan(0);
  });
  const openGrapheneLabels = (): Promise<PrecomputedVolume> =>
    openPrecomputed(`${served.url}/bucket`, { logger });
});
