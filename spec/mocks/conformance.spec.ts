/** The mock beside the recordings of a real server: spec/fixtures/pcg. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import { createMockChunkedGraph, mockRequest, type MockResponse } from '../../mocks/index.ts';
import { epochs, pcgGraph, recorded, supervoxels, type Recorded } from './pcg-graph.ts';

/** Not compared at all, and why. */
const LEFT_OUT: Record<string, string> = {
  'auth.no-permission': 'the mock has one token and no permissions',
  'auth.tos': 'the mock has one token and no terms of service',
  'auth.view-cannot-merge': 'no live edits yet',
  'auth.edit-can-merge': 'no live edits yet',
};

/** The moment of asking is in the answer: only these fields' shape is compared. */
const HOLDS_NOW = new Set(['root_timestamps.latest']);

const RECORDING_ORIGIN = 'http://127.0.0.1:18556';
const open = createMockChunkedGraph(pcgGraph);
const guarded = createMockChunkedGraph({ ...pcgGraph, token: 'view-token' });

const bodyOf = ({ body, headers }: Pick<MockResponse, 'body' | 'headers'>): Uint8Array => (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);

/** Parsed without rounding an ID, and without the moment of asking. */
function parsed(bytes: Uint8Array): unknown {
  const exact = Buffer.from(bytes).toString().replace(/"[^"]*"|(?<![\d.])\d{16,}/g, (token) => (token.startsWith('"') ? token : `"#${token}"`));
  return JSON.parse(exact, (key, value: unknown) => (key === 'duration' || (key === 'timestamp' && typeof value === 'string') ? undefined : value));
}

function bytesSent({ headers, body = '' }: Recorded): Uint8Array {
  const bytes = Buffer.from(body, 'base64');
  // What a handler sees of a chunked body is without its framing: one chunk of 8 bytes here.
  return headers?.['Transfer-Encoding'] === 'chunked' ? bytes.subarray(3, 11) : bytes;
}

async function replay(pair: Recorded): Promise<MockResponse> {
  const server = pair.name.startsWith('auth.') ? guarded : open;
  return server.handle(mockRequest(pair.method, pair.path, { headers: pair.headers, body: bytesSent(pair), origin: RECORDING_ORIGIN }));
}

const compared = recorded.filter(({ name }) => !(name in LEFT_OUT));
const named = (match: (pair: Recorded) => boolean): [string, Recorded][] => compared.filter(match).map((pair) => [pair.name, pair]);
/** Names in lists of methods come in any order. */
const header = (headers: Record<string, string>, name: string): unknown => [name, name === 'allow' ? headers[name]?.split(', ').sort() : headers[name]];

const is200 = ({ answer }: Recorded): boolean => answer.status === 200;
const is500 = ({ answer }: Recorded): boolean => answer.status === 500;

describe('the mocked chunkedgraph answers as the real server did', () => {
  test.each(named(is200))('%s', async (title, pair) => {
    const response = await replay(pair);
    const was = { headers: pair.answer.headers, body: Buffer.from(pair.answer.body!, 'base64') };
    expect(response.status).toBe(200);
    for (const name of ['content-type', 'content-encoding', 'vary', 'allow', 'access-control-allow-origin', 'access-control-allow-headers', 'access-control-allow-methods'])
      expect(header(response.headers, name)).toEqual(header(was.headers, name));
    if (was.headers['content-type'] !== 'application/json') expect(Buffer.from(bodyOf(response)).toString('hex')).toBe(Buffer.from(bodyOf(was)).toString('hex'));
    else if (HOLDS_NOW.has(title)) expect(parsed(bodyOf(response))).toEqual({ timestamp: [expect.any(Number), 1577923200] });
    else expect(parsed(bodyOf(response))).toEqual(parsed(bodyOf(was)));
  });

  test.each(named((pair) => !is200(pair) && !is500(pair)))('%s', async (_, pair) => {
    const response = await replay(pair);
    const { status, headers, body } = pair.answer;
    expect(response.status).toBe(status);
    for (const name of ['content-type', 'allow', 'location', 'set-cookie', 'www-authenticate']) expect(header(response.headers, name)).toEqual(header(headers, name));
    if (body !== undefined) expect(parsed(response.body)).toEqual(parsed(Buffer.from(body, 'base64')));
  });

  test.each(named(is500))('%s (by shape)', async (_, pair) => {
    const response = await replay(pair);
    const error = parsed(response.body) as Record<string, unknown>;
    expect(response.status).toBe(500);
    expect(Object.keys(error).sort()).toEqual(pair.answer.fields!.filter((field) => field !== 'duration' && field !== 'timestamp'));
    expect(error).toMatchObject({ code: 500, message: expect.any(String), traceback: expect.any(Array) });
  });

  test('and what is left out is in the recordings', () => {
    const names = new Set(recorded.map(({ name }) => name));
    expect(Object.keys(LEFT_OUT).filter((name) => !names.has(name))).toEqual([]);
    expect(compared.length).toBe(180);
  });
});

describe('the mocked chunkedgraph has the real server’s nodes', () => {
  const cases = epochs.flatMap(({ name, timestamp, l2, l3, root }) => [
    { name, timestamp, layer: 2, ids: l2 },
    { name, timestamp, layer: 3, ids: l3 },
    { name, timestamp, layer: 4, ids: root },
  ]);
  test.each(cases)('$name, stop layer $layer', async ({ timestamp, layer, ids }) => {
    const request = mockRequest('POST', `/segmentation/api/v1/table/test_pcg/roots_binary?timestamp=${timestamp}&stop_layer=${layer}`, { body: bytesOf(supervoxels) });
    expect(Array.from(idsFromBytes((await open.handle(request)).body), String)).toEqual(ids);
  });

  test('the truth table covers 512 supervoxels at 10 moments', () => expect([supervoxels.length, epochs.length]).toEqual([512, 10]));
});
