/**
 * A script sees its own edits, whatever the clocks show. In the mock's replies, `Date` is behind its edits.
 */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  openGraphene,
  type GrapheneVolume,
  type GraphPoint,
  type OpenGrapheneOptions,
} from '../../lib/index.ts';
import { buildWorld, serveWorld } from '../../mocks/index.ts';

const CLEANUP: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const clean of CLEANUP.splice(0).reverse()) await clean();
});

/** Serves four objects of ten voxels along x, from a server whose `Date` is off by some milliseconds. */
async function served(skewMs = 0, { strict = false } = {}) {
  const world = buildWorld({
    labels: (x) => BigInt(1 + Math.floor(x / 10)),
    size: [40, 8, 8],
    chunkSize: [8, 8, 8],
    strict,
  });
  const server = await serveWorld(world);
  CLEANUP.push(() => server.close());
  // Replaces Node's own Date, which has whole seconds. The new one may be one or two seconds earlier.
  world.graph.faults.push({ skewMs, clock: () => Date.now() });
  const open = async (options: OpenGrapheneOptions = {}): Promise<GrapheneVolume> => {
    const volume = await openGraphene(server.cloudPath, {
      token: null,
      allowEdits: true,
      logger: { warn: () => undefined },
      ...options,
    });
    CLEANUP.push(() => volume.close());
    return volume;
  };
  const at = (x: number): GraphPoint => ({ id: world.supervoxelAt([x, 3, 3]), nm: [x + 0.5, 3.5, 3.5] });
  return { world, open, at };
}

/** The current root in the server's graph, whatever the clocks show. */
const truth = (world: Awaited<ReturnType<typeof served>>['world'], x: number): bigint => {
  const { graph } = world.graph,
    node = graph.supervoxel(world.supervoxelAt([x, 3, 3]));
  return graph.nodes.idsOf([graph.rootNow(node)])[0];
};

const SKEWS = [0, -1, -400, -999, -1500];

describe('after an edit has resolved', () => {
  test.each(
    SKEWS.flatMap((skewMs) => [
      { skewMs, strict: false },
      { skewMs, strict: true },
    ]),
  )('each look-up sees it: Date off by $skewMs ms, strict $strict', async ({ skewMs, strict }) => {
    const { world, open, at } = await served(skewMs, { strict });
    const volume = await open(),
      { graph } = volume;
    const sees = async (): Promise<void> => {
      const ids = [at(5), at(15)].map(({ id }) => id),
        roots = [truth(world, 5), truth(world, 15)];
      const [result, points, listed, latest] = await Promise.all([
        volume.roots(ids),
        volume.scatteredPoints([
          [5, 3, 3],
          [15, 3, 3],
        ]),
        graph.roots(ids),
        graph.isLatestRoots(roots),
      ]);
      expect([[...result.rootIds], [...points.rootIds], [...listed], latest]).toEqual([
        roots,
        roots,
        roots,
        [true, true],
      ]);
      expect((await volume.roots(roots, { validate: true })).status).toEqual(Uint8Array.of(1, 1));
    };
    const merge = await graph.merge(at(5), at(15));
    await sees();
    expect((await graph.undo(merge.operationId)).done).toBe(true);
    await sees();
    expect((await graph.redo(merge.operationId)).done).toBe(true);
    await sees();
    await graph.split([at(5)], [at(15)], { mincut: false });
    await sees();
    await graph.request('merge', {
      method: 'POST',
      body: [at(5), at(15)].map(({ id, nm }) => [id, ...nm]),
      as: 'bytes',
    });
    await sees();
  });

  test('every volume of the process on that graph sees it, opened before or after, and with a root cache', async () => {
    const { world, open, at } = await served(-1500);
    const [editor, other, caching] = [
      await open(),
      await open(),
      await open({ rootCache: true, settleMs: 0 }),
    ];
    const ids = [at(5).id, at(15).id];
    for (const volume of [other, caching]) await volume.roots(ids);
    await editor.graph.merge(at(5), at(15));
    const later = await open();
    for (const volume of [other, caching, later]) {
      expect([...(await volume.roots(ids)).rootIds]).toEqual([truth(world, 5), truth(world, 5)]);
      expect(volume.now().getTime()).toBeGreaterThanOrEqual(world.graph.graph.newestMs);
    }
  });

  test('no look-up uses an earlier "now", or an answer that was in flight', async () => {
    const { world, open, at } = await served();
    const volume = await open({ batchWindowMs: 1000 }),
      held = volume.now(),
      old = truth(world, 5);
    // The server reads the old state at the earlier timestamp, and its answer stays in flight until the edit
    // is done.
    let release!: () => void;
    const done = new Promise<void>((resolve) => (release = resolve));
    const handle = world.graph.handle.bind(world.graph);
    let isRead!: () => void;
    const read = new Promise<void>((resolve) => (isRead = resolve));
    jest.spyOn(world.graph, 'handle').mockImplementationOnce(async (request) => {
      const reply = await handle(request);
      isRead();
      await done;
      return reply;
    });
    const before = volume.roots([at(5).id], { timestamp: held });
    await read;
    await volume.graph.merge(at(5), at(15));
    expect(volume.now().getTime()).toBeGreaterThan(held.getTime());
    const after = volume.roots([at(5).id]);
    release();
    expect([(await before).rootIds[0], (await after).rootIds[0]]).toEqual([old, truth(world, 5)]);
  });

  test('fixed timestamps give the same answers as before', async () => {
    const { world, open, at } = await served(-1000);
    const volume = await open(),
      before = new Date(Date.now() - 60_000),
      fixed = volume.at(before);
    const old = truth(world, 5);
    await volume.graph.merge(at(5), at(15));
    const { rootIds, timestamp } = await fixed.roots([at(5).id]);
    expect([rootIds[0], timestamp]).toEqual([old, before]);
  });

  test.each([
    ['cannot be looked up', { match: /root_timestamps/, status: 500 }],
    ['have an invalid time', { match: /root_timestamps/, body: '{"timestamp":[1e300]}' }],
    ['get no reply', { match: /root_timestamps/, reset: true as const }],
  ])('each look-up sees it even if the timestamps of its roots %s', async (_how, fault) => {
    const { world, open, at } = await served(-900);
    const volume = await open({ retries: 0 });
    world.graph.faults.unshift(fault);
    await volume.graph.merge(at(5), at(15));
    expect((await volume.roots([at(5).id])).rootIds[0]).toBe(truth(world, 5));
  });

  test('each look-up sees it even if the caller aborted before its timestamp was known', async () => {
    const { world, open, at } = await served();
    const volume = await open(),
      abort = new AbortController();
    const match = ({ path }: { path: string }): boolean => {
      if (!path.endsWith('/root_timestamps')) return false;
      abort.abort();
      return true;
    };
    world.graph.faults.unshift({ match, stall: true });
    expect((await volume.graph.merge(at(5), at(15), { signal: abort.signal })).newRoots).toEqual(
      BigUint64Array.of(truth(world, 5)),
    );
    expect((await volume.roots([at(5).id])).rootIds[0]).toBe(truth(world, 5));
  });

  test('each look-up sees it even if its outcome was uncertain', async () => {
    const { world, open, at } = await served(-900);
    const volume = await open();
    world.graph.faults.unshift({ match: /\/merge$/, truncate: 3 });
    await expect(volume.graph.merge(at(5), at(15))).rejects.toMatchObject({ code: 'EDIT_UNCERTAIN' });
    expect((await volume.roots([at(5), at(15)].map(({ id }) => id))).rootIds).toEqual(
      BigUint64Array.of(truth(world, 5), truth(world, 15)),
    );
    expect(truth(world, 5)).toBe(truth(world, 15));
  });
});

