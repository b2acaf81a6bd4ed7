/** Calls that combine several answers, on a mocked server with the recorded graph and its history. The graph tells what is right. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openGraphene, type ChunkedGraph, type GraphPoint } from '../../../lib/index.ts';
import { PointStatus } from '../../../lib/points/status.ts';
import { createMockChunkedGraph, serveMocks, type ServedMocks } from '../../../mocks/index.ts';
import { epochs, pcgGraph, supervoxels } from '../../../testing/pcg-graph.ts';
import { graphOf } from './replayed-graph.ts';
import { rounds } from '../../support/rounds.ts';

const mock = createMockChunkedGraph({ ...pcgGraph, clock: () => Date.parse('2026-11-22T12:00:00Z') });
let served: ServedMocks, volume: Awaited<ReturnType<typeof openGraphene>>, graph: ChunkedGraph;
beforeAll(async () => {
  served = await serveMocks({ '/segmentation': mock });
  volume = await openGraphene(`graphene://${served.url}/segmentation/table/${pcgGraph.table}`, {
    token: null,
    dataDir: 'mem://across-time/none',
  });
  graph = volume.graph;
});
afterAll(async () => {
  await volume.close();
  await served.close();
});

const ms = epochs.map(({ timestamp }) => Math.round(timestamp * 1000));
const roots = epochs.map(({ root }) => root.map(BigInt));
const sorted = (ids: Iterable<bigint>): bigint[] => [...new Set(ids)].sort((a, b) => (a < b ? -1 : 1));
const ever = sorted(roots.flat()),
  touched = ever.filter((root) => !roots.every((list) => list.includes(root)));
const madeAt = (root: bigint): number => roots.findIndex((list) => list.includes(root));
const of = (root: bigint, epoch = madeAt(root)): bigint[] =>
  [...supervoxels].filter((_id, k) => roots[epoch][k] === root);
const steps = roots.slice(1).map((list, k) => {
  const changed = list.map((_root, n) => n).filter((n) => list[n] !== roots[k][n]);
  return { before: sorted(changed.map((n) => roots[k][n])), after: sorted(changed.map((n) => list[n])) };
});

/** The roots of an epoch that a root became, or was made from. */
function related(root: bigint, epoch: number): bigint[] {
  const forward = madeAt(root) <= epoch,
    seen = new Set([root]);
  for (const node of seen)
    for (const { before, after } of steps)
      if ((forward ? before : after).includes(node))
        for (const next of forward ? after : before) seen.add(next);
  return sorted(seen).filter((id) => roots[epoch].includes(id));
}

const timestamps = ms.flatMap((at, epoch) => [
  [epoch, at],
  ...(epoch > 0 && at - 1 >= ms[epoch - 1] ? [[epoch - 1, at - 1]] : []),
]) as [epoch: number, at: number][];
/** `npm test` tries every second one, `npm run fuzz` tries all. */
const triedTimestamps = timestamps.filter((_timestamp, k) => rounds(1) > 1 || k % 2 === 0);

