import { describe, expect, jest, test } from '@jest/globals';
import { GraphError, RequestError } from '../../../lib/base/errors.ts';
import type { ChunkedGraph } from '../../../lib/chunkedgraph/api/chunked-graph.ts';
import { nextTurn } from '../../support/stub-store.ts';
import { graphOf, NOW, ORIGIN, rootSource, type Answer } from './replayed-graph.ts';

const TABLE = `${ORIGIN}/segmentation/api/v1/table/test_pcg`;
const ROOT = 288230376151712042n;
const broken = (kind: 'cut' | 'unreachable'): never => {
  throw new RequestError('CONNECTION', 'the connection broke', ORIGIN, undefined, { broken: kind });
};

describe('calls of the graph', () => {
  const calls: [
    name: string,
    call: (graph: ChunkedGraph) => Promise<unknown>,
    body: string,
    message: RegExp,
  ][] = [
    ['broken JSON', (graph) => graph.leaves(ROOT), 'x', /leaves answered without valid JSON$/],
    [
      'a web page',
      (graph) => graph.leaves(ROOT),
      '<html>log in</html>',
      /answered with a web page, not JSON/,
    ],
    [
      'bytes that are not UTF-8',
      (graph) => graph.leaves(ROOT),
      '\ud800"',
      /leaves answered without valid JSON/,
    ],
    [
      'an ID that is a fraction',
      (graph) => graph.leaves(ROOT),
      '{"leaf_ids":[1.5]}',
      /leaf_ids: expected a list of uint64/,
    ],
    [
      'an ID beyond 64 bits',
      (graph) => graph.leaves(ROOT),
      '{"leaf_ids":[18446744073709551616]}',
      /leaf_ids: expected a list of uint64/,
    ],
    ['a negative ID', (graph) => graph.leaves(ROOT), '{"leaf_ids":["-1"]}', /leaf_ids: expected/],
    [
      'a missing member',
      (graph) => graph.children(ROOT),
      '{}',
      /children answered in an unexpected form: children_ids: expected a list of uint64/,
    ],
    [
      'too few booleans',
      (graph) => graph.isLatestRoots([ROOT, ROOT]),
      '{"is_latest":[true]}',
      /is_latest_roots answered .*is_latest/,
    ],
    [
      'text instead of booleans',
      (graph) => graph.isLatestRoots([ROOT]),
      '{"is_latest":["true"]}',
      /is_latest\[0\]/,
    ],
    [
      'too few timestamps',
      (graph) => graph.rootTimestamps([ROOT, ROOT]),
      '{"timestamp":[1.5]}',
      /root_timestamps answered/,
    ],
    [
      'bytes that are not whole uint64',
      (graph) => graph.l2ChunkChildren(2n << 56n),
      '1234567',
      /7 bytes; expected a multiple of 8/,
    ],
    ['half a pair', (graph) => graph.l2ChunkChildren(2n << 56n), '12345678', /expected pairs/],
    [
      'an edge of three',
      (graph) => graph.level2Graph(ROOT),
      '{"edge_graph":[[1,2,3]]}',
      /edge_graph: expected a list of pairs/,
    ],
    [
      'fewer affinities than edges',
      (graph) => graph.subgraph(ROOT),
      '{"nodes":[[1,2]],"affinities":[],"areas":[1]}',
      /one affinity and one area per edge/,
    ],
    [
      'a log without its root',
      (graph) => graph.tabularChangeLog(ROOT),
      '{}',
      /did not answer for 288230376151712042/,
    ],
    [
      'a log that is not a table',
      (graph) => graph.tabularChangeLog(ROOT),
      `{"${ROOT}":"<table>"}`,
      /answered without a table for/,
    ],
    [
      'a row without a timestamp',
      (graph) => graph.operations(),
      '{"operation_id":{"0":1},"user_id":{"0":"1"},"is_merge":{"0":true}}',
      /\[0\]\.timestamp/,
    ],
    ['a timestamp in words', (graph) => graph.oldestTimestamp(), '{"iso":"yesterday"}', /iso/],
    [
      'leaves of another node',
      (graph) => graph.leavesMany([ROOT], { stopLayer: 3 }),
      '{"5":[]}',
      /did not answer for 288230376151712042/,
    ],
  ];
  test.each(calls)('refuse %s as an answer', async (_name, call, body, message) => {
    const { graph } = graphOf(() => ({ body }));
    await expect(call(graph)).rejects.toMatchObject({
      name: 'GraphError',
      code: 'BAD_REPLY',
      message: expect.stringMatching(message) as unknown,
      url: expect.stringMatching(ORIGIN) as unknown,
    });
  });

  test('read Infinity and NaN of edges', async () => {
    const { graph } = graphOf(() => ({
      body: '{"nodes":[[1,2],[2,"18446744073709551615"]],"affinities":[Infinity,NaN],"areas":["7",8]}',
    }));
    expect(await graph.subgraph(ROOT)).toEqual({
      edges: BigUint64Array.of(1n, 2n, 2n, 2n ** 64n - 1n),
      affinities: Float64Array.of(Infinity, NaN),
      areas: Float64Array.of(7, 8),
    });
  });

  test.each([[429], [502], [503], [504]])('retry after status %d', async (status) => {
    jest.useFakeTimers({ doNotFake: ['performance', 'queueMicrotask', 'nextTick'] });
    try {
      const { graph, requested } = graphOf((_request, earlier): Answer =>
        earlier < 2 ? { status } : { body: '{"children_ids":[5]}' },
      );
      const answer = graph.children(ROOT);
      await jest.advanceTimersByTimeAsync(60_000);
      expect([await answer, requested.length]).toEqual([BigUint64Array.of(5n), 3]);
    } finally {
      jest.useRealTimers();
    }
  });

  test.each([[400], [404], [413], [500]])('do not retry after status %d', async (status) => {
    const { graph, requested } = graphOf(() => ({ status, body: '{"message":"no"}' }));
    await expect(graph.children(ROOT)).rejects.toMatchObject({ status, serverMessage: 'no' });
    expect(requested.length).toBe(1);
  });

  test('without a timestamp use the volume’s, or else now', async () => {
    const timestampSent = async (
      timestampMs: number | undefined,
      timestamp?: string,
    ): Promise<string | null> => {
      const { graph, requested } = graphOf(() => ({ body: '{"root_id":5}' }), { timestampMs });
      await graph.root(5n, { timestamp });
      return new URL(requested[0].url).searchParams.get('timestamp');
    };
    expect(await timestampSent(undefined)).toBe((NOW / 1000).toFixed(3));
    expect(await timestampSent(1578441600123)).toBe('1578441600.123');
    expect(await timestampSent(1578441600123, 'settled')).toBe(((NOW - 180_000) / 1000).toFixed(3));
    expect(await timestampSent(1578441600123, '2020-01-08T00:00:00.124Z')).toBe('1578441600.124');
  });

  test('clip bounds to the volume, accept them in any unit, and send no request for bounds outside it', async () => {
    const { graph, requested } = graphOf(() => ({ body: '{"leaf_ids":[]}' }));
    await graph.leaves(ROOT, { bounds: { min: [-5, 3.7, 10], max: [200, 40.2, 11] } });
    await graph.leaves(ROOT, {
      bounds: { min: [100, 100, 100], max: [201, 200, 200], resolution: [4, 4, 40] },
    });
    expect(requested.map(({ url }) => new URL(url).searchParams.get('bounds'))).toEqual([
      '0-128_3-41_10-11',
      '50-101_50-100_100-128',
    ]);
    expect(await graph.leaves(ROOT, { bounds: { min: [128, 0, 0], max: [130, 9, 9] } })).toEqual(
      new BigUint64Array(0),
    );
    expect(requested.length).toBe(2);
  });

  test('report a server that ignores bounds', async () => {
    const { graph } = graphOf(() => ({ body: '{"edge_graph":[]}' }));
    await expect(
      graph.level2Graph(ROOT, { bounds: { min: [0, 0, 0], max: [9, 9, 9] } }),
    ).rejects.toMatchObject({ code: 'BROKEN_ENDPOINT' });
  });

  test.each<[string, (graph: ChunkedGraph) => Promise<unknown>, RegExp]>([
    [
      'a number for an ID',
      (graph) => graph.leaves(5 as unknown as bigint),
      /is a number, which cannot hold 64 bits; use a bigint/,
    ],
    ['an ID beyond 64 bits', (graph) => graph.children(1n << 64n), /is not a uint64/],
    ['numbers for IDs', (graph) => graph.isLatestRoots([5n, 6] as bigint[]), /the ID at index 1 is a number/],
    ['a stop layer above the roots', (graph) => graph.leaves(ROOT, { stopLayer: 5 }), /from 1 to 4/],
    ['a stop layer of supervoxels for roots', (graph) => graph.root(ROOT, { stopLayer: 1 }), /from 2 to 4/],
    [
      'a box whose min is above its max',
      (graph) => graph.leaves(ROOT, { bounds: { min: [9, 0, 0], max: [1, 9, 9] } }),
      /min 9 is greater than max 1/,
    ],
    [
      'a box with two axes',
      (graph) => graph.leaves(ROOT, { bounds: { min: [9, 0], max: [1, 9, 9] } }),
      /bounds.min must be three finite numbers/,
    ],
    ['a chunk of layer 4', (graph) => graph.l2ChunkChildren(ROOT), /expected an ID of layer 1 or 2/],
    [
      'half an operation',
      (graph) => graph.operationDetails([1.5]),
      /an operation ID must be a whole number from 1, not 1.5/,
    ],
    [
      'a vote by unknown voters',
      (graph) => graph.suggestLatestRoots(ROOT, { by: 'mesh' as 'level2' }),
      /by is 'level2' or 'supervoxels'/,
    ],
    ['a path with a query', (graph) => graph.request('info?x=1'), /use the query option/],
  ])('refuse %s without a request', async (_name, call, message) => {
    const { graph, requested } = graphOf(() => ({}));
    await expect(call(graph)).rejects.toThrow(message);
    expect(requested.length).toBe(0);
  });

  test('end with the caller’s signal, also those in the queue', async () => {
    const { graph, requested } = graphOf(
      ({ signal }) =>
        new Promise<Answer>((_resolve, reject) =>
          signal!.addEventListener('abort', () => reject(signal!.reason)),
        ),
    );
    const abort = new AbortController(),
      reason = new Error('enough');
    const all = Promise.allSettled(
      Array.from({ length: 6 }, () => graph.children(ROOT, { signal: abort.signal })),
    );
    abort.abort(reason);
    expect(await all).toEqual(Array(6).fill({ status: 'rejected', reason }));
    expect(requested.length).toBeLessThanOrEqual(4);
  });
});

