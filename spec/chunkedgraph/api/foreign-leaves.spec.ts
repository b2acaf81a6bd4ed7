/** Leaves that the server lists below a root that they are not part of, as PyChunkedGraph does after the undo of a merge. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openGraphene, type GrapheneVolume } from '../../../lib/index.ts';
import {
  createMockChunkedGraph,
  serveMocks,
  type MockChunkedGraph,
  type ServedMocks,
} from '../../../mocks/index.ts';
import { epochs, pcgGraph, supervoxels } from '../../../testing/pcg-graph.ts';

const TEXT = new TextDecoder(),
  BYTES = new TextEncoder();
const rootsIn = (epoch: number): bigint[] => epochs[epoch].root.map(BigInt);
/** An object that no edit changes, and roots of one that the edits change. */
const [first, second] = [rootsIn(0), rootsIn(1)];
const replaced = first.find((root) => !second.includes(root))!,
  pair = rootsIn(9).find(
    (root) => first.includes(root) && rootsIn(9).filter((one) => one === root).length === 2,
  )!;
const of = (root: bigint, epoch: number): bigint[] =>
  [...supervoxels].filter((_id, k) => rootsIn(epoch)[k] === root);
const made = rootsIn(9).find((root) => !rootsIn(8).includes(root))!;

let mock: MockChunkedGraph, served: ServedMocks, volume: GrapheneVolume;
beforeEach(async () => {
  mock = createMockChunkedGraph(pcgGraph);
  served = await serveMocks({ '/segmentation': mock });
  volume = await openGraphene(`graphene://${served.url}/segmentation/table/${pcgGraph.table}`, {
    token: null,
    dataDir: 'mem://own-leaves/none',
  });
  listBelow([replaced, made]);
});
afterEach(async () => {
  await volume.close();
  await served.close();
});

/** Makes the server list the pair below these roots. */
function listBelow(roots: bigint[]): void {
  const handle = mock.handle.bind(mock);
  mock.handle = async (request) => {
    const reply = await handle(request);
    if (!/\/(leaves|leaves_many)$/.test(request.path) || reply.status !== 200) return reply;
    const foreign = request.query.get('stop_layer') === '2' ? l2Of(of(pair, 9)) : of(pair, 9);
    const text = TEXT.decode(reply.body).replace(
      /"(leaf_ids|\d+)":\[([^\]]*)\]/g,
      (all, key: string, list: string) => {
        const root = key === 'leaf_ids' ? /node\/(\d+)\//.exec(request.path)![1] : key;
        return roots.includes(BigInt(root))
          ? `"${key}":[${[...(list === '' ? [] : [list]), ...foreign].join()}]`
          : all;
      },
    );
    return { ...reply, body: BYTES.encode(text) };
  };
}
const l2Of = (ids: bigint[]): bigint[] => [
  ...new Set(ids.map((id) => BigInt(epochs[9].l2[supervoxels.indexOf(id)]))),
];
const sorted = (ids: Iterable<bigint>): bigint[] => [...ids].sort((a, b) => (a < b ? -1 : 1));

