/** Edits of a mocked chunkedgraph: merges, splits, undos and redos, by calls and over HTTP. */
import { describe, expect, test } from '@jest/globals';
import {
  buildWorld,
  createMockChunkedGraph,
  EditError,
  graphInfo,
  mockRequest,
  supervoxelId,
  type MockChunkedGraph,
  type MockChunkedGraphOptions,
} from '../../mocks/index.ts';
import { pcgGraph } from '../../testing/pcg-graph.ts';

const info = graphInfo({ chunkSize: [64, 32, 16] });
const sv = (x: number, segment: number): bigint => supervoxelId(info, [x, 0, 0], segment);
const [a, b, c, d, e] = [sv(0, 1), sv(0, 2), sv(1, 1), sv(4, 7), sv(4, 8)];
const API = '/segmentation/api/v1/table/mock';
const NOW_MS = Date.UTC(2024, 5, 5);

const create = (options: Partial<MockChunkedGraphOptions> = {}): MockChunkedGraph =>
  createMockChunkedGraph({
    info,
    supervoxels: [a, b, c, d, e],
    edges: [
      [a, b],
      [b, c],
      [d, e],
    ],
    base_timestamp: '2024-01-01',
    clock: () => NOW_MS,
    ...options,
  });

interface Answered {
  status: number;
  json: Record<string, unknown>;
}

async function send(
  graph: MockChunkedGraph,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const text =
    body === undefined
      ? ''
      : JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  const separator = path.includes('?') ? '&' : '?';
  const { status, body: bytes } = await graph.handle(
    mockRequest(method, `${API}${path}${separator}int64_as_str=1`, { body: text, headers }),
  );
  return { status, json: JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown> };
}

async function rootsOf(graph: MockChunkedGraph, ids: bigint[], query = ''): Promise<string[]> {
  return (await send(graph, 'POST', `/roots${query}`, { node_ids: ids })).json.root_ids as string[];
}

/** The roots of supervoxels as small numbers: in `[0, 0, 1]` the first two have the same root. */
const shape = (roots: string[]): number[] => roots.map((root) => roots.indexOf(root));

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'nothing was thrown';
  } catch (error) {
    return error instanceof EditError ? error.code : (error as Error).message;
  }
};

describe('edits from test code', () => {
  test('are made at given timestamps, each with its operation', async () => {
    const graph = create();
    const merged = graph.merge([c, d], { at: '2024-02-01', user: '7' });
    const split = graph.split({ edges: [[a, b]] }, { at: '2024-02-02' });
    const undone = graph.undo(merged.operationId!, { at: '2024-02-03' });
    const redone = graph.redo(merged.operationId!, { at: '2024-02-04' });
    expect(
      [merged, split, undone, redone].map(({ operationId, oldRootIds, newRootIds }) => [
        operationId,
        oldRootIds.length,
        newRootIds.length,
      ]),
    ).toEqual([
      [1, 2, 1],
      [2, 1, 2],
      [3, 1, 2],
      [4, 2, 1],
    ]);
    const at = (day: string): Promise<number[]> =>
      rootsOf(graph, [a, b, c, d, e], `?timestamp=${Date.parse(`2024-${day}Z`) / 1000}`).then(shape);
    expect(await Promise.all(['01-01', '02-01', '02-02', '02-03', '02-04'].map(at))).toEqual([
      [0, 0, 0, 3, 3],
      [0, 0, 0, 0, 0],
      [0, 1, 1, 1, 1],
      [0, 1, 1, 3, 3],
      [0, 1, 1, 1, 1],
    ]);
    expect(graph.operations.map(({ id, kind, of, user }) => [id, kind, of, user])).toEqual([
      [1, 'merge', undefined, '7'],
      [2, 'split', undefined, '0'],
      [3, 'undo', 1, '0'],
      [4, 'redo', 1, '0'],
    ]);
  });

  test('change nothing when an undone operation is undone again', () => {
    const graph = create();
    graph.merge([c, d]);
    graph.undo(1);
    expect(graph.undo(1)).toEqual({ operationId: null, oldRootIds: [], newRootIds: [], newLayer2Ids: [] });
    expect(graph.undo(2).newRootIds).toHaveLength(1); // the undo of an undo is a redo
  });

  test('remove the edges of listed multicuts', () => {
    const given = create({ multicuts: [{ sources: [a], sinks: [c, b], removed: [[b, a]] }] });
    expect(given.split({ sources: [a], sinks: [b, c] }).newRootIds).toHaveLength(2);
    const requested: unknown[] = [];
    const computed = create({
      multicuts: (sources, sinks) => (requested.push(sources, sinks), [[String(b), String(c)]]),
    });
    expect(computed.split({ sources: [a], sinks: [c] }).newRootIds).toHaveLength(2);
    expect(requested).toEqual([[a], [c]]);
  });

  const refused: { name: string; run: (graph: MockChunkedGraph) => unknown; code: string }[] = [
    { name: 'a merge within an object', run: (graph) => graph.merge([a, c]), code: 'REFUSED' },
    { name: 'a merge with itself', run: (graph) => graph.merge([a, a]), code: 'REFUSED' },
    { name: 'a split of two objects', run: (graph) => graph.split({ edges: [[a, d]] }), code: 'REFUSED' },
    {
      name: 'a multicut of two objects',
      run: (graph) => graph.split({ sources: [a], sinks: [d] }),
      code: 'REFUSED',
    },
    {
      name: 'one supervoxel on both sides',
      run: (graph) => graph.split({ sources: [a], sinks: [a] }),
      code: 'REFUSED',
    },
    {
      name: 'a multicut that is not listed',
      run: (graph) => graph.split({ sources: [a], sinks: [c] }),
      code: 'FAILED',
    },
    { name: 'an undo of an unknown operation', run: (graph) => graph.undo(1), code: 'FAILED' },
    { name: 'an unknown supervoxel', run: (graph) => graph.merge([a, 5n]), code: 'there is no supervoxel 5' },
    {
      name: 'an edit before the newest',
      run: (graph) => [graph.merge([a, d]), graph.merge([a, d], { at: 0 })],
      code: 'edits must be given in the order of their times',
    },
  ];
  test.each(refused)('$name: $code', ({ run, code }) => expect(codeOf(() => run(create()))).toBe(code));

  test('use an operation ID for a refused merge, but not for a refused split', () => {
    const graph = create();
    codeOf(() => graph.merge([a, c]));
    codeOf(() => graph.split({ edges: [[a, d]] }));
    expect(graph.merge([a, d]).operationId).toBe(2);
    expect(graph.operations.map(({ status }) => status)).toEqual([1, 0]);
  });

  test('restore removed edges with a merge nearby, unless strict', () => {
    const removedAgain = (strict: boolean): number => {
      const graph = create({ strict });
      graph.split({ edges: [[a, b]] });
      graph.merge([a, c]); // the known edge a-b replaces it
      return graph.split({ edges: [[a, c]] }).newRootIds.length;
    };
    expect([false, true].map(removedAgain)).toEqual([1, 2]);
  });
});

