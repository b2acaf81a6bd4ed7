/** Graphs whose supervoxels split: the current voxels are read, and every answer is right or says that it is stale. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openGraphene, readMany, resolveVolume, type OpenGrapheneOptions } from '../../lib/index.ts';
import {
  buildWorld,
  serveWorld,
  type ServedWorld,
  type World,
  type WorldOptions,
} from '../../mocks/index.ts';

const SPLIT = new Date('2024-06-02T00:00:00.123Z'),
  BEFORE = new Date(SPLIT.getTime() - 1),
  AFTER = new Date('2024-06-03T00:00:00Z');
type Voxel = [number, number, number];
/** Of one supervoxel at first; they are in different parts later. */
const FIRST: Voxel = [4, 2, 8],
  SECOND: Voxel = [10, 12, 9],
  /** Of the same object, in another graph chunk. */
  FAR: Voxel = [60, 3, 10],
  POINTS = [FIRST, SECOND, FAR];
const byY = (_x: number, y: number): number => (y < 8 ? 0 : 1);

const open: ServedWorld[] = [];
afterEach(async () => {
  for (const served of open.splice(0)) await served.close();
});

async function setUp(options: Partial<WorldOptions> = {}) {
  const world = buildWorld({
      labels: (_x, y) => (y < 16 ? 1n : 2n),
      size: [64, 32, 16],
      voxelOffset: [4, 0, 8],
      chunkSize: [32, 32, 16],
      supervoxelSplits: true,
      ...options,
    }),
    served = await serveWorld(world);
  open.push(served);
  const warnings: string[] = [];
  const openVolume = (own: OpenGrapheneOptions = {}) =>
    openGraphene(served.cloudPath, {
      token: null,
      logger: { warn: (message) => void warnings.push(message) },
      ...own,
    });
  return { world, served, warnings, openVolume };
}
const split = (world: World) => world.splitSupervoxel(FIRST, byY, { at: SPLIT });
const currentIds = (world: World) => BigUint64Array.from(POINTS, (voxel) => world.supervoxelAt(voxel));
const statusesOf = (result: { rows(): Iterable<{ status: string }> }) =>
  Array.from(result.rows(), ({ status }) => status);

describe.each<[string, Partial<WorldOptions>]>([
  ['a fork of the graph', { supervoxelSplits: true }],
  ['the shared copy of earlier servers', { supervoxelSplits: 'shared' }],
])('points in %s', (_name, options) => {
  test('have the current supervoxels and their roots, at timestamps before and after the split', async () => {
    const { world, openVolume } = await setUp(options),
      made = split(world);
    await using volume = await openVolume();
    const after = await volume.scatteredPoints(POINTS, { timestamp: AFTER }),
      before = await volume.scatteredPoints(POINTS, { timestamp: BEFORE });
    expect(after).toMatchObject({ supervoxelIds: currentIds(world), generation: 2 });
    expect(new Set(after.rootIds)).toEqual(new Set(made.newRootIds));
    expect(after.rootIds[0]).not.toBe(after.rootIds[1]);
    expect(before.supervoxelIds).toEqual(after.supervoxelIds);
    expect(new Set(before.rootIds)).toEqual(new Set(made.oldRootIds));
    expect([statusesOf(after), statusesOf(before)]).toEqual([
      ['ok', 'ok', 'ok'],
      ['ok', 'ok', 'ok'],
    ]);
  });

  test('are read anew by a volume that was opened before the split, also with caches', async () => {
    const { world, openVolume } = await setUp(options),
      cacheDir = mkdtempSync(join(tmpdir(), 'split-'));
    for (const [axis, own] of [
      {},
      { lruBytes: 1e7, rootCache: true },
      { cacheDir, lruBytes: 1e7 },
    ].entries()) {
      await using volume = await openVolume(own);
      const first = await volume.scatteredPoints(POINTS, { timestamp: BEFORE }),
        { generation } = world.splitSupervoxel(FIRST, (...xyz) => (xyz[axis] > FIRST[axis] ? 1 : 0), {
          at: new Date(SPLIT.getTime() + 1000 * world.generation()!),
        }),
        again = await volume.scatteredPoints(POINTS, { timestamp: AFTER });
      expect(first.supervoxelIds[0]).not.toBe(again.supervoxelIds[0]);
      expect(again).toMatchObject({ supervoxelIds: currentIds(world), generation });
      expect(statusesOf(again)).toEqual(['ok', 'ok', 'ok']);
      expect((await volume.scatteredPoints(POINTS, { agglomerate: false })).supervoxelIds).toEqual(
        currentIds(world),
      );
    }
    rmSync(cacheDir, { recursive: true });
  });
});