describe('now', () => {
  test('does not go back with the local clock, nor with the Date of the server', async () => {
    const { world, open, at } = await served(0);
    const volume = await open(),
      timestamps: number[] = [];
    const lookUp = async (): Promise<void> =>
      void timestamps.push((await volume.roots([at(5).id])).timestamp.getTime());
    await lookUp();
    const wall = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => wall() - 200_000);
    await lookUp();
    world.graph.faults.splice(0, Infinity, { skewMs: -250_000, clock: wall });
    await lookUp();
    await lookUp();
    await volume.graph.merge(at(5), at(15));
    await lookUp();
    expect(timestamps).toEqual([...timestamps].sort((a, b) => a - b));
    expect((await volume.roots([at(5).id])).rootIds[0]).toBe(truth(world, 5));
  });

  const YEAR = 365 * 86_400_000;
  test.each([
    ['local', -YEAR, 0],
    ['local', YEAR, 0],
    ['server', 0, -YEAR],
    ['server', 0, YEAR],
  ])(
    'is never a year ago: the %s clock %d, off by %d ms; one warning names both',
    async (_whose, local, server) => {
      const { world, open, at } = await served(server);
      const wall = Date.now.bind(Date),
        warnings: string[] = [];
      world.graph.merge([at(5).id, at(15).id], { at: new Date(wall() - YEAR / 2).toISOString() });
      jest.spyOn(Date, 'now').mockImplementation(() => wall() + local);
      world.graph.faults.splice(0, Infinity, { skewMs: server, clock: wall });
      const volume = await open({ logger: { warn: (message) => warnings.push(message) } });
      const { rootIds, settled } = await volume.roots([at(5).id, at(15).id]);
      await volume.roots([at(5).id]);
      expect([[...rootIds], settled]).toEqual([[truth(world, 5), truth(world, 5)], false]);
      const years = [local, server].map((skew) => new Date(wall() + skew).toISOString().slice(0, 10));
      expect(warnings).toHaveLength(1);
      for (const day of years) expect(warnings[0]).toContain(day);
    },
  );
});
