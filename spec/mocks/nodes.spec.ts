/**
 * Nodes below nodes: `leaves_many` of nodes that share parts, boxes and time ranges. The counts and messages
 * are those of a real PyChunkedGraph 2.21.1 on this graph. The recorded answers
 * (spec/mocks/conformance.spec.ts) have no shared parts.
 */
import { describe, expect, test } from '@jest/globals';
import { createMockChunkedGraph, graphInfo, mockRequest, supervoxelId } from '../../mocks/index.ts';
import { epochs, pcgGraph, supervoxels } from '../../testing/pcg-graph.ts';

/** A supervoxel in the object that the first six edits change. */
const A = supervoxels.indexOf(72127962782105601n);
const rootAfter = (edit: number): string => epochs[edit].root[A];
const [r0, r1, r2, now] = [rootAfter(0), rootAfter(1), rootAfter(2), rootAfter(9)];
const { l2, l3 } = { l2: epochs[9].l2[A], l3: epochs[9].l3[A] };
const UNKNOWN_ID = '288230376151799999';

const server = createMockChunkedGraph(pcgGraph),
  strict = createMockChunkedGraph({ ...pcgGraph, strict: true });

async function send(
  nodes: string[],
  query: string,
  graph = server,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const { status, body } = await graph.handle(
    mockRequest('POST', `/segmentation/api/v1/table/${pcgGraph.table}/leaves_many?int64_as_str=1${query}`, {
      body: `{"node_ids":[${nodes.join()}]}`,
    }),
  );
  return { status, json: JSON.parse(Buffer.from(body).toString()) as Record<string, unknown> };
}

const leavesOf = async (nodes: string[], query = '', graph = server): Promise<Record<string, string[]>> =>
  (await send(nodes, query, graph)).json as Record<string, string[]>;
const counts = async (nodes: string[], query = '', graph = server): Promise<number[]> => {
  const found = await leavesOf(nodes, query, graph);
  return nodes.map((node) => found[node].length);
};

describe('leaves_many: what two nodes have in common', () => {
  test.each([
    { name: 'each alone', nodes: [[r0], [r1], [r2], [now]], query: '', real: [8, 16, 24, 10] },
    { name: 'goes to the last', nodes: [[r0, r1, r2]], query: '', real: [2, 2, 24] },
    { name: 'the other way round', nodes: [[r2, r1, r0]], query: '', real: [10, 10, 8] },
    { name: 'layer-2 nodes', nodes: [[r1, r2]], query: '&stop_layer=2', real: [2, 11] },
    { name: 'is both’s, right below them', nodes: [[r1, r2]], query: '&stop_layer=3', real: [3, 4] },
    { name: 'the nodes themselves', nodes: [[r1, r2]], query: '&stop_layer=4', real: [1, 1] },
    { name: 'within bounds', nodes: [[r2, r1, r0]], query: '&bounds=0-64_0-64_0-64', real: [4, 6, 4] },
    {
      name: 'is both’s, when one is reached after more steps',
      nodes: [
        [now, l3],
        [l3, now],
        [l2, l3, now],
        [now, l2, l3],
      ],
      query: '',
      real: [10, 8, 8, 10, 4, 8, 10, 10, 4, 8],
    },
    {
      name: 'the same of layer-2 nodes',
      nodes: [
        [l3, now],
        [l2, l3, now],
      ],
      query: '&stop_layer=2',
      real: [3, 4, 1, 3, 4],
    },
  ])('$name', async ({ nodes, query, real }) =>
    expect((await Promise.all(nodes.map((batch) => counts(batch, query)))).flat()).toEqual(real),
  );

  test('gives all of it to the last node', async () =>
    expect((await leavesOf([r0, r1, r2]))[r2]).toEqual((await leavesOf([r2]))[r2]));
  test('gives every node all of its own, if strict', async () =>
    expect(await counts([r0, r1, r2, r0], '', strict)).toEqual([8, 16, 24, 8]));
});