describe('graph.request', () => {
  test('sends and reads 64-bit integers exactly, with a body in a GET', async () => {
    const { graph, requested } = graphOf(() => ({ body: '{"id":288230376151712043,"small":7,"x":0.5}' }));
    expect(
      await graph.request('valid_nodes', {
        query: { start_timestamp: 1, none: undefined },
        body: { node_ids: [ROOT] },
      }),
    ).toEqual({ id: 288230376151712043n, small: 7, x: 0.5 });
    expect(requested).toMatchObject([
      {
        method: 'GET',
        url: `${TABLE}/valid_nodes?start_timestamp=1`,
        headers: { 'content-type': 'application/json' },
      },
    ]);
    expect(Buffer.from(requested[0].body!).toString()).toBe('{"node_ids":[288230376151712042]}');
  });

  test.each([
    'merge',
    'split',
    'undo',
    'redo',
    'rollback_user',
    'merge_admin',
    '/segmentation/api/v1/table/test_pcg/merge',
    'm%65rge',
    'me\trge',
    'x\\merge',
    'split/.',
    'merge/%2e/',
  ])('does not reach %s without allowEdits', async (path) => {
    const { graph, requested } = graphOf(() => ({ body: '{}' }));
    await expect(graph.request(path, { method: 'POST', body: [] })).rejects.toMatchObject({
      code: 'EDITS_NOT_ALLOWED',
      message: expect.stringContaining('allowEdits: true') as unknown,
    });
    expect(requested.length).toBe(0);
  });
});