describe('across time', () => {
  test.each(triedTimestamps)(
    'epoch %d at %d: latestRoots, isLatestRoots, pastIdMapping, deltaRoots',
    async (epoch, at) => {
      const timestamp = new Date(at),
        found = await graph.latestRoots(touched, { timestamp });
      for (const root of touched)
        expect([root, ...found.get(root)!]).toEqual([root, ...related(root, epoch)]);
      expect(await graph.isLatestRoots(ever, { timestamp })).toEqual(
        ever.map((root) => roots[epoch].includes(root)),
      );
      for (const [other, to] of timestamps.filter(
        ([, to], k) => to >= at && (to <= ms[epoch + 1] || k === timestamps.length - 1),
      )) {
        const { oldRoots, newRoots } = await graph.deltaRoots({ from: timestamp, to: new Date(to) });
        expect([[...oldRoots], [...newRoots]]).toEqual([
          sorted(roots[epoch]).filter((id) => !roots[other].includes(id)),
          sorted(roots[other]).filter((id) => !roots[epoch].includes(id)),
        ]);
      }
    },
  );

  test('pastIdMapping of two roots combines the mappings of each, also if one was made from the other', async () => {
    const timestampPast = new Date(ms[0]),
      edited = touched.filter((root) => madeAt(root) > 0);
    for (const older of touched)
      for (const newer of edited.filter((root) => madeAt(root) > madeAt(older))) {
        const { past } = await graph.pastIdMapping([older, newer], { timestampPast });
        expect([older, newer, ...sorted(past.get(newer)!)]).toEqual([older, newer, ...related(newer, 0)]);
      }
  });

  test('deltaRoots accepts its timestamps in any order', async () => {
    for (const [later, from] of timestamps.filter((_timestamp, k) => k % 3 === 0))
      for (const earlier of [0, later >> 1]) {
        const { oldRoots, newRoots } = await graph.deltaRoots({
          from: new Date(from),
          to: new Date(ms[earlier]),
        });
        expect([[...oldRoots], [...newRoots]]).toEqual([
          sorted(roots[later]).filter((id) => !roots[earlier].includes(id)),
          sorted(roots[earlier]).filter((id) => !roots[later].includes(id)),
        ]);
      }
    await expect(
      graph.deltaRoots({ from: new Date(ms[2]), to: new Date(ms[1]), raw: true }),
    ).rejects.toMatchObject({ name: 'TimestampError' });
  });

  test('deltaRoots never omits the roots that the graph began with', async () => {
    const before = new Date(ms[0] - 1),
      base = new Date(ms[0]),
      none = { oldRoots: new BigUint64Array(0), newRoots: new BigUint64Array(0) };
    for (const to of [base, new Date(ms[1] - 1), new Date(ms[1]), new Date(ms[9])])
      for (const window of [
        { from: before, to },
        { from: to, to: before },
      ])
        await expect(graph.deltaRoots(window)).rejects.toMatchObject({
          name: 'TimestampError',
          message: expect.stringContaining('2020-01-01T00:00:00.000Z, when the graph was made') as unknown,
        });
    expect(await graph.deltaRoots({ from: new Date(0), to: before })).toEqual(none);
    expect(await graph.deltaRoots({ from: base, to: new Date(ms[1] - 1) })).toEqual(none);
  });

  test('deltaRoots works on a graph without edits', async () => {
    const none = { oldRoots: new BigUint64Array(0), newRoots: new BigUint64Array(0) };
    await using other = await serveMocks({
      '/segmentation': createMockChunkedGraph({ ...pcgGraph, edits: [], epochs: undefined }),
    });
    const opened = await openGraphene(`graphene://${other.url}/segmentation/table/${pcgGraph.table}`, {
      token: null,
      dataDir: 'mem://across-time/none',
    });
    try {
      expect(await opened.graph.deltaRoots({ from: new Date(ms[0]) })).toEqual(none);
      expect(await opened.graph.deltaRoots({ from: new Date(0), to: new Date(ms[0] - 1) })).toEqual(none);
      await expect(opened.graph.deltaRoots({ from: new Date(ms[0] - 1) })).rejects.toMatchObject({
        name: 'TimestampError',
      });
    } finally {
      await opened.close();
    }
  });

  test('lineageGraph of several roots combines the graphs of each', async () => {
    const show = ({
      nodes,
      links,
    }: {
      nodes: { id: bigint; operationId?: number }[];
      links: { source: bigint; target: bigint }[];
    }) => [
      nodes.map(({ id, operationId }) => `${id} ${operationId}`),
      links.map(({ source, target }) => `${source}>${target}`),
    ];
    const windows = [
      {},
      { from: new Date(ms[2]) },
      { to: new Date(ms[5]) },
      { from: new Date(ms[3]), to: new Date(ms[4]) },
    ];
    const together = (lists: string[][][]): string[][] =>
      [0, 1].map((part) => [...new Set(lists.flatMap((list) => list[part]))].sort());
    for (const window of windows) {
      const alone = new Map<bigint, string[][]>();
      for (const root of touched) alone.set(root, show(await graph.lineageGraph(root, window)));
      for (let k = 0; k < touched.length; k += 4) {
        const requested = touched.filter((_root, n) => n === k || (n * 7 + k) % 5 === 0),
          found = show(await graph.lineageGraph(requested, window));
        expect(found.map((part) => part.sort())).toEqual(together(requested.map((root) => alone.get(root)!)));
      }
    }
    const kept = (id: bigint): Set<bigint> =>
      new Set([0, epochs.length - 1].flatMap((epoch) => related(id, epoch)));
    for (const root of touched)
      for (const id of kept(root))
        expect(show(await graph.lineageGraph(root))[0].map((text) => text.split(' ')[0])).toContain(
          String(id),
        );
  });

  test.each(triedTimestamps)('epoch %d at %d: suggestLatestRoots', async (epoch, at) => {
    for (const by of ['supervoxels', 'level2'] as const)
      for (const { root, suggestions, changed } of await graph.suggestLatestRoots(touched, {
        timestamp: new Date(at),
        by,
      })) {
        const voters = of(root),
          l2 = new Map<string, bigint[]>(),
          share = new Map<bigint, number>();
        for (const id of voters) {
          const group = by === 'level2' ? epochs[madeAt(root)].l2[supervoxels.indexOf(id)] : String(id);
          l2.set(group, [...(l2.get(group) ?? []), id]);
        }
        for (const group of l2.values())
          for (const id of group)
            share.set(
              roots[epoch][supervoxels.indexOf(id)],
              (share.get(roots[epoch][supervoxels.indexOf(id)]) ?? 0) + 1 / group.length / l2.size,
            );
        expect(changed).toBe(!roots[epoch].includes(root));
        expect(suggestions.map(({ root }) => root).sort()).toEqual([...share.keys()].sort());
        for (const { root, confidence } of suggestions) expect(confidence).toBeCloseTo(share.get(root)!, 9);
        // a ratio of counts, not a sum of shares
        if (suggestions.length === 1) expect(suggestions[0].confidence).toBe(1);
        expect(suggestions.map(({ confidence }) => confidence)).toEqual(
          suggestions.map(({ confidence }) => confidence).sort((a, b) => b - a),
        );
      }
  });

  test.each(timestamps.filter((_timestamp, k) => k % 2 === 0))(
    'epoch %d at %d: IDs below the root layer, also replaced ones',
    async (epoch, at) => {
      const timestamp = new Date(at),
        place = new Map(Array.from(supervoxels, (id, k) => [id, k]));
      // Every node that ever existed, with its supervoxels and the epochs in which it was current.
      const members = new Map<bigint, number[]>(),
        stood = new Map<bigint, Set<number>>();
      for (const [k, { l2, l3 }] of epochs.entries())
        for (const list of [l2, l3]) {
          const inEpoch = new Map<bigint, number[]>();
          for (const [n, text] of list.entries())
            if (BigInt(text) >> 56n < 4n)
              inEpoch.set(BigInt(text), [...(inEpoch.get(BigInt(text)) ?? []), n]);
          for (const [node, ns] of inEpoch)
            members.set(node, ns) && stood.set(node, (stood.get(node) ?? new Set()).add(k));
        }
      const nodes = [...members.keys()].filter(
          (node, n) => stood.get(node)!.size < epochs.length || n % 31 === 0,
        ),
        some = [...supervoxels].filter((_id, n) => n % 43 === 0);
      const rootOf = (node: bigint): bigint =>
        stood.get(node)!.has(epoch) ? roots[epoch][members.get(node)![0]] : 0n;
      expect([...(await graph.roots(nodes, { timestamp }))]).toEqual(nodes.map(rootOf));
      expect([...(await volume.roots(nodes, { timestamp, validate: true })).status]).toEqual(
        nodes.map((node) => (rootOf(node) === 0n ? PointStatus.noRoot : PointStatus.ok)),
      );
      expect(await graph.isLatestRoots([...nodes, ...some], { timestamp })).toEqual(
        [...nodes, ...some].map(() => false),
      );
      const heldBy = new Map(
        [...nodes, ...some].map((id) => [
          id,
          sorted((members.get(id) ?? [place.get(id)!]).map((n) => roots[epoch][n])),
        ]),
      );
      const latest = await graph.latestRoots([...nodes, ...some, touched[0]], { timestamp });
      for (const [id, held] of heldBy) expect([id, ...latest.get(id)!]).toEqual([id, ...held]);
      expect([...latest.get(touched[0])!]).toEqual(related(touched[0], epoch));
      for (const by of ['supervoxels', 'level2'] as const)
        for (const { root: id, suggestions, changed } of await graph.suggestLatestRoots([...nodes, ...some], {
          timestamp,
          by,
        }))
          expect([id, changed, ...sorted(suggestions.map(({ root }) => root))]).toEqual([
            id,
            true,
            ...heldBy.get(id)!,
          ]);
      await expect(
        graph.root(nodes.find((node) => rootOf(node) === 0n) ?? 77n, { timestamp }),
      ).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
    },
  );

  test.each([
    ['a supervoxel', supervoxels[0]],
    ['a layer-2 node', BigInt(epochs[0].l2[0])],
    ['a layer-3 node', BigInt(epochs[0].l3[0])],
    ['an operation', 3n],
  ])('%s has no history', async (_name, id) => {
    const calls = [
      graph.lineageGraph(id),
      graph.lineageGraph([touched[0], id]),
      graph.originalRoots(id),
      graph.lastEdit(id),
      graph.rootTimestamps([id], { latest: true }),
    ];
    for (const call of calls)
      await expect(call).rejects.toMatchObject({
        name: 'GraphError',
        code: 'UNKNOWN_ID',
        message: expect.stringContaining(String(id)) as unknown,
      });
  });

  test('originalRoots gives the first roots, or those at a timestamp; for one root and many', async () => {
    const found = await graph.originalRoots(touched);
    for (const root of touched)
      expect([...found.get(root)!]).toEqual(madeAt(root) === 0 ? [root] : related(root, 0));
    const last = touched.find((root) => madeAt(root) === 6)!;
    expect([...(await graph.originalRoots(last, { timestamp: new Date(ms[2]) }))]).toEqual(related(last, 2));
  });

  test('mergeLog has the merges of a history with an undo; lastEdit is the creation of a root', async () => {
    const root = touched.find((one) => madeAt(one) === 6)!;
    expect((await graph.mergeLog(root)).map(({ operationId }) => operationId)).toEqual([1, 2, 5]);
    expect(await graph.lastEdit(root)).toEqual(new Date(ms[6]));
    expect(await graph.lastEdit(ever.find((one) => madeAt(one) === 0)!)).toBeUndefined();
  });

  test('minimalCoveringNodes finds whole objects, which the server loses', async () => {
    const whole = touched.find((root) => madeAt(root) === 6)!,
      single = roots[9][511],
      part = of(touched.find((root) => madeAt(root) === 9)!).slice(0, 1);
    const cover = await graph.minimalCoveringNodes([...of(whole), ...of(single, 9), ...part]);
    expect([...cover]).toEqual(sorted([whole, single, ...part]));
    expect([...(await graph.minimalCoveringNodes([whole]))]).toEqual([whole]);
    expect([...(await graph.minimalCoveringNodes([]))]).toEqual([]);
    await expect(
      graph.minimalCoveringNodes([touched[0]], {
        timestamp: madeAt(touched[0]) === 0 ? new Date(ms[9]) : new Date(ms[0]),
      }),
    ).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });

  test('the graph of a volume at a timestamp uses that timestamp', async () => {
    const then = volume.at(new Date(ms[3])).graph;
    expect(await then.isLatestRoots(ever)).toEqual(ever.map((root) => roots[3].includes(root)));
    expect([...(await then.roots(supervoxels))]).toEqual(roots[3]);
    expect(then).toMatchObject({
      table: pcgGraph.table,
      nLayers: 4,
      chunkSize: [32, 32, 32],
      cvMip: 0,
      fanOut: 2,
    });
  });

  test('a volume edits only if it was opened with allowEdits', async () => {
    const point: GraphPoint = { id: supervoxels[0], nm: [64, 64, 320] };
    await expect(graph.merge(point, point)).rejects.toMatchObject({ code: 'EDITS_NOT_ALLOWED' });
    await expect(
      openGraphene('graphene://https://h/segmentation/table/t', { allowEdits: 'yes' as unknown as boolean }),
    ).rejects.toThrow('allowEdits is true or false');
  });
});