describe('leaves_many: an ID twice', () => {
  test.each([
    {
      name: 'with leaves',
      nodes: [r0, r0],
      query: '',
      message: 'zero-dimensional arrays cannot be concatenated',
    },
    {
      name: 'at its own layer',
      nodes: [r0, r0],
      query: '&stop_layer=4',
      message: 'zero-dimensional arrays cannot be concatenated',
    },
    {
      name: 'that is a supervoxel',
      nodes: [String(supervoxels[A]), now, String(supervoxels[A])],
      query: '',
      message: 'zero-dimensional arrays cannot be concatenated',
    },
    {
      name: 'without leaves',
      nodes: [r0, r0],
      query: '&stop_layer=7',
      message: 'index 7 is out of bounds for axis 0 with size 0',
    },
    {
      name: 'of no node',
      nodes: [UNKNOWN_ID, UNKNOWN_ID],
      query: '',
      message: 'index 1 is out of bounds for axis 0 with size 0',
    },
  ])('$name', async ({ nodes, query, message }) =>
    expect(await send(nodes, query)).toMatchObject({ status: 500, json: { message } }),
  );
});

describe('an ID that is not a node', () => {
  test.each([
    { stopLayer: 4, leaves: [UNKNOWN_ID] },
    { stopLayer: 3, leaves: [] },
    { stopLayer: 1, leaves: [] },
  ])('at layer $stopLayer', async ({ stopLayer, leaves }) => {
    expect(await leavesOf([UNKNOWN_ID, l2], `&stop_layer=${stopLayer}`)).toMatchObject({
      [UNKNOWN_ID]: leaves,
    });
    const { body } = await server.handle(
      mockRequest(
        'GET',
        `/segmentation/api/v1/table/${pcgGraph.table}/node/${UNKNOWN_ID}/leaves?int64_as_str=1&stop_layer=${stopLayer}`,
        {},
      ),
    );
    expect(JSON.parse(Buffer.from(body).toString())).toEqual({ leaf_ids: leaves });
  });
  test('has no leaves if strict', async () =>
    expect(await leavesOf([UNKNOWN_ID], '&stop_layer=4', strict)).toEqual({ [UNKNOWN_ID]: [] }));
});

describe('time ranges and boxes', () => {
  const [a, b] = [supervoxelId(graphInfo(), [0, 0, 0], 1), supervoxelId(graphInfo(), [1, 0, 0], 1)];
  const info = {
    ...graphInfo(),
    scales: [{ resolution: [8, 8, 40], size: [1024, 1024, 1024], voxel_offset: [100, 10, 1] }],
  };
  const graph = createMockChunkedGraph({
    info,
    supervoxels: [a, b],
    edges: [],
    base_timestamp: 1000,
    edits: [{ timestamp: 2000, merge: [a, b] }],
  });
  const get = async (path: string, body?: string): Promise<unknown> =>
    JSON.parse(
      Buffer.from(
        (
          await graph.handle(
            mockRequest('GET', `/segmentation/api/v1/table/mock/${path}&int64_as_str=1`, { body }),
          )
        ).body,
      ).toString(),
    );
  const root = (5n << 56n) | 3n;

  test.each([
    { bounds: '100-164_10-74_1-65', leaves: [a] },
    { bounds: '164-165_10-74_1-65', leaves: [b] },
    { bounds: '163-165_10-74_1-65', leaves: [a, b] },
  ])('graph chunks begin at the voxel offset: $bounds', async ({ bounds, leaves }) =>
    expect(await get(`node/${root}/leaves?bounds=${bounds}`)).toEqual({ leaf_ids: leaves.map(String) }),
  );

  test('exclude the end of the range in valid_nodes', async () => {
    const valid = (from: number, to: number): Promise<unknown> =>
      get(`valid_nodes?start_timestamp=${from}&end_timestamp=${to}`, `{"node_ids":[${root}]}`);
    expect(await Promise.all([valid(1500, 2000), valid(2000, 2000.001)])).toEqual([
      { valid_roots: [] },
      { valid_roots: [String(root)] },
    ]);
  });

  test('include both ends of the range in delta_roots', async () => {
    const fresh = async (from: number, to: number): Promise<unknown> =>
      ((await get(`delta_roots?timestamp_past=${from}&timestamp_future=${to}`)) as { new_roots: string[] })
        .new_roots;
    expect(await Promise.all([fresh(2000, 2000), fresh(2000.001, 3000), fresh(1000, 1999.999)])).toEqual([
      [String(root)],
      [],
      [],
    ]);
  });
});