describe('edits over HTTP', () => {
  const node = (id: bigint | string, x: number): unknown[] => [String(id), 8 * x, 8, 40];

  test('name supervoxels', async () => {
    const graph = create();
    const { status, json } = await send(graph, 'POST', '/merge', [node(c, 70), node(d, 260)], {});
    expect([status, json.operation_id, (json.new_root_ids as string[]).length]).toEqual([200, '1', 1]);
    expect(shape(await rootsOf(graph, [a, e]))).toEqual([0, 0]);
    expect(
      (await send(graph, 'POST', '/split?mincut=false', { sources: [node(c, 70)], sinks: [node(d, 260)] }))
        .json,
    ).toMatchObject({ operation_id: '2' });
    expect((await send(graph, 'POST', '/undo', { operation_id: 2 })).json).toMatchObject({
      operation_id: '3',
    });
    expect((await send(graph, 'POST', '/redo', { operation_id: 2 })).json).toMatchObject({
      operation_id: '4',
    });
    expect(shape(await rootsOf(graph, [a, e]))).toEqual([0, 1]);
    const { json: details } = await send(graph, 'GET', '/operation_details?operation_ids=[1]');
    expect(details).toMatchObject({
      1: { source_coords: [[70, 1, 1]], sink_coords: [[260, 1, 1]], user: '0', operation_status: 0 },
    });
  });

  test('name roots and points: the object’s supervoxel in the point’s graph chunk is used', async () => {
    const graph = create();
    const [left, right] = await rootsOf(graph, [a, d]);
    expect(
      (await send(graph, 'POST', '/merge?chebyshev_distance=9', [node(left, 70), node(right, 260)])).status,
    ).toBe(200);
    expect(graph.operations[0].added!.map((edge) => [...graph.graph.nodes.idsOf(edge)])).toEqual([[c, d]]);
    expect((await send(create(), 'POST', '/merge', [node(left, 300), node(right, 260)])).json).toMatchObject({
      code: 400,
      message: expect.stringContaining('[400]: Could not determine supervoxel ID'),
    });
  });

  test('get status 400 when refused and 500 without a multicut, with the server’s messages', async () => {
    const graph = create();
    expect((await send(graph, 'POST', '/merge', [node(a, 1), node(c, 70)])).json).toMatchObject({
      code: 400,
      message: '[400]: Supervoxels must belong to different objects.',
    });
    expect(
      (await send(graph, 'POST', '/split', { sources: [node(a, 1)], sinks: [node(c, 70)] })).json,
    ).toMatchObject({ code: 500, message: expect.stringContaining('multicut') });
    expect(
      (await send(graph, 'POST', '/merge?chebyshev_distance=2', [node(a, 1), node(d, 260)])).json,
    ).toMatchObject({ code: 400 });
  });

  test('can be read only after visibleAfterMs, with their own timestamp', async () => {
    let release = (): void => undefined;
    let nowMs = NOW_MS;
    const waits: number[] = [];
    const graph = create({
      clock: () => nowMs,
      visibleAfterMs: 250,
      wait: (ms) => new Promise((resolve) => (waits.push(ms), (release = () => resolve(undefined)))),
    });
    const merging = send(graph, 'POST', '/merge?chebyshev_distance=9', [node(a, 1), node(d, 260)]);
    await new Promise(setImmediate);
    nowMs += 250;
    const between = `?timestamp=${nowMs / 1000 - 0.1}`;
    const before = shape(await rootsOf(graph, [a, d], between));
    release();
    expect((await merging).status).toBe(200);
    expect([before, shape(await rootsOf(graph, [a, d], between)), waits]).toEqual([[0, 1], [0, 0], [250]]);
  });
});