describe('a supervoxel that was split', () => {
  test.each([false, true])('is stale, and right before its split, with rootCache %j', async (rootCache) => {
    const { world, openVolume } = await setUp(),
      old = world.supervoxelAt(FIRST),
      far = world.supervoxelAt(FAR);
    await using volume = await openVolume({ rootCache });
    await volume.roots([old, far], { timestamp: BEFORE });
    const made = split(world),
      ids = [old, ...made.supervoxelIds, far];
    for (let k = 0; k < 2; k++)
      for (const [timestamp, isAfter] of [
        [AFTER, true],
        [BEFORE, false],
        [SPLIT, true],
      ] as const) {
        const result = await volume.roots(ids, { timestamp });
        expect(statusesOf(result)).toEqual([isAfter ? 'stale_supervoxel' : 'ok', 'ok', 'ok', 'ok']);
        expect(new Set(result.rootIds.slice(1))).toEqual(
          new Set(isAfter ? made.newRootIds : made.oldRootIds),
        );
        expect(result.rootIds[0]).toBe(isAfter ? 0n : made.oldRootIds[0]);
        expect(await volume.graph.roots([old], { timestamp })).toEqual(BigUint64Array.of(result.rootIds[0]));
      }
    const l2 = await volume.roots(ids, { timestamp: AFTER, stopLayer: 2 });
    expect(statusesOf(l2)).toEqual(['stale_supervoxel', 'ok', 'ok', 'ok']);
    expect(l2.rootIds[0]).toBe(0n);
    await expect(volume.rootOf(old, { timestamp: AFTER })).rejects.toMatchObject({
      name: 'PointError',
      code: 'STALE_SUPERVOXEL',
    });
  });

  test('is read again when the split happens between the voxels and the roots', async () => {
    const { world, openVolume } = await setUp();
    let made: ReturnType<typeof split> | undefined;
    await using volume = await openVolume({
      onEvent: (event) => {
        if (event.type === 'chunk') made ??= split(world);
      },
    });
    const result = await volume.scatteredPoints(POINTS, { timestamp: AFTER });
    expect(made).toBeDefined();
    expect(result).toMatchObject({ supervoxelIds: currentIds(world), generation: 2 });
    expect(statusesOf(result)).toEqual(['ok', 'ok', 'ok']);
    expect(new Set(result.rootIds)).toEqual(new Set(made!.newRootIds));
  });

  test('stays right through merges and undos, at every moment', async () => {
    const { world, openVolume } = await setUp();
    await using cached = await openVolume({ rootCache: true });
    await using plain = await openVolume();
    const made = split(world),
      other = world.supervoxelAt([10, 20, 9]),
      ids = BigUint64Array.of(world.supervoxelAt(FAR), ...made.supervoxelIds, other);
    const times = [BEFORE, SPLIT];
    const note = (edit: unknown, ms: number): void => void (edit && times.push(new Date(ms)));
    const merge = world.graph.merge([made.supervoxelIds[1], other], { at: new Date(SPLIT.getTime() + 1000) });
    note(merge, SPLIT.getTime() + 1000);
    note(
      world.graph.undo(merge.operationId!, { at: new Date(SPLIT.getTime() + 2000) }),
      SPLIT.getTime() + 2000,
    );
    note(
      world.graph.undo(made.operationId!, { at: new Date(SPLIT.getTime() + 3000) }),
      SPLIT.getTime() + 3000,
    );
    for (const timestamp of [...times, ...[...times].reverse()]) {
      const expected = Array.from(ids, (id) => {
        const { graph } = world.graph;
        return graph.nodes.idOf(
          graph.ancestorAt(graph.nodes.findId(id), graph.layout.layers, timestamp.getTime()),
        );
      });
      for (const volume of [cached, plain])
        expect([...(await volume.roots(ids, { timestamp })).rootIds]).toEqual(expected);
    }
  });
});

