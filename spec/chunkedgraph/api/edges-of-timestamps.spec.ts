/** Edits in successive milliseconds: which roots are current when, to the millisecond, on servers that include their timestamp and on others. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { openGraphene, type GrapheneVolume, type OpenGrapheneOptions } from '../../../lib/index.ts';
import { buildWorld, serveWorld } from '../../../mocks/index.ts';

const CLEANUP: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of CLEANUP.splice(0).reverse()) await clean();
});

const T = Date.parse('2024-06-05T10:10:00.123Z'),
  LAST = '9999-12-31T23:59:59.999Z';
const iso = (ms: number): string => new Date(ms).toISOString();

/** Three objects. One and two are merged at T, and the result and three a millisecond later. */
async function served(strict: boolean) {
  const world = buildWorld({
    labels: (x) => BigInt(1 + Math.floor(x / 8)),
    size: [24, 8, 8],
    chunkSize: [8, 8, 8],
    strict,
    edits: [
      {
        timestamp: iso(T),
        merge: [
          [3, 3, 3],
          [11, 3, 3],
        ],
      },
      {
        timestamp: iso(T + 1),
        merge: [
          [3, 3, 3],
          [19, 3, 3],
        ],
      },
    ],
  });
  const server = await serveWorld(world);
  CLEANUP.push(() => server.close());
  const open = async (options?: OpenGrapheneOptions): Promise<GrapheneVolume> => {
    const volume = await openGraphene(server.cloudPath, { token: null, ...options });
    CLEANUP.push(() => volume.close());
    return volume;
  };
  const { graph } = world.graph;
  const node = (x: number): number => graph.supervoxel(world.supervoxelAt([x, 3, 3]));
  const rootAt = (x: number, ms: number): bigint =>
    graph.nodes.idsOf([graph.ancestorAt(node(x), graph.layout.layers, ms)])[0];
  const [base, third, second, last] = [rootAt(3, T - 1), rootAt(19, T - 1), rootAt(3, T), rootAt(3, T + 1)];
  const lives = new Map([
    [base, [-Infinity, T - 1]],
    [third, [-Infinity, T]],
    [second, [T, T]],
    [last, [T + 1, Infinity]],
  ]);
  return {
    world,
    open,
    roots: [...lives.keys()],
    lives,
    supervoxels: [3, 19].map((x) => world.supervoxelAt([x, 3, 3])),
    rootAt,
  };
}

const TIMESTAMPS = [-2, -1, 0, 1, 2].map((offset) => T + offset);

describe.each([false, true])('strict %s', (strict) => {
  test.each(TIMESTAMPS.map((ms) => [iso(ms), ms] as const))(
    'tells which IDs are roots at %s, in a newly opened volume',
    async (_text, ms) => {
      const { open, roots, lives } = await served(strict);
      const isCurrent = roots.map((root) => lives.get(root)![0] <= ms && ms <= lives.get(root)![1]),
        timestamp = new Date(ms);
      // All at once, in reverse order, and one alone: the check of the server must not depend on the order.
      expect(await (await open()).graph.isLatestRoots(roots, { timestamp })).toEqual(isCurrent);
      expect(await (await open()).graph.isLatestRoots([...roots].reverse(), { timestamp })).toEqual(
        [...isCurrent].reverse(),
      );
      for (const [k, root] of [...roots.entries()].slice(2))
        expect(await (await open()).graph.isLatestRoots([root], { timestamp })).toEqual([isCurrent[k]]);
      const { status } = await (await open()).roots(roots, { timestamp, validate: true });
      expect([...status]).toEqual(isCurrent.map((is) => (is ? 1 : 7)));
    },
  );

  test.each(TIMESTAMPS.map((ms) => [iso(ms), ms] as const))(
    'tells until when each was a root, at %s',
    async (_text, ms) => {
      const { open, roots, lives } = await served(strict);
      const { graph } = await open(),
        timestamp = new Date(ms);
      for (const root of roots) {
        const [from, to] = lives.get(root)!,
          answer = graph.rootTimestamps([root], { latest: true, timestamp });
        if (from <= ms) expect(await answer).toEqual([new Date(Math.min(to, ms))]);
        else
          await expect(answer).rejects.toMatchObject({
            code: 'UNKNOWN_ID',
            message: expect.stringContaining(`${root} has been a root since ${iso(from)}`) as unknown,
          });
      }
    },
  );

  test('gives the same answers from a root cache that knows the roots', async () => {
    const { open, supervoxels, rootAt } = await served(strict);
    for (const ms of TIMESTAMPS) {
      const volume = await open({ rootCache: true });
      await volume.roots(supervoxels, { timestamp: new Date(T - 1000) });
      await volume.roots(supervoxels, { timestamp: new Date(T) });
      const { rootIds } = await volume.roots(supervoxels, { timestamp: new Date(ms) });
      expect([ms - T, ...rootIds]).toEqual([ms - T, rootAt(3, ms), rootAt(19, ms)]);
    }
  });

  test('checks once which kind of server it is', async () => {
    const { world, open, roots } = await served(strict);
    const { graph } = await open();
    await graph.isLatestRoots(roots, { timestamp: new Date(T) });
    const before = world.graph.log.requests.length;
    for (const ms of TIMESTAMPS) await graph.isLatestRoots(roots, { timestamp: new Date(ms) });
    expect(world.graph.log.requests.length - before).toBe(TIMESTAMPS.length);
  });

  test('gives the answers of now at the last timestamp', async () => {
    const { open, roots } = await served(strict);
    const volume = await open({ logger: { warn: () => undefined } }),
      { graph } = volume,
      now = [false, false, false, true],
      [last] = roots.slice(-1);
    expect(await graph.isLatestRoots(roots, { timestamp: LAST })).toEqual(now);
    expect([...(await graph.latestRoots(roots[0], { timestamp: LAST }))]).toEqual([last]);
    expect(await graph.rootTimestamps([last], { latest: true, timestamp: LAST })).toEqual([new Date(LAST)]);
    const { oldRoots, newRoots } = await graph.deltaRoots({ from: new Date(T - 1), to: LAST });
    expect([oldRoots.length, [...newRoots]]).toEqual([3, [last]]);
    expect((await volume.roots(roots, { timestamp: LAST, validate: true })).status).toEqual(
      Uint8Array.of(7, 7, 7, 1),
    );
  });
});

test('a server that does not tell when roots were made counts as one that excludes its timestamp, like all known servers', async () => {
  const { world, open, roots } = await served(false);
  world.graph.faults.push({ match: /root_timestamps/, status: 404 });
  expect(await (await open()).graph.isLatestRoots(roots, { timestamp: new Date(T) })).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
