/** The root cache of a volume, with a mock chunkedgraph: which requests its server gets. */
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cacheStats, clearCache } from '../../lib/cache/cache-maintenance.ts';
import {
  openGraphene,
  SnapshotError,
  type GrapheneVolume,
  type OpenGrapheneOptions,
} from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import {
  BEFORE,
  MERGED_AT,
  rootOf,
  spreadPoints,
  worldBucket,
  worldGraph,
} from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

const graph = worldGraph(),
  bucket = worldBucket();
const warnings: string[] = [];
let served: ServedMocks, elsewhere: ServedMocks, folder: string;
const open = (
  rootCache: OpenGrapheneOptions['rootCache'],
  options: OpenGrapheneOptions = {},
  { url } = served,
): Promise<GrapheneVolume> =>
  openGraphene(`graphene://${url}/segmentation/table/world`, {
    token: null,
    logger: { warn: (message) => warnings.push(message) },
    rootCache,
    ...options,
  });
/**
 * Numbers of requests for roots, for latest roots and for root timestamps. A volume sends one more of the
 * last two kinds.
 */
const counts = () => [
  graph.log.count('roots_binary'),
  graph.log.count('is_latest_roots'),
  graph.log.count('root_timestamps'),
];

const ROW_0 = Array.from({ length: 10 }, (_, cx) => supervoxel([cx, 0, 0], 1)),
  ROW_1 = Array.from({ length: 10 }, (_, cx) => supervoxel([cx, 1, 0], 1));

beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  elsewhere = await serveMocks({ '/segmentation': worldGraph(), '/bucket': bucket });
  folder = await mkdtemp(join(tmpdir(), 'root-cache-'));
});
afterAll(async () => {
  await Promise.all([served.close(), elsewhere.close()]);
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  graph.log.clear();
  warnings.length = 0;
});

