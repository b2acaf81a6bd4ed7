import { describe, expect, test } from '@jest/globals';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import {
  createMockChunkedGraph,
  mockRequest,
  type GraphEdit,
  type MockChunkedGraph,
  type MockChunkedGraphOptions,
} from '../../mocks/index.ts';

const LAYERS = 5;
const info = {
  graph: {
    chunk_size: [64, 64, 32],
    n_layers: LAYERS,
    n_bits_for_layer_id: 8,
    spatial_bit_masks: { 1: 10, 2: 10, 3: 9, 4: 8, 5: 7 },
  },
};
/** Supervoxel `segment` of graph chunk x, 0, 0. */
const sv = (x: number, segment: number): bigint => (1n << 56n) | (BigInt(x) << 46n) | BigInt(segment);
const root = (segment: number): bigint => (5n << 56n) | BigInt(segment);

async function send(graph: MockChunkedGraph, ids: bigint[], query = ''): Promise<bigint[]> {
  const { status, body } = await graph.handle(
    mockRequest('POST', `/segmentation/api/v1/table/mock/roots_binary${query}`, {
      body: bytesOf(BigUint64Array.from(ids)),
    }),
  );
  expect(status).toBe(200);
  return [...idsFromBytes(body)];
}

describe('a graph from a table of roots', () => {
  const [a, b, c, d] = [sv(0, 1), sv(0, 2), sv(1, 1), sv(4, 7)];
  const table = {
    [String(a)]: root(9),
    [String(b)]: root(9),
    [String(c)]: root(9),
    [String(d)]: String(root(4)),
  };
  const withEdits = (...edits: GraphEdit[]): MockChunkedGraph =>
    createMockChunkedGraph({ info, supervoxel_to_root: table, base_timestamp: 1000, edits });

  test('answers with the table', async () =>
    expect(await send(withEdits(), [d, a, b, c, a])).toEqual([root(4), root(9), root(9), root(9), root(9)]));

  test('has one layer-2 node per root and graph chunk, also where higher layers are skipped', async () => {
    const graph = withEdits();
    expect(await send(graph, [a, b, c, d], '?stop_layer=2')).toEqual([
      (2n << 56n) | 1n,
      (2n << 56n) | 1n,
      (2n << 56n) | (1n << 46n) | 1n,
      (2n << 56n) | (4n << 46n) | 1n,
    ]);
    expect(await send(graph, [a, c, d], '?stop_layer=3')).toEqual([
      (3n << 56n) | 1n,
      (3n << 56n) | 1n,
      root(4),
    ]);
    expect(await send(graph, [a, c, d], '?stop_layer=4')).toEqual([root(9), root(9), root(4)]);
  });

  test('merges at the edit’s timestamp, inclusive, with the next ID for the new root', async () => {
    const graph = withEdits({ timestamp: '2024-06-05T10:10:01.203', merge: [a, d] });
    expect(await send(graph, [a, b, c, d], '?timestamp=1717582201.202')).toEqual([
      root(9),
      root(9),
      root(9),
      root(4),
    ]);
    expect(await send(graph, [a, b, c, d], '?timestamp=1717582201.203')).toEqual([
      root(10),
      root(10),
      root(10),
      root(10),
    ]);
    expect(await send(graph, [a, b], '?stop_layer=2')).toEqual([(2n << 56n) | 2n, (2n << 56n) | 2n]);
    expect(await send(graph, [c], '?stop_layer=2')).toEqual([(2n << 56n) | (1n << 46n) | 1n]);
    expect(await send(graph, [a, d], '?stop_layer=4')).toEqual([
      (4n << 56n) | 1n,
      (4n << 56n) | (1n << 48n) | 1n,
    ]);
  });

  test('splits into groups, with given IDs for the new roots', async () => {
    const graph = withEdits({ timestamp: 2000, split: [[a, c], [b]], new_root_ids: [root(70), root(50)] });
    expect(await send(graph, [a, b, c, d])).toEqual([root(70), root(50), root(70), root(4)]);
    expect(await send(graph, [a, b, c], '?timestamp=1999.9')).toEqual([root(9), root(9), root(9)]);
  });

  test('answers 0 for an unknown ID if strict, whatever else is requested', async () => {
    const unknown = sv(3, 3);
    const asReal = withEdits(),
      strict = createMockChunkedGraph({
        info,
        supervoxel_to_root: table,
        base_timestamp: 1000,
        strict: true,
      });
    expect(await send(asReal, [unknown])).toEqual([unknown]);
    expect(await send(strict, [unknown])).toEqual([0n]);
    expect(await send(asReal, [a], '?timestamp=999')).toEqual([a]);
    expect(await send(strict, [a], '?timestamp=999')).toEqual([0n]);
  });

  const misfits: { name: string; options: Partial<MockChunkedGraphOptions>; message: string }[] = [
    {
      name: 'neither edges nor roots',
      options: { supervoxels: [a] },
      message: 'a graph needs edges, or the root of every supervoxel',
    },
    {
      name: 'fewer roots than supervoxels',
      options: { supervoxels: [a, b], roots: [root(1)] },
      message: '1 roots for 2 supervoxels',
    },
    {
      name: 'a supervoxel of another layer',
      options: { supervoxels: [root(1)], edges: [] },
      message: `${root(1)} is not a supervoxel: its layer is 5, not 1`,
    },
    {
      name: 'one supervoxel twice',
      options: { supervoxels: [a, a], edges: [] },
      message: `two nodes have the ID ${a}`,
    },
    {
      name: 'a root of another layer',
      options: { supervoxel_to_root: { [String(a)]: b } },
      message: `${b} is not a root ID: its layer is not 5`,
    },
    {
      name: 'an edge to an unknown supervoxel',
      options: { supervoxels: [a], edges: [[a, b]] },
      message: `there is no supervoxel ${b}`,
    },
    {
      name: 'the removal of an unknown edge',
      options: { supervoxels: [a, b], edges: [], edits: [{ timestamp: 1, edges: { removed: [[a, b]] } }] },
      message: `there is no edge between ${a} and ${b} to remove`,
    },
    {
      name: 'edits out of order',
      options: {
        supervoxel_to_root: table,
        edits: [2, 1].map((timestamp) => ({ timestamp, merge: [a, d] as const })),
      },
      message: 'edits must be given in the order of their times',
    },
    {
      name: 'an edit without a valid timestamp',
      options: { supervoxel_to_root: table, edits: [{ timestamp: 'yesterday', merge: [a, d] }] },
      message: 'yesterday is not a timestamp',
    },
  ];
  test.each(misfits)('refuses $name', ({ options, message }) =>
    expect(() => createMockChunkedGraph({ info, ...options })).toThrow(new RangeError(message)),
  );
});

