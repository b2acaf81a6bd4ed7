/** Events, compared with the stats and with the requests that the mocks have seen. */
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

  test('receives one event for each chunk, root request and batch', async () => {
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

  test('receives events for a chunk that is not stored, for a failed chunk, and for retries', async () => {
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

  test('receives an event for a root request that failed', async () => {
    await using volume = await open({ retries: 0 });
    graph.faults.push({ match: /roots_binary/, status: 400 });
    await volume.roots([72_061_992_084_439_044n], { onError: 'status' });
    const [request] = ofType('rootRequest');
    expect(request).toMatchObject({ ids: 1, bytes: 8, error: { name: 'GraphError' } });
  });

  test('receives an event for each attempt of a root request', async () => {
    await using volume = await open({ retries: 1 });
    graph.faults.push({ match: /roots_binary/, status: 503 });
    await volume.roots([72_061_992_084_439_044n], { onError: 'status' });
    expect(ofType('rootRequest')).toHaveLength(2);
    expect(ofType('retry')).toMatchObject([{ host: new URL(served.url).host, made: 1 }]);
  });

  test('receives one batch event for ten calls in one tick', async () => {
    await using volume = await open();
    await Promise.all(Array.from({ length: 10 }, () => volume.scatteredPoints(points)));
    expect(ofType('batch')).toMatchObject([{ calls: 10, distinct: 200, requests: 1 }]);
    expect(ofType('chunk')).toHaveLength(100);
  });

  test('may throw or reject: the answers stay, and one warning is logged', async () => {
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
