/** Compares the mock with recorded answers of a real server: spec/fixtures/pcg. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import {
  createMockChunkedGraph,
  mockRequest,
  type MockChunkedGraphOptions,
  type MockResponse,
} from '../../mocks/index.ts';
import { Bijection } from './bijection.ts';
import {
  epochs,
  labelAt,
  pcgGraph,
  recorded,
  supervoxelAt,
  supervoxels,
  type Recorded,
} from '../../testing/pcg-graph.ts';

/** The recordings were made in November 2026. A later timestamp is the time of the request. */
const RECORDING_S = 1_795_000_000;
const RECORDING_ORIGIN = 'http://127.0.0.1:18556';

/** Names of lists in answers whose order has no meaning. */
const SETS = new Set(
  'leaf_ids children_ids edge_graph links nodes past_id_map new_roots old_roots before_root_ids after_root_ids past_ids valid_roots new_root_ids supervoxel_connected_components roots edges'.split(
    ' ',
  ),
);

const options: MockChunkedGraphOptions = {
  ...pcgGraph,
  labelAt,
  dataset: 'test_ds',
  clock: () => (RECORDING_S + 500_000) * 1000,
  users: {
    101: { name: 'Ann', affiliation: 'Lab' },
    102: { name: 'Ben', affiliation: 'Lab' },
    103: { name: 'Cid', affiliation: 'Lab' },
  },
  multicuts: [
    {
      sources: [supervoxelAt(1, 4, 2)],
      sinks: [supervoxelAt(6, 4, 2)],
      removed: [[supervoxelAt(5, 4, 2), supervoxelAt(6, 4, 2)]],
    },
  ],
};
const tokens = {
  'view-token': { id: 101, permissions: ['view'] },
  'edit-token': { id: 102, permissions: ['view', 'edit'] },
  'admin-token': { id: 103, admin: true },
  'none-token': { id: 104, permissions: [] },
  'tos-token': { id: 105, missingTos: { id: 1, name: 'Terms' } },
} as const;
const only = supervoxels[0]; // the recordings show only one supervoxel of the table without edits

/** Servers keep the changes of live edits, so the recordings are replayed in their order. */
function servers(): Record<string, ReturnType<typeof createMockChunkedGraph>> {
  return {
    open: createMockChunkedGraph(options),
    auth: createMockChunkedGraph({ ...options, tokens }),
    noedits: createMockChunkedGraph({
      info: pcgGraph.info,
      table: 'big_pcg',
      base_timestamp: pcgGraph.base_timestamp,
      supervoxels: [only],
      roots: [288230376151712055n],
    }),
  };
}
const serverOf = (name: string): string =>
  name.startsWith('auth.') ? 'auth' : name.startsWith('noedits.') ? 'noedits' : 'open';

const knownRoots = new Set([...epochs.flatMap(({ root }) => root), '288230376151712055']);
const isShared = (id: string): boolean => BigInt(id) >> 56n !== 4n || knownRoots.has(id);

const bodyOf = ({ body, headers }: Pick<MockResponse, 'body' | 'headers'>): Uint8Array =>
  headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;

/** Numbers that are IDs become `#ID`, so that JSON.parse does not round them. */
const parsed = (bytes: Uint8Array): unknown =>
  JSON.parse(
    Buffer.from(bytes)
      .toString()
      .replace(/"(?:[^"\\]|\\.)*"|(?<![\d.])\d{16,}(?![\d.e])/g, (token) =>
        token.startsWith('"') ? token : `"#${token}"`,
      ),
  );

/**
 * An answer in a form that can be compared: IDs are mapped, sets are sorted, the time of the request is left
 * out.
 */