describe('voxelsAt', () => {
  test('reproduces an earlier answer, by generation and by time', async () => {
    const { world, openVolume } = await setUp(),
      old = currentIds(world);
    split(world);
    for (const voxelsAt of [1, '1', 'v1', BEFORE, BEFORE.toISOString()]) {
      await using volume = await openVolume({ voxelsAt });
      const before = await volume.scatteredPoints(POINTS, { timestamp: BEFORE }),
        after = await volume.scatteredPoints(POINTS, { timestamp: AFTER });
      expect(before).toMatchObject({ supervoxelIds: old, generation: 1 });
      expect(statusesOf(before)).toEqual(['ok', 'ok', 'ok']);
      expect(after).toMatchObject({ supervoxelIds: old, generation: 1 });
      expect(statusesOf(after)).toEqual(['stale_supervoxel', 'stale_supervoxel', 'ok']);
    }
    await using latest = await openVolume({ voxelsAt: SPLIT });
    expect(await latest.scatteredPoints(POINTS)).toMatchObject({ generation: 2 });
  });

  test.each([0, 1.5, 'yesterday', '2024-06-31T00:00:00Z', NaN])('cannot be %p', async (voxelsAt) => {
    const { openVolume } = await setUp();
    await expect(openVolume({ voxelsAt })).rejects.toThrow(TypeError);
  });

  test('names a generation that must exist', async () => {
    const { openVolume } = await setUp();
    await expect(openVolume({ voxelsAt: 7 })).rejects.toMatchObject({ name: 'InfoError', code: 'NOT_FOUND' });
  });

  test('is an error where supervoxels cannot split, or are ignored', async () => {
    const plain = await setUp({ supervoxelSplits: false });
    await expect(plain.openVolume({ voxelsAt: 1 })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await (await plain.openVolume({ voxelsAt: 'latest' })).close();
    const { openVolume } = await setUp();
    await expect(openVolume({ voxelsAt: 1, ocdbt: 'ignore' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('opening', () => {
  test('refuses options that would read other voxels', async () => {
    const { openVolume, served } = await setUp();
    for (const own of [
      { dataDir: `${served.url}/bucket` },
      { storage: { url: 'own://store', read: async () => undefined } },
    ])
      await expect(openVolume(own)).rejects.toMatchObject({
        name: 'InfoError',
        code: 'UNSUPPORTED',
        message: expect.stringMatching(/would read others.*--ocdbt ignore/),
      });
  });

  test('reads the unsplit watershed with ocdbt ignore, whose supervoxels are then stale', async () => {
    const { world, openVolume, warnings, served } = await setUp(),
      old = currentIds(world);
    split(world);
    for (const own of [{}, { dataDir: `${served.url}/bucket` }]) {
      await using volume = await openVolume({ ...own, ocdbt: 'ignore' });
      const result = await volume.scatteredPoints(POINTS, { timestamp: AFTER });
      expect(result.supervoxelIds).toEqual(old);
      expect(result).not.toHaveProperty('generation');
      expect(statusesOf(result)).toEqual(['stale_supervoxel', 'stale_supervoxel', 'ok']);
    }
    expect(warnings).toEqual(Array(2).fill(expect.stringContaining('unsplit watershed')));
  });

  test('refuses scales that are not in the database', async () => {
    const { openVolume } = await setUp({ supervoxelSplits: 'shared', mips: 2 });
    await using volume = await openVolume();
    await expect(volume.scatteredPoints(POINTS, { mip: 1 })).rejects.toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/mip 1 is not in .*stored are mip 0/),
    });
    const fork = await setUp({ mips: 2 });
    split(fork.world);
    await using all = await fork.openVolume();
    expect(statusesOf(await all.scatteredPoints(POINTS, { mip: 1 }))).toEqual(['ok', 'ok', 'ok']);
  });

  test('works from a description, in another process', async () => {
    const { world, served } = await setUp();
    split(world);
    for (const voxelsAt of [undefined, BEFORE]) {
      const description = await resolveVolume(served.cloudPath, { token: null, voxelsAt });
      await using volume = await openGraphene(JSON.parse(JSON.stringify(description)) as never);
      expect(await volume.scatteredPoints(POINTS)).toMatchObject({ generation: voxelsAt ? 1 : 2 });
    }
    const ignored = await resolveVolume(served.cloudPath, {
      token: null,
      ocdbt: 'ignore',
      logger: { warn: () => undefined },
    });
    await using volume = await openGraphene(JSON.parse(JSON.stringify(ignored)) as never);
    expect(await volume.scatteredPoints(POINTS)).not.toHaveProperty('generation');
  });
});

test('the generation is in the results of readMany and of streams', async () => {
  const { world, openVolume } = await setUp();
  split(world);
  await using volume = await openVolume();
  const { volumes } = await readMany([{ name: 'seg', volume }], POINTS);
  expect(volumes.seg).toMatchObject({ generation: 2 });
  for await (const result of volume.lookupStream([POINTS])) expect(result).toMatchObject({ generation: 2 });
});

test('a call sends one request for the manifest, shared with calls of the same turn', async () => {
  const { world, openVolume } = await setUp();
  await using volume = await openVolume();
  world.bucket.log.clear();
  await Promise.all([volume.scatteredPoints([FIRST]), volume.scatteredPoints([FAR])]);
  expect(world.bucket.log.count('manifest.ocdbt')).toBe(1);
  await volume.scatteredPoints([FIRST]);
  expect(world.bucket.log.count('manifest.ocdbt')).toBe(2);
});
