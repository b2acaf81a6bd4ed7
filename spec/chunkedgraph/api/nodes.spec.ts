/** Leaves, edges and paths of nodes, on a mocked server with the recorded graph. The graph tells what is right. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openGraphene, type ChunkedGraph, type GraphPoint } from '../../../lib/index.ts';
import { createMockChunkedGraph, serveMocks, type ServedMocks } from '../../../mocks/index.ts';
import { epochs, labelAt, pcgGraph, supervoxelAt, supervoxels } from '../../../testing/pcg-graph.ts';
import { seeded } from '../../../testing/random.ts';

const mock = createMockChunkedGraph({ ...pcgGraph, labelAt });
let served: ServedMocks, volume: Awaited<ReturnType<typeof openGraphene>>, graph: ChunkedGraph;
beforeAll(async () => {
  served = await serveMocks({ '/segmentation': mock });
  volume = await openGraphene(`graphene://${served.url}/segmentation/table/${pcgGraph.table}`, {
    token: null,
    dataDir: 'mem://nodes/none',
  });
  graph = volume.graph;
});
afterAll(async () => {
  await volume.close();
  await served.close();
});

const last = epochs[epochs.length - 1],
  CHUNK = 32;
const sorted = (ids: Iterable<bigint>): bigint[] => [...new Set(ids)].sort((a, b) => (a < b ? -1 : 1));
/** Position of a supervoxel's graph chunk, in chunks as wide as those of `layer`. */
const chunkOf = (supervoxel: bigint, layer: number): number[] =>
  [46n, 36n, 26n].map((shift) => Number((supervoxel >> shift) & 1023n) >> Math.max(0, layer - 2));
const layerOf = (id: bigint): number => Number(id >> 56n);
/** The supervoxels of each current node. */
const members = new Map<bigint, bigint[]>();
supervoxels.forEach((id, k) => {
  for (const node of new Set([id, last.l2[k], last.l3[k], last.root[k]].map(BigInt)))
    members.set(node, [...(members.get(node) ?? []), id]);
});
const place = new Map(Array.from(supervoxels, (id, k) => [id, k]));
const ofLayer = (layer: number): bigint[] => [...members.keys()].filter((id) => layerOf(id) === layer);

interface Box {
  min: number[];
  max: number[];
}
const touches = (position: readonly number[], layer: number, { min, max }: Box): boolean => {
  const width = CHUNK * 2 ** Math.max(0, layer - 2);
  return position.every((at, axis) => at * width < Math.min(128, max[axis]) && (at + 1) * width > min[axis]);
};

/** The nodes of a layer below a node, or the node itself, whose whole path from the node stays in the box. */
function leavesIn(node: bigint, stopLayer: number, box: Box | undefined): bigint[] {
  const inside = (member: bigint, layer: number): boolean =>
    box === undefined || touches(chunkOf(member, layer), layer, box);
  return sorted(
    members.get(node)!.flatMap((member) => {
      const k = place.get(member)!,
        way = [...new Set([last.root[k], last.l3[k], last.l2[k], String(member)].map(BigInt))];
      const below = way.slice(way.indexOf(node)).filter((id) => layerOf(id) >= stopLayer);
      return below.length > 0 &&
        below.every((id) => inside(member, layerOf(id))) &&
        layerOf(below[below.length - 1]) === stopLayer
        ? [below[below.length - 1]]
        : [];
    }),
  );
}

const UNKNOWN = [1n, 2n, 3n, 4n].map((layer) => (layer << 56n) | 60_000n);

describe('leaves and leavesMany', () => {
  test('are the nodes in the box, for nodes of any layer and any stop layer', async () => {
    const random = seeded(7);
    for (let n = 0; n < 12; n++) {
      const min = [0, 0, 0].map(() => random.below(140) - 10),
        box = n % 6 === 0 ? undefined : { min, max: min.map((from) => from + 1 + random.below(70)) },
        stopLayer = 1 + (n % 4);
      const requested = [1, 2, 3, 4].flatMap((layer) =>
        Array.from({ length: 3 }, () => ofLayer(layer)[random.below(ofLayer(layer).length)]),
      );
      const many = await graph.leavesMany([...requested, ...UNKNOWN, 0n], { stopLayer, bounds: box });
      for (const id of requested)
        expect([n, id, ...sorted(many.get(id)!)]).toEqual([n, id, ...leavesIn(id, stopLayer, box)]);
      for (const id of [...UNKNOWN, 0n]) expect([id, ...many.get(id)!]).toEqual([id]);
      for (const id of requested.filter((id) => layerOf(id) > 1))
        expect([n, id, ...sorted(await graph.leaves(id, { stopLayer, bounds: box }))]).toEqual([
          n,
          id,
          ...leavesIn(id, stopLayer, box),
        ]);
    }
    for (const stopLayer of [1, 2, 3, 4])
      for (const id of UNKNOWN) expect(await graph.leaves(id, { stopLayer })).toEqual(new BigUint64Array(0));
  });
});