describe('edits', () => {
  const points = [
    { id: 5n, nm: [1, 2, 3] },
    { id: 6n, nm: [4.5, 5, 6] },
  ] as const;
  const edits: [string, (graph: ChunkedGraph) => Promise<unknown>, string][] = [
    ['merge', (graph) => graph.merge(...points, { remesh: false }), '[[5,1,2,3],[6,4.5,5,6]]'],
    [
      'split',
      (graph) => graph.split([points[0]], [points[1]], { remesh: false }),
      '{"sources":[[5,1,2,3]],"sinks":[[6,4.5,5,6]]}',
    ],
    ['undo', (graph) => graph.undo(7, { remesh: false }), '{"operation_id":7}'],
  ];

  test.each(edits)('%s is sent once, with exact digits and nanometres', async (path, call, body) => {
    const { graph, requested } = graphOf(() => ({ body: `{"operation_id":8,"new_root_ids":[${ROOT}]}` }), {
      allowEdits: true,
    });
    expect(await call(graph)).toMatchObject({ operationId: 8, newRoots: BigUint64Array.of(ROOT) });
    const sent = requested.map(({ url, body }) => [url, Buffer.from(body!).toString()]);
    expect(sent).toEqual([
      [`${TABLE}/${path}?remesh=false`, body],
      [`${TABLE}/root_timestamps`, `{"node_ids":[${ROOT}]}`],
    ]); // the second requests the timestamp of the edit
  });

  test.each(edits)('%s is refused unless edits are allowed', async (_path, call) => {
    const { graph, requested } = graphOf(() => ({}));
    await expect(call(graph)).rejects.toMatchObject({ code: 'EDITS_NOT_ALLOWED' });
    expect(requested.length).toBe(0);
  });

  test.each<[string, () => Answer, string]>([
    ['the connection broke', () => broken('cut'), 'EDIT_UNCERTAIN'],
    ['the server was not reached', () => broken('unreachable'), 'CONNECTION'],
    ['a proxy gave up', () => ({ status: 504 }), 'EDIT_UNCERTAIN'],
    ['the answer is a web page', () => ({ body: '<html>' }), 'EDIT_UNCERTAIN'],
    ['it was refused', () => ({ status: 400, body: '{"message":"[400]: no"}' }), 'HTTP_STATUS'],
    ['it failed at an unknown time', () => ({ status: 500, body: '{"message":"no"}' }), 'EDIT_UNCERTAIN'],
  ])('are never sent again when %s', async (_name, answer, code) => {
    const { graph, requested } = graphOf(answer, { allowEdits: true });
    const error = (await graph.merge(...points).catch((error: unknown) => error)) as GraphError;
    expect(error).toMatchObject({ code });
    if (code === 'EDIT_UNCERTAIN')
      expect(error.message).toMatch(
        /unknown whether the edit happened.*graph\.operations\(\{ from: '2026-11-22T11:59:59\.000Z' \}\)/,
      );
    expect(requested.length).toBe(1);
  });

  test('that were sent before an abort are uncertain; those in the queue are not', async () => {
    const { graph, requested } = graphOf(
      ({ signal }) =>
        new Promise<Answer>((_resolve, reject) =>
          signal!.addEventListener('abort', () => reject(signal!.reason)),
        ),
      { allowEdits: true },
    );
    const abort = new AbortController(),
      reason = new Error('enough');
    const all = Array.from({ length: 5 }, (_, k) =>
      graph.undo(k + 1, { signal: abort.signal }).catch((error: unknown) => error),
    );
    await nextTurn();
    abort.abort(reason);
    const errors = await Promise.all(all);
    expect(requested.length).toBe(4);
    for (const error of errors.slice(0, 4))
      expect(error).toMatchObject({
        name: 'GraphError',
        code: 'EDIT_UNCERTAIN',
        url: `${TABLE}/undo`,
        cause: reason,
      });
    expect(errors[4]).toBe(reason);
    await expect(graph.undo(1, { signal: abort.signal })).rejects.toBe(reason);
  });

  test.each<[string, (graph: ChunkedGraph) => Promise<unknown>, RegExp]>([
    [
      'a point with two axes',
      (graph) => graph.merge({ id: 5n, nm: [1, 2] }, points[1]),
      /the first point's nm must be three finite numbers/,
    ],
    [
      'a point without an ID',
      (graph) => graph.merge(points[0], { nm: [1, 2, 3] } as unknown as (typeof points)[0]),
      /the second point's id is a undefined/,
    ],
    ['a split without sinks', (graph) => graph.split([points[0]], []), /at least one source and one sink/],
    ['operation 0', (graph) => graph.undo(0), /a whole number from 1, not/],
  ])('refuse %s without a request', async (_name, call, message) => {
    const { graph, requested } = graphOf(() => ({}), { allowEdits: true });
    await expect(call(graph)).rejects.toThrow(message);
    expect(requested.length).toBe(0);
  });
});

test('roots come from the volume’s own look-ups', async () => {
  const { graph, requested } = graphOf(() => ({}), { roots: rootSource((id) => id + 1n) });
  expect([await graph.roots([5n, 6n]), requested.length]).toEqual([BigUint64Array.of(6n, 7n), 0]);
});