function comparable(value: unknown, side: 'recorded' | 'mock', ids: Bijection, isSet = false): unknown {
  if (typeof value === 'number') return value > RECORDING_S ? 'now' : value;
  if (typeof value === 'string' && value.startsWith('{'))
    return comparable(parsed(Buffer.from(value)), side, ids);
  if (typeof value === 'string') return value.replace(/\d{16,}/, (id) => ids.common(id, side));
  if (Array.isArray(value)) {
    const items = value.map((item) =>
      comparable(item, side, ids, isSet && Array.isArray(item) && item.length !== 2),
    );
    return isSet ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  if ('affinities' in object)
    return comparable(
      {
        edges: (object.nodes as unknown[]).map((pair, k) => [
          pair,
          (object.affinities as number[])[k],
          (object.areas as number[])[k],
        ]),
      },
      side,
      ids,
    );
  const entries = Object.entries(object).flatMap(([key, item]): [string, unknown][] => {
    if (key === 'duration' || (key === 'timestamp' && typeof item === 'string' && 'code' in object))
      return [];
    const common = /^\d{16,}$/.test(key) ? ids.common(key, side) : key;
    return [[common, comparable(item, side, ids, SETS.has(key) || (isSet && typeof item === 'object'))]];
  });
  return Object.fromEntries(entries);
}

/**
 * Replaces the recording's IDs by the mock's. A chunked body has its framing removed: here one chunk of 8
 * bytes.
 */
function translated(
  { path, headers, body = '' }: Recorded,
  ids: Bijection,
): { path: string; body: Uint8Array } {
  const sent = Buffer.from(body, 'base64');
  const bytes = headers?.['Transfer-Encoding'] === 'chunked' ? sent.subarray(3, 11) : sent;
  const inText = (text: string): string => text.replace(/\d{16,}/g, (id) => ids.translated(id));
  return {
    path: inText(path),
    body: /^[[{]/.test(bytes.toString('latin1')) ? Buffer.from(inText(bytes.toString())) : bytes,
  };
}

const header = (headers: Record<string, string>, name: string): unknown => [
  name,
  name === 'allow' ? headers[name]?.split(', ').sort() : headers[name],
];
const HEADERS_200 = [
  'content-type',
  'content-disposition',
  'content-encoding',
  'vary',
  'allow',
  'used-bounds',
  'access-control-allow-origin',
  'access-control-allow-headers',
  'access-control-allow-methods',
];
const HEADERS_4XX = ['content-type', 'allow', 'location', 'set-cookie', 'www-authenticate'];

describe('the mocked chunkedgraph answers as the real server did', () => {
  const replayed = servers();
  const bijections = new Map(Object.keys(replayed).map((name) => [name, new Bijection(isShared)]));

  test.each(recorded.map((pair) => [pair.name, pair] as const))('%s', async (name, pair) => {
    const ids = bijections.get(serverOf(name))!;
    const { path, body } = translated(pair, ids);
    const response = await replayed[serverOf(name)].handle(
      mockRequest(pair.method, path, { headers: pair.headers, body, origin: RECORDING_ORIGIN }),
    );
    const { status, headers, body: base64 } = pair.answer;
    expect(response.status).toBe(status);
    if (status === 500) {
      const error = parsed(response.body) as Record<string, unknown>;
      expect(Object.keys(error).sort()).toEqual(pair.answer.fields);
      expect(error).toMatchObject({ code: 500, message: expect.any(String), traceback: expect.any(Array) });
      return;
    }
    for (const name of status === 200 ? HEADERS_200 : HEADERS_4XX)
      expect(header(response.headers, name)).toEqual(header(headers, name));
    if (base64 === undefined) return; // an HTML page
    const was = bodyOf({ body: Buffer.from(base64, 'base64'), headers }),
      is = bodyOf(response);
    if (name.endsWith('.pickle')) expect(is[0]).toBe(0x80);
    else if (path.includes('roots_binary') && status === 200) {
      const [wasIds, isIds] = [was, is].map((bytes) => Array.from(idsFromBytes(bytes), String));
      expect(isIds).toHaveLength(wasIds.length);
      expect(wasIds.filter((id, k) => !ids.pair(id, isIds[k]))).toEqual([]);
    } else if (
      headers['content-type'] === 'application/json' ||
      name.startsWith('tabular') ||
      name.startsWith('user_operations') ||
      name.startsWith('noedits')
    ) {
      const [wasJson, isJson] = [was, is].map(parsed);
      const roots = (answer: unknown): string[] =>
        ((answer as { new_root_ids?: string[] }).new_root_ids ?? []).map((id) => id.replace('#', ''));
      expect(ids.pairSets(roots(wasJson), roots(isJson))).toBe(true);
      expect(comparable(isJson, 'mock', ids)).toEqual(comparable(wasJson, 'recorded', ids));
    } else expect(Buffer.from(is).toString('latin1')).toBe(Buffer.from(was).toString('latin1'));
  });

  test('in all 291 recordings', () => expect(recorded).toHaveLength(291));
});

describe('the mocked chunkedgraph has the real server’s nodes', () => {
  const { open } = servers();
  const cases = epochs.flatMap(({ name, timestamp, l2, l3, root }) => [
    { name, timestamp, layer: 2, ids: l2 },
    { name, timestamp, layer: 3, ids: l3 },
    { name, timestamp, layer: 4, ids: root },
  ]);
  test.each(cases)('$name, stop layer $layer', async ({ timestamp, layer, ids }) => {
    const request = mockRequest(
      'POST',
      `/segmentation/api/v1/table/test_pcg/roots_binary?timestamp=${timestamp}&stop_layer=${layer}`,
      { body: bytesOf(supervoxels) },
    );
    expect(Array.from(idsFromBytes((await open.handle(request)).body), String)).toEqual(ids);
  });

  test('in a table of 512 supervoxels at 10 timestamps', () =>
    expect([supervoxels.length, epochs.length]).toEqual([512, 10]));
});