describe('subgraph', () => {
  const far = { min: [96, 96, 96], max: [128, 128, 128] },
    none = { edges: new BigUint64Array(0), affinities: new Float64Array(0), areas: new Float64Array(0) };
  test('is empty if the box has no part of the node, and for a supervoxel', async () => {
    const rod = BigInt(last.root[0]),
      l2 = BigInt(last.l2[0]);
    expect(await graph.subgraph(rod, { bounds: far })).toEqual(none);
    expect(await graph.subgraph(l2, { bounds: far })).toEqual(none);
    expect(await graph.subgraph(supervoxels[0])).toEqual(none);
    expect(
      (await graph.subgraph(l2, { bounds: { min: [0, 0, 0], max: [1, 1, 1] } })).edges.length,
    ).toBeGreaterThan(0);
  });

  test.each([...UNKNOWN.slice(1), 0n])('of the unknown ID %d is UNKNOWN_ID', async (id) => {
    await expect(graph.subgraph(id)).rejects.toMatchObject({
      name: 'GraphError',
      code: 'UNKNOWN_ID',
      message: `the graph has no node ${id}`,
    });
    if (layerOf(id) === 4)
      await expect(graph.subgraph(id, { bounds: { min: [0, 0, 0], max: [9, 9, 9] } })).rejects.toMatchObject({
        code: 'UNKNOWN_ID',
      });
  });

  test('gives the reason of any other failure', async () => {
    mock.faults.push({ match: /subgraph/, status: 500, body: '{"message":"a disk is full"}', times: 1 });
    await expect(graph.subgraph(BigInt(last.root[0]))).rejects.toMatchObject({
      code: 'HTTP_STATUS',
      serverMessage: 'a disk is full',
    });
  });
});

describe('findPath', () => {
  // A rod of 8 supervoxels along x, in 4 graph chunks. It is not near the edges of the volume, where the server cannot search.
  const y = 3,
    z = 3,
    k = (x: number): number => supervoxels.indexOf(supervoxelAt(x, y, z)),
    root = BigInt(last.root[k(2)]);
  const nm = (x: number): number[] => [(x + 0.5) * 16 * 8, (y + 0.5) * 16 * 8, (z + 0.5) * 16 * 40];
  const byRoot = (x: number): GraphPoint => ({ id: root, nm: nm(x) }),
    bySupervoxel = (x: number): GraphPoint => ({ id: supervoxelAt(x, y, z), nm: nm(x) });
  const way = (from: number, to: number): bigint[] => {
    const chunks = [from >> 1, to >> 1],
      length = Math.abs(chunks[1] - chunks[0]) + 1,
      step = Math.sign(chunks[1] - chunks[0]);
    return Array.from({ length }, (_, at) => BigInt(last.l2[k(2 * (chunks[0] + at * step))]));
  };
  const middles = (ids: readonly bigint[]): number[] =>
    ids.flatMap((id) =>
      [46n, 36n, 26n].map((shift, axis) => (Number((id >> shift) & 1023n) + 0.5) * CHUNK * [8, 8, 40][axis]),
    );

  test.each([
    [2, 5],
    [5, 2],
    [2, 3],
    [3, 3],
  ])('finds a path from %d to %d, by roots, supervoxels, or one of each', async (from, to) => {
    for (const [a, b] of [
      [byRoot(from), byRoot(to)],
      [bySupervoxel(from), bySupervoxel(to)],
      [bySupervoxel(from), byRoot(to)],
      [byRoot(from), bySupervoxel(to)],
    ]) {
      const { l2Ids, centroidsNm, failedL2Ids } = await graph.findPath(a, b);
      expect([[...l2Ids], [...centroidsNm], [...failedL2Ids]]).toEqual([
        way(from, to),
        middles(way(from, to)),
        [],
      ]);
    }
  });

  test('finds a path between supervoxels at the edge of the volume', async () => {
    expect([...(await graph.findPath(bySupervoxel(0), bySupervoxel(7))).l2Ids]).toEqual(way(0, 7));
  });

  test('rejects with UNKNOWN_ID between two objects', async () => {
    const other = { id: supervoxelAt(2, 4, 3), nm: [320, 576, 2240] };
    await expect(graph.findPath(bySupervoxel(2), other)).rejects.toMatchObject({
      code: 'UNKNOWN_ID',
      message: expect.stringContaining('not on one object') as unknown,
    });
    await expect(graph.findPath({ ...other, id: UNKNOWN[0] }, bySupervoxel(2))).rejects.toMatchObject({
      code: 'UNKNOWN_ID',
      message: expect.stringContaining(String(UNKNOWN[0])) as unknown,
    });
  });
});