describe('a graph under random edits', () => {
  // The model has no layers: it finds components of the edges that were active at a timestamp.
  const places = 24;
  const ids = Array.from({ length: places }, (_, k) => sv(k >> 1, 1 + (k & 1)));
  const components = (edges: ReadonlySet<string>): number[] => {
    const group = ids.map((_, k) => k);
    for (let changed = true; changed;) {
      changed = false;
      for (const edge of edges) {
        const [a, b] = edge.split('-').map(Number);
        if (group[a] === group[b]) continue;
        group[a] = group[b] = Math.min(group[a], group[b]);
        changed = true;
      }
    }
    return group;
  };

  test('gives every supervoxel the root of its component, at every timestamp, and a new root for every change', async () => {
    let seed = 12345;
    const random = (below: number): number =>
      ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % below;
    const edges = new Set<string>();
    const edits: GraphEdit[] = [],
      truth: number[][] = [components(edges)];
    for (let time = 1; time <= 300; time++) {
      const a = random(places - 1),
        key = `${a}-${Math.min(places - 1, a + 1 + random(6))}`;
      const pair = key.split('-').map((k) => ids[Number(k)]);
      const isThere = edges.delete(key);
      if (!isThere) edges.add(key);
      edits.push({ timestamp: time, edges: isThere ? { removed: [pair] } : { added: [pair] } });
      truth.push(components(edges));
    }
    const graph = createMockChunkedGraph({ info, supervoxels: ids, edges: [], edits });
    const lifetimes = new Map<bigint, number[]>();
    for (const [time, groups] of truth.entries()) {
      const roots = await send(graph, ids, `?timestamp=${time}`);
      const firstWith = new Map(roots.map((id, k) => [id, k] as const).reverse());
      expect(roots.map((id) => firstWith.get(id))).toEqual(groups.map((group) => groups.indexOf(group)));
      for (const id of new Set(roots)) lifetimes.set(id, [...(lifetimes.get(id) ?? []), time]);
    }
    // a replaced root never returns
    for (const times of lifetimes.values()) expect(times[times.length - 1] - times[0]).toBe(times.length - 1);
  });
});