/** The server gives nodes that share parts wrong leaves. */
describe('leavesMany', () => {
  const life: Record<string, [made: number, last: number]> = {
    1: [0, 10],
    2: [11, 99],
    3: [5, 20],
    4: [12, 15],
    5: [0, 99],
  };
  const root = (n: bigint): bigint => (4n << 56n) | n;
  test('requests roots of one timestamp together, and other roots separately', async () => {
    const { graph: replayed, requested } = graphOf(({ url, body }) => {
      const ids = [
        ...Buffer.from(body!)
          .toString()
          .matchAll(/\d{5,}/g),
      ].map(([id]) => BigInt(id));
      if (!String(url).includes('root_timestamps'))
        return {
          body: JSON.stringify(Object.fromEntries(ids.map((id) => [String(id), [Number(id & 255n)]]))),
        };
      const latest = String(url).includes('latest');
      return {
        body: JSON.stringify({ timestamp: ids.map((id) => life[Number(id & 255n)][latest ? 1 : 0]) }),
      };
    });
    const nodes = [1n, 2n, 3n, 4n, 5n].map(root),
      lower = [(2n << 56n) | 300000n, (2n << 56n) | 300001n, (3n << 56n) | 7n, (3n << 56n) | 8n];
    const found = await replayed.leavesMany([...nodes, ...lower]);
    expect([...found.keys()].sort()).toEqual([...nodes, ...lower].sort());
    const groups = requested
      .filter(({ url }) => String(url).includes('leaves_many'))
      .map(({ body }) =>
        [
          ...Buffer.from(body!)
            .toString()
            .matchAll(/\d{5,}/g),
        ].map(([id]) => BigInt(id)),
      );
    expect(
      groups
        .map((group) =>
          group
            .map((id) => `${id >> 56n}/${id & 0xffffffn}`)
            .sort()
            .join(' '),
        )
        .sort(),
    ).toEqual(['2/300000 2/300001', '3/7', '3/8', '4/1', '4/2 4/3 4/4 4/5'].sort());
  });
});
