/** Events beside the sums: each is held to the requests that the mocks have seen. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  openGraphene,
  openPrecomputed,
  PointStatus,
  type OpenGrapheneOptions,
  type VolumeEvent,
} from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { spreadPoints, worldBucket, worldGraph } from '../../testing/graph-world.ts';

const graph = worldGraph(),
  bucket = worldBucket();
let served: ServedMocks;
let events: VolumeEvent[];
const warnings: string[] = [];
beforeAll(async () => void (served = await serveMocks({ '/segmentation': graph, '/bucket': bucket })));
afterAll(() => served.close());
beforeEach(() => {
  graph.log.clear();
  bucket.log.clear();
  bucket.faults.length = graph.faults.length = 0;
  warnings.length = 0;
  events = [];
});

const options: OpenGrapheneOptions = {
  token: null,
  logger: { warn: (message) => warnings.push(message) },
  onEvent: (event) => events.push(event),
};
const open = (more: OpenGrapheneOptions = {}) =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, { ...options, ...more });
const ofType = <Type extends VolumeEvent['type']>(type: Type) =>
  events.filter((event): event is Extract<VolumeEvent, { type: Type }> => event.type === type);

describe('onEvent', () => {
  const points = spreadPoints(10_000);

  test('is told of each chunk, request for roots and batch, once', async () => {
    await using volume = await open();
    const { stats } = await volume.scatteredPoints(points);
    const chunks = ofType('chunk');
    expect(chunks.map(({ from, outcome }) => `${from} ${outcome}`)).toEqual(Array(100).fill('store read'));
    expect(new Set(chunks.map(({ url }) => new URL(url).pathname))).toEqual(
      new Set(bucket.log.requests.map(({ path }) => `/bucket${path.replace(/^\/bucket/, '')}`)),
    );
    expect(chunks.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(stats.bytes);
    expect(ofType('rootRequest')).toMatchObject([{ endpoint: 'roots', ids: 200, bytes: 3200 }]);
    expect(ofType('batch')).toMatchObject([{ calls: 1, distinct: 200, requests: 1 }]);
    for (const event of events) if (event.type !== 'retry') expect(event.ms).toBeGreaterThanOrEqual(0);
  });

  test('is told of a chunk that is not stored, of one that failed, and of what is tried again', async () => {
    await using volume = await open({ retries: 1 });
    const two = points.slice(0, 6),
      quietly = { agglomerate: false, onError: 'status' } as const;
    await volume.scatteredPoints(two, quietly);
    const [first, second] = bucket.log.requests.map(({ path }) => path.split('/').at(-1)!);
    events = [];
    bucket.faults.push({ match: new RegExp(first), status: 503 }, { match: new RegExp(second), status: 404 });
    await volume.scatteredPoints(two, quietly);
    const told = ofType('chunk').map(({ url, outcome, error }) => [
      url.split('/').at(-1),
      outcome,
      (error as Error | undefined)?.name,
    ]);
    expect(told.sort()).toEqual(
      [
        [first, 'failed', 'RequestError'],
        [second, 'missing', undefined],
      ].sort(),
    );
    expect(ofType('retry')).toMatchObject([{ host: new URL(served.url).host, made: 1 }]);
  });

  test('is told of a request for roots that failed', async () => {
    await using volume = await open({ retries: 0 });
    graph.faults.push({ match: /roots_binary/, status: 400 });
    await volume.roots([72_061_992_084_439_044n], { onError: 'status' });
    const [request] = ofType('rootRequest');
    expect(request).toMatchObject({ ids: 1, bytes: 8, error: { name: 'GraphError' } });
  });

  test('is told of each attempt at a root request', async () => {
    await using volume = await open({ retries: 1 });
    graph.faults.push({ match: /roots_binary/, status: 503 });
    await volume.roots([72_061_992_084_439_044n], { onError: 'status' });
    expect(ofType('rootRequest')).toHaveLength(2);
    expect(ofType('retry')).toMatchObject([{ host: new URL(served.url).host, made: 1 }]);
  });

  test('is told of ten calls in one tick as one batch', async () => {
    await using volume = await open();
    await Promise.all(Array.from({ length: 10 }, () => volume.scatteredPoints(points)));
    expect(ofType('batch')).toMatchObject([{ calls: 10, distinct: 200, requests: 1 }]);
    expect(ofType('chunk')).toHaveLength(100);
  });

  test('may throw, or reject: answers stay, and one warning says so', async () => {
    for (const onEvent of [
      () => {
        throw new Error('oops');
      },
      () => Promise.reject(new Error('oops')),
    ]) {
      // prettier-ignore
      warnings.length = 0;
      await using volume = await openPrecomputed(`${served.url}/bucket`, { logger: options.logger, onEvent });
      const { status } = await volume.scatteredPoints(points.slice(0, 300));
      expect(status.every((code) => code === PointStatus.ok || code === PointStatus.background)).toBe(true);
      expect(warnings.filter((text) => text.includes('onEvent failed'))).toHaveLength(1);
    }
  });
});