describe('permissions', () => {
  const tokens = {
    viewer: { id: 1, permissions: ['view'] },
    editor: { id: 2, name: 'Ben' },
    none: { permissions: [] },
    tos: { missingTos: { id: 3, name: 'Terms' } },
  } as const;
  const cases = [
    { token: 'viewer', path: '/roots', status: 200 },
    { token: 'viewer', path: '/merge', status: 403, error: 'missing_permission' },
    { token: 'editor', path: '/merge', status: 200 },
    { token: 'none', path: '/roots', status: 403, error: 'missing_permission' },
    { token: 'tos', path: '/roots', status: 403, error: 'missing_tos' },
    { token: 'nobody', path: '/roots', status: 401, error: 'invalid_token' },
  ];
  test.each(cases)('$token at $path: $status $error', async ({ token, path, status, error }) => {
    const body =
      path === '/merge'
        ? [
            [String(c), 1, 1, 1],
            [String(d), 1, 1, 1],
          ]
        : { node_ids: [a] };
    const answer = await send(create({ tokens }), 'POST', path, body, { authorization: `Bearer ${token}` });
    expect([answer.status, answer.json.error]).toEqual([status, error]);
  });

  test('give operations the user’s ID, and change logs the name', async () => {
    const graph = create({ tokens });
    const headers = { authorization: 'Bearer editor' };
    const merged = await send(
      graph,
      'POST',
      '/merge',
      [
        [String(c), 1, 1, 1],
        [String(d), 1, 1, 1],
      ],
      headers,
    );
    const { json } = await send(
      graph,
      'GET',
      `/root/${(merged.json.new_root_ids as string[])[0]}/tabular_change_log`,
      undefined,
      headers,
    );
    expect(json).toMatchObject({ user_id: { 0: '2' }, user_name: { 0: 'Ben' }, is_merge: { 0: true } });
  });
});

describe('supervoxelId and graphInfo', () => {
  test('follow the server’s layout', () =>
    expect([sv(1, 1), supervoxelId(info, [3, 2, 1], 9)]).toEqual([
      72127962782105601n,
      (1n << 56n) | (3n << 46n) | (2n << 36n) | (1n << 26n) | 9n,
    ]));
  test('make the same graph info as the real server, with and without a volume', () => {
    const real = pcgGraph.info.graph;
    expect(graphInfo({ layers: 4, chunkSize: [32, 32, 32] }).graph).toEqual(real);
    expect(
      buildWorld({ labels: () => 1n, size: [128, 4, 4], chunkSize: [32, 32, 32] }).description.info.graph,
    ).toEqual(real);
  });
  test.each([
    {
      run: () => supervoxelId(info, [1024, 0, 0], 1),
      message: 'there is no graph chunk 1024, 0, 0: coordinates are below 1024',
    },
    { run: () => supervoxelId(info, [0, 0, 0], 2 ** 26), message: 'there is no segment 67108864' },
    { run: () => supervoxelId(info, [0, 0, 0], 0), message: 'there is no segment 0' },
    { run: () => graphInfo({ layers: 2 }), message: 'a graph has 3 to 127 layers, not 2' },
    {
      run: () => graphInfo({ layers: 9, spatialBits: 6 }),
      message: '6 spatial bits do not hold the chunks of 9 layers',
    },
  ])('$message', ({ run, message }) => expect(run).toThrow(new RangeError(message)));
});