describe('rootCache', () => {
  test('requests nothing twice at one settled timestamp, and the stats count its hits', async () => {
    await using volume = await open(true, { timestamp: BEFORE });
    const first = await volume.scatteredPoints(spreadPoints(1000)),
      again = await volume.scatteredPoints(spreadPoints(1000));
    expect(again.rootIds).toEqual(first.rootIds);
    expect([first.stats.rootCacheHits, again.stats.rootCacheHits]).toEqual([0, 1000]);
    expect(again.stats).toMatchObject({ rootRequests: 0, distinctSupervoxels: 0 });
    expect(await volume.rootOf(ROW_1[0])).toBe(rootOf(1, 1));
    expect(counts()).toEqual([1, 0, 0]);
    expect(volume.rootCache?.stats).toMatchObject({ entries: 200, roots: 20, hits: 1001, misses: 1000 });
  });

  test('checks the roots at a later timestamp, and looks up only IDs of replaced roots', async () => {
    await using volume = await open(true);
    await volume.roots([...ROW_0, ...ROW_1], { timestamp: BEFORE });
    const later = await volume.roots([...ROW_0, ...ROW_1], { timestamp: MERGED_AT });
    expect(later.rootIds.slice(10)).toEqual(BigUint64Array.from({ length: 10 }, () => rootOf(1, 1)));
    await using plain = await open(false);
    expect(later.rootIds).toEqual(
      (await plain.roots([...ROW_0, ...ROW_1], { timestamp: MERGED_AT })).rootIds,
    );
    expect([later.stats.rootCacheHits, later.stats.distinctSupervoxels, later.stats.rootRequests]).toEqual([
      10, 10, 2,
    ]);
    expect(counts()).toEqual([3, 1 + 1, 0 + 1]);
  });

  test('extends to the creation of roots with extendToCreation', async () => {
    await using volume = await open({ extendToCreation: true });
    await volume.roots(ROW_0, { timestamp: '2025-01-01' });
    expect((await volume.roots(ROW_0, { timestamp: MERGED_AT })).stats.rootCacheHits).toBe(10);
    expect(counts()).toEqual([1, 0, 1]);
    expect((await volume.roots(ROW_0, { timestamp: BEFORE })).rootIds[0]).toBe(rootOf(0, 1));
    expect(counts()).toEqual([2, 0, 1]);
  });

  test('holds the root layer only, and is bypassed by validate', async () => {
    await using volume = await open(true, { timestamp: BEFORE });
    for (let k = 0; k < 2; k++) {
      await volume.roots(ROW_0, { stopLayer: 2 });
      expect((await volume.roots([rootOf(1, 1)], { validate: true })).status).toEqual(Uint8Array.of(1));
    }
    expect(counts()).toEqual([2, 2 + 1, 0 + 1]);
  });

  test('looks up IDs at "now" once, and later checks only their roots', async () => {
    await using volume = await open(true);
    const first = await volume.roots(ROW_1),
      again = await volume.roots(ROW_1);
    expect([first.settled, again.settled, again.stats.rootCacheHits]).toEqual([false, false, 10]);
    expect(again.rootIds).toEqual(first.rootIds);
    expect(counts()).toEqual([1, 1 + 1, 0 + 1]);
  });

  test('checks the roots of 1,000 IDs in one request', async () => {
    await using volume = await open(true);
    const all = Array.from({ length: 100 }, (_, n) => supervoxel([n % 10, Math.floor(n / 10), 0], 1));
    await volume.roots(all, { timestamp: BEFORE });
    const roots = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => volume.rootOf(all[10 + (n % 90)], { timestamp: MERGED_AT })),
    );
    expect(roots[0]).toBe(rootOf(1, 1));
    expect(counts()).toEqual([1, 1 + 1, 0 + 1]);
  });

  test('is read from its file and written to it', async () => {
    const file = join(folder, 'kept');
    for (let k = 0; k < 2; k++) {
      await using volume = await open({ file }, { timestamp: BEFORE });
      await volume.roots(ROW_0);
    }
    expect(counts()).toEqual([1, 0, 0]);
    expect([await readdir(folder), warnings]).toEqual([['kept'], []]);
    const volume = await open(true);
    expect(await volume.rootCache!.load(file)).toBe(10);
    volume.rootCache!.clear();
    expect(volume.rootCache!.stats.entries).toBe(0);
    await volume.close();
  });

  test('is kept in cacheDir, one file per graph, and replaced there when it cannot be used', async () => {
    const cacheDir = join(folder, 'cache');
    for (const requests of [1, 0]) {
      graph.log.clear();
      await using volume = await open(true, { timestamp: BEFORE, cacheDir });
      await volume.roots(ROW_0);
      expect(counts()).toEqual([requests, 0, 0]);
    }
    await using other = await open(true, { timestamp: BEFORE, cacheDir }, elsewhere);
    expect((await other.roots(ROW_0)).stats.rootCacheHits).toBe(0);
    await other.close();
    const roots = join(cacheDir, 'roots-v1'),
      files = await readdir(roots);
    expect(files).toHaveLength(2);
    const [first, second] = await Promise.all(files.map((file) => readFile(join(roots, file))));
    await writeFile(join(roots, files[0]), second);
    await writeFile(join(roots, files[1]), first);
    await (await open(true, { cacheDir })).close();
    expect(warnings).toEqual([expect.stringMatching(/^cacheDir: .*; the root cache starts empty$/)]);
    expect((await cacheStats(cacheDir)).snapshots).toMatchObject({ entries: 2 });
    expect(await clearCache(cacheDir)).toMatchObject({ snapshots: { entries: 2 } });
    expect((await cacheStats(cacheDir)).snapshots).toEqual({ entries: 0, bytes: 0 });
  });

  test('is not kept in a cacheDir whose folder others may write to', async () => {
    const cacheDir = join(folder, 'open'),
      roots = join(cacheDir, 'roots-v1');
    await mkdir(roots, { recursive: true });
    await chmod(roots, 0o777);
    await (await open(true, { cacheDir })).close();
    expect(warnings).toEqual([
      expect.stringMatching(/^cacheDir: .*roots-v1 must be a folder that you own .*; roots are not kept$/),
    ]);
    expect(await readdir(roots)).toEqual([]);
  });

  test('starts empty with a warning for a damaged file, and replaces it, but throws for a file of another graph', async () => {
    const file = join(folder, 'kept');
    await writeFile(file, 'no snapshot');
    const volume = await open({ file });
    expect(warnings).toEqual([
      `rootCache.file: ${file} is not a snapshot of a root cache; the root cache starts empty`,
    ]);
    await volume.close();
    const kept = await readFile(file);
    await expect(open({ file }, {}, elsewhere)).rejects.toThrow(SnapshotError);
    await expect(open({ file }, {}, elsewhere)).rejects.toMatchObject({ code: 'FOREIGN' });
    expect(await readFile(file)).toEqual(kept);
  });

  test('logs a warning when its file cannot be written at close', async () => {
    const volume = await open({ file: join(folder, 'none', 'kept') });
    await volume.close();
    await volume.close();
    expect(warnings).toEqual([
      expect.stringContaining(`rootCache.file: ${join(folder, 'none', 'kept')} cannot be written`),
    ]);
  });

  test('is undefined without the option', async () => {
    await using volume = await open(false);
    expect(volume.rootCache).toBeUndefined();
    expect((await volume.roots(ROW_0)).stats).not.toHaveProperty('rootCacheHits');
  });

  test.each<[unknown, new (message: string) => Error, RegExp]>([
    ['yes', TypeError, /^rootCache is true, false or its options/],
    [{ maxEntry: 1 }, TypeError, /maxEntry/],
    [{ maxEntries: 0 }, RangeError, /^rootCache\.maxEntries must be a whole number from 1/],
    [{ maxEntries: 1.5 }, RangeError, /^rootCache\.maxEntries/],
    [{ maxAgeMs: 0 }, RangeError, /^rootCache\.maxAgeMs must be a positive number/],
    [{ extendToCreation: 1 }, TypeError, /^rootCache\.extendToCreation is true or false/],
    [{ file: '' }, TypeError, /^rootCache\.file is the path of a file/],
  ])('refuses %j', async (setting, type, message) => {
    const error: unknown = await open(setting as boolean).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toMatch(message);
  });
});
