/** Root look-ups of a volume: settled timestamps, validation of roots, and limits on requests. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openGraphene, type OpenGrapheneOptions } from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { BEFORE, MERGED_AT, rootOf, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

const graph = worldGraph(),
  bucket = worldBucket();
let served: ServedMocks;
const open = (options: OpenGrapheneOptions = {}) =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, {
    token: null,
    logger: { warn: () => undefined },
    ...options,
  });
const SUPERVOXEL = supervoxel([0, 0, 0], 1);
const statuses = (rows: Iterable<{ status: string }>): string[] => Array.from(rows, ({ status }) => status);

beforeAll(async () => void (served = await serveMocks({ '/segmentation': graph, '/bucket': bucket })));
afterAll(() => served.close());
beforeEach(() => graph.log.clear());

describe('settled', () => {
  test('means older than three minutes', async () => {
    await using volume = await open();
    const now = await volume.roots([SUPERVOXEL]);
    expect(now.settled).toBe(false);
    expect(
      (await volume.roots([SUPERVOXEL], { timestamp: new Date(now.timestamp.getTime() - 181_000) })).settled,
    ).toBe(true);
    expect((await volume.scatteredPoints([[17, 8, 4]], { timestamp: BEFORE })).settled).toBe(true);
  });

  test.each<[string, OpenGrapheneOptions, number]>([
    ['three minutes', {}, 180_000],
    ['settleMs', { settleMs: 3_600_000 }, 3_600_000],
  ])('as a timestamp is now minus %s, for a volume, a view or a call', async (_name, options, ms) => {
    await using volume = await open(options);
    const before = volume.now().getTime();
    for (const { timestamp, settled } of [
      await volume.roots([SUPERVOXEL], { timestamp: 'settled' }),
      await volume.at('settled').roots([SUPERVOXEL]),
    ]) {
      expect(settled).toBe(true);
      expect(timestamp.getTime()).toBeGreaterThanOrEqual(before - ms);
      expect(timestamp.getTime()).toBeLessThanOrEqual(Date.now() - ms);
    }
    await using other = await open({ ...options, timestamp: 'settled' });
    expect((await other.scatteredPoints([[17, 8, 4]])).settled).toBe(true);
    expect(volume.settled().getTime()).toBeLessThanOrEqual(Date.now() - ms);
  });

  test('is one timestamp and one request for a thousand calls', async () => {
    await using volume = await open();
    const roots = await Promise.all(
      Array.from({ length: 1000 }, (_, k) =>
        volume.rootOf(supervoxel([k % 10, Math.floor(k / 10) % 10, 0], 1 + (k % 2)), {
          timestamp: 'settled',
        }),
      ),
    );
    roots.forEach(
      (root, k) =>
        Math.floor(k / 10) % 10 > 0 && expect(root).toBe(rootOf(Math.floor(k / 10) % 10, 1 + (k % 2))),
    );
    expect(graph.log.matching('roots_binary')).toHaveLength(1);
  });
});

describe('validate', () => {
  test("distinguishes roots at the timestamp from other roots, also in the edit's own millisecond", async () => {
    await using volume = await open();
    const [before, after] = [rootOf(0, 1), await volume.rootOf(SUPERVOXEL, { timestamp: MERGED_AT })];
    expect(after).not.toBe(before);
    const list = [before, after, SUPERVOXEL, (4n << 56n) | 424242n, 0n];
    const earlier = await volume.roots(list, { timestamp: BEFORE, validate: true });
    expect(statuses(earlier.rows())).toEqual(['ok', 'no_root', 'ok', 'no_root', 'background']);
    const later = await volume.roots(list, { timestamp: MERGED_AT, validate: true });
    expect(statuses(later.rows())).toEqual(['no_root', 'ok', 'ok', 'no_root', 'background']);
    expect([...later.rootIds]).toEqual([0n, after, after, 0n, 0n]);
    expect(statuses((await volume.roots(list, { timestamp: MERGED_AT })).rows())).toEqual([
      'not_looked_up',
      'not_looked_up',
      'ok',
      'not_looked_up',
      'background',
    ]);
  });

  test('makes rootOf return or refuse a root ID', async () => {
    await using volume = await open({ timestamp: MERGED_AT });
    const after = await volume.rootOf(SUPERVOXEL);
    expect(await volume.rootOf(after, { validate: true })).toBe(after);
    await expect(volume.rootOf(rootOf(0, 1), { validate: true })).rejects.toMatchObject({
      name: 'PointError',
      code: 'NO_ROOT',
    });
    await expect(volume.rootOf(after)).rejects.toMatchObject({ code: 'NOT_LOOKED_UP' });
  });
});

describe('options of root look-ups', () => {
  test.each<[OpenGrapheneOptions, string]>([
    [{ rateLimit: 0 }, 'rateLimit'],
    [{ rateLimit: -1 }, 'rateLimit'],
    [{ rateLimit: Infinity }, 'rateLimit'],
    [{ rateLimit: '5' as never }, 'rateLimit'],
    [{ batchWindowMs: -1 }, 'batchWindowMs'],
    [{ settleMs: 1.5 }, 'settleMs'],
    [{ rootBatchBytes: 0 }, 'rootBatchBytes'],
  ])('refuse %j', async (options, name) =>
    expect(open(options)).rejects.toMatchObject({
      name: 'RangeError',
      message: expect.stringContaining(name),
    }),
  );

  test('refuse a validate that is not a boolean', async () => {
    await using volume = await open();
    await expect(volume.roots([SUPERVOXEL], { validate: 'yes' as never })).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('validate'),
    });
  });

  test('share one request across turns of the event loop with batchWindowMs', async () => {
    await using volume = await open({ batchWindowMs: 30, rateLimit: 1000 });
    const first = volume.rootOf(SUPERVOXEL);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, volume.rootOf(supervoxel([1, 0, 0], 1))]);
    expect(graph.log.idsPerBatch()).toEqual([2]);
  });
});