describe('foreign leaves', () => {
  test.each([
    [replaced, 0],
    [made, 9],
    [pair, 9],
  ])('are left out with verify, for root %p', async (root, epoch) => {
    const own = sorted(of(root, epoch)),
      isSpoilt = root !== pair;
    expect(sorted(await volume.graph.leaves(root))).toEqual(
      isSpoilt ? sorted([...own, ...of(pair, 9)]) : own,
    );
    expect(sorted(await volume.graph.leaves(root, { verify: true }))).toEqual(own);
    expect(sorted((await volume.graph.leavesMany([root], { verify: true })).get(root)!)).toEqual(own);
    const l2 = await volume.graph.leaves(root, { verify: true, stopLayer: 2 });
    expect(sorted(l2)).toEqual(
      sorted(new Set(own.map((id) => BigInt(epochs[epoch].l2[supervoxels.indexOf(id)])))),
    );
  });

  test('are left out for many nodes of several timestamps', async () => {
    const many = await volume.graph.leavesMany([replaced, made, pair], { verify: true });
    expect([...many].map(([root, list]) => [root, sorted(list)])).toEqual([
      [replaced, sorted(of(replaced, 0))],
      [made, sorted(of(made, 9))],
      [pair, sorted(of(pair, 9))],
    ]);
  });

  test.each(['level2', 'supervoxels'] as const)('have no vote, by %s', async (by) => {
    const { suggestions } = await volume.graph.suggestLatestRoots(replaced, { by });
    const heirs = new Set(of(replaced, 0).map((id) => rootsIn(9)[supervoxels.indexOf(id)]));
    expect(sorted(suggestions.map(({ root }) => root))).toEqual(sorted(heirs));
    expect(suggestions.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1, 9);
  });

  test('do not count for a cover of an object', async () => {
    const timestamp = new Date(epochs[9].timestamp * 1000 + 1);
    expect([...(await volume.graph.minimalCoveringNodes(of(made, 9), { timestamp }))]).toEqual([made]);
  });

  test('need verify to be true or false', async () => {
    await expect(volume.graph.leaves(made, { verify: 1 as unknown as boolean })).rejects.toThrow(
      new TypeError('verify is true or false, not 1'),
    );
  });

  test('cost no request for nodes without leaves', async () => {
    mock.log.clear();
    expect(
      (await volume.graph.leavesMany([supervoxels[0]], { verify: true, stopLayer: 2 })).get(supervoxels[0]),
    ).toHaveLength(0);
    expect(mock.log.count('root_timestamps')).toBe(0);
  });
});

/**
 * A layer-2 node that the undo of a merge replaced. Its supervoxels belong to the pair, which has other nodes now. But the server still
 * lists the node below another object, and gives that object's root for it (observed of PyChunkedGraph 2.21.1).
 */
describe('a replaced layer-2 node for which the server gives a current root', () => {
  const own = l2Of(of(pair, 9))[0],
    stale = own + 500n;
  const swapped = (body: Uint8Array, from: bigint, to: bigint): Uint8Array =>
    BYTES.encode(TEXT.decode(body).replaceAll(String(from), String(to)));

  beforeEach(() => {
    const handle = mock.handle.bind(mock);
    mock.handle = async (request) => {
      if (/roots_binary$/.test(request.path)) {
        const ids = new BigUint64Array(Uint8Array.from(request.body).buffer);
        const body = new Uint8Array(ids.map((id) => (id === stale ? of(made, 9)[0] : id)).buffer);
        return handle({ ...request, body });
      }
      const isLeaves = /\/leaves_many$/.test(request.path),
        below = isLeaves && request.query.get('stop_layer') !== '2';
      const reply = await handle(below ? { ...request, body: swapped(request.body, stale, own) } : request);
      if (below && TEXT.decode(request.body).includes(String(stale)))
        return { ...reply, body: swapped(reply.body, own, stale) };
      return /leaves/.test(request.path) ? { ...reply, body: swapped(reply.body, own, stale) } : reply;
    };
  });
  const l2s = (): bigint[] => sorted(new Set(l2Of(of(made, 9))));

  test('is left out with verify', async () => {
    expect(sorted(await volume.graph.leaves(made, { stopLayer: 2 }))).toEqual(sorted([...l2s(), stale]));
    expect(sorted(await volume.graph.leaves(made, { stopLayer: 2, verify: true }))).toEqual(l2s());
    const many = await volume.graph.leavesMany([made], { stopLayer: 2, verify: true });
    expect(sorted(many.get(made)!)).toEqual(l2s());
  });

  test('votes by its supervoxels', async () => {
    expect(await volume.graph.suggestLatestRoots(stale)).toEqual({
      root: stale,
      changed: true,
      suggestions: [{ root: pair, confidence: 1 }],
    });
  });

  test('does not keep an object from being covered, and covers nothing itself', async () => {
    const timestamp = new Date(epochs[9].timestamp * 1000 + 1);
    expect([...(await volume.graph.minimalCoveringNodes(l2s(), { timestamp }))]).toEqual([made]);
    await expect(volume.graph.minimalCoveringNodes([...l2s(), stale], { timestamp })).rejects.toMatchObject({
      code: 'UNKNOWN_ID',
      message: expect.stringContaining(`${stale} was replaced by`) as unknown,
    });
  });
});
