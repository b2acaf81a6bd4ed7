import { inspect } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { RequestError } from '../../../lib/base/errors.ts';
import { bytesOf } from '../../../lib/base/uint64.ts';
import { ChunkedGraphClient } from '../../../lib/chunkedgraph/server/chunkedgraph-client.ts';
import { GraphServer, type GraphServerOptions } from '../../../lib/chunkedgraph/server/graph-server.ts';
import { parseGraphPath } from '../../../lib/chunkedgraph/server/graph-path.ts';
import { ServerClock } from '../../../lib/chunkedgraph/server/server-clock.ts';
import type { HttpClient, HttpReply, HttpRequest } from '../../../lib/http/http-request.ts';
import { recorded } from '../../../testing/pcg-graph.ts';

const ORIGIN = 'https://graph.example.org',
  TABLE = `${ORIGIN}/segmentation/api/v1/table/t`;
const TOKEN = { token: 's3cr3t-token', from: 'CAVE_TOKEN' };

type Answer = Partial<Omit<HttpReply, 'body'>> & { body?: Uint8Array | string };

/** A client of a fake server, which answers with `answer` and records the requests. */
function clientOf(
  answer: (request: HttpRequest) => Answer,
  { rootTimeoutMs, ...options }: Partial<GraphServerOptions> & { rootTimeoutMs?: number } = {},
) {
  const requested: HttpRequest[] = [];
  const http: HttpClient = {
    async request(request) {
      requested.push(request);
      const { body = '', ...reply } = answer(request);
      return {
        status: 200,
        headers: {},
        url: String(request.url),
        serverAddress: '192.0.2.7',
        ...reply,
        body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      };
    },
    close() {},
  };
  return {
    requested,
    client: new ChunkedGraphClient({
      server: new GraphServer({
        http,
        path: parseGraphPath(`graphene://${ORIGIN}/segmentation/table/t`),
        token: TOKEN,
        ...options,
      }),
      rootTimeoutMs,
    }),
  };
}

const IDS = BigUint64Array.of(72127962782105601n, 2n ** 64n - 1n, 0n, 72127962782105601n);
const echo = ({ body }: HttpRequest): Answer => ({ body });
const ms = (seconds: number): { timestampMs: number } => ({ timestampMs: seconds * 1000 });

describe('ChunkedGraphClient.roots', () => {
  test('posts little-endian IDs unchanged, and reads them back', async () => {
    const { requested, client } = clientOf(echo);
    const { signal } = new AbortController();
    expect(await client.roots(IDS, { timestampMs: 1578441600123, signal })).toEqual(IDS);
    expect(requested).toHaveLength(1);
    const [{ headers, body, ...request }] = requested;
    expect(request).toEqual({
      method: 'POST',
      url: `${TABLE}/roots_binary?timestamp=1578441600.123`,
      signal,
      followRedirects: false,
      retry: false,
      idleTimeoutMs: 600_000,
      maxBytes: 65_536,
    });
    expect(headers).toEqual({
      'content-type': 'application/octet-stream',
      'x-requested-with': 'graphene-points',
      'accept-encoding': 'identity',
      authorization: 'Bearer s3cr3t-token',
    });
    expect(Buffer.from(body!).toString('hex')).toBe(
      '01000000004000ff'.replace('ff', '01') + 'ffffffffffffffff' + '0000000000000000' + '0100000000400001',
    );
  });

  test('sends only the part of a larger array that a view shows', async () => {
    const { requested, client } = clientOf(echo);
    await client.roots(new BigUint64Array([9n, ...IDS, 9n]).subarray(1, 5), ms(1));
    expect(requested[0].body).toEqual(bytesOf(IDS));
  });

  test('refuses a web page that has the length of an answer', async () => {
    const { client } = clientOf(() => ({
      body: '<html><title>Log in</title>'.padEnd(8 * IDS.length),
      headers: { 'content-type': 'text/html' },
    }));
    const isPossible = (high: number): boolean => high >>> 24 <= 4;
    await expect(client.roots(IDS, { timestampMs: 1, isPossible })).rejects.toMatchObject({
      code: 'BAD_REPLY',
      url: `${TABLE}/roots_binary`,
      status: 200,
      message: expect.stringMatching(/answered \d+, which is an ID above the root layer/) as unknown,
    });
    const { client: honest } = clientOf(() => ({
      body: bytesOf(BigUint64Array.of(4n << 56n, 0n, 1n << 56n, (5n << 56n) - 1n)),
    }));
    expect(await honest.roots(IDS, { timestampMs: 1, isPossible })).toEqual(
      BigUint64Array.of(4n << 56n, 0n, 1n << 56n, (5n << 56n) - 1n),
    );
  });

  test.each([
    [undefined, ''],
    [2, '&stop_layer=2'],
  ])('sends stop layer %p', async (stopLayer, query) => {
    const { requested, client } = clientOf(echo);
    await client.roots(IDS, { ...ms(1577836800), stopLayer });
    expect(requested[0].url).toBe(`${TABLE}/roots_binary?timestamp=1577836800.000${query}`);
  });

  test('sends no authorization without a token', async () => {
    const { requested, client } = clientOf(echo, { token: undefined });
    await client.roots(IDS, ms(1));
    expect(requested[0].headers).not.toHaveProperty('authorization');
  });

  test('gzips bodies above 256 KiB, and limits the reply to 8 bytes per ID', async () => {
    const many = new BigUint64Array(32_769).fill(7n);
    const { requested, client } = clientOf(({ headers, body }) => ({
      body: headers?.['content-encoding'] === 'gzip' ? gunzipSync(body!) : body,
    }));
    expect(await client.roots(many.subarray(1), ms(1))).toHaveLength(32_768);
    expect(await client.roots(many, ms(1))).toEqual(many);
    expect(requested.map(({ headers, maxBytes }) => [headers?.['content-encoding'], maxBytes])).toEqual([
      [undefined, 262_144],
      ['gzip', 262_152],
    ]);
    expect(requested[1].body!.byteLength).toBeLessThan(10_000);
  });

  test('uses the given time limit for roots', async () => {
    const { requested, client } = clientOf(echo, { rootTimeoutMs: 5 });
    await client.roots(IDS, ms(1));
    expect(requested[0].idleTimeoutMs).toBe(5);
  });

  test('decompresses a reply', async () => {
    const { client } = clientOf(({ body }) => ({
      body: gzipSync(body!),
      headers: { 'content-encoding': 'gzip' },
    }));
    expect(await client.roots(IDS, ms(1))).toEqual(IDS);
  });

  test('reads a reply at any alignment', async () => {
    const { client } = clientOf(({ body }) => ({
      body: Buffer.concat([Buffer.from([1, 2, 3]), body!]).subarray(3),
    }));
    expect(await client.roots(IDS, ms(1))).toEqual(IDS);
  });

  test.each<[what: string, answer: Answer, code: string, message: RegExp]>([
    [
      'a shorter reply',
      { body: new Uint8Array(24) },
      'BAD_REPLY',
      /answered 24 bytes for 4 IDs; expected 32/,
    ],
    ['a longer reply', { body: new Uint8Array(40) }, 'BAD_REPLY', /answered 40 bytes for 4 IDs; expected 32/],
    ['a reply with part of an ID', { body: new Uint8Array(31) }, 'BAD_REPLY', /answered 31 bytes/],
    ['an empty reply with status 200, as to a form', {}, 'BAD_REPLY', /answered 0 bytes for 4 IDs/],
    [
      'a web page with status 200',
      { body: '<!doctype html><title>Log in</title>', headers: { 'content-type': 'text/html' } },
      'BAD_REPLY',
      /answered 36 bytes for 4 IDs/,
    ],
    [
      'a broken encoding',
      { body: gzipSync(new Uint8Array(32)).subarray(0, 15), headers: { 'content-encoding': 'gzip' } },
      'BAD_REPLY',
      /roots_binary: /,
    ],
    ['an unknown encoding', { body: 'x', headers: { 'content-encoding': 'rot13' } }, 'BAD_REPLY', /rot13/],
    [
      'an encoding that expands too much',
      { body: gzipSync(new Uint8Array(65_537)), headers: { 'content-encoding': 'gzip' } },
      'BAD_REPLY',
      /roots_binary: /,
    ],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://auth.example.org/authorize?token=s3cr3t' } },
      'LOGIN_REDIRECT',
      /redirects instead of answering \(the token from CAVE_TOKEN was sent\)/,
    ],
    [
      'a refusal',
      { status: 401, body: '{"message":"Unauthorized - Token is Invalid or Expired"}' },
      'UNAUTHORIZED',
      /Token is Invalid or Expired/,
    ],
    [
      'a failure',
      { status: 500, body: '{"message":"boom","traceback":["File secret.py"]}' },
      'HTTP_STATUS',
      /answered 500: boom/,
    ],
  ])('refuses %s', async (_what, answer, code, message) => {
    const roots = clientOf(() => answer).client.roots(IDS, ms(1));
    await expect(roots).rejects.toMatchObject({
      name: 'GraphError',
      code,
      url: `${TABLE}/roots_binary`,
      status: answer.status ?? 200,
      message: expect.stringMatching(message),
    });
    const shown = inspect(await roots.catch((error: unknown) => error), { depth: 9, showHidden: true });
    for (const hidden of ['s3cr3t', 'secret.py', 'timestamp=']) expect(shown).not.toContain(hidden);
  });

  test.each([
    ['TIMEOUT', 'TIMEOUT'],
    ['CONNECTION', 'CONNECTION'],
    ['TOO_LARGE', 'BAD_REPLY'],
    ['REDIRECT', 'BAD_REPLY'],
    ['BAD_RESPONSE', 'BAD_REPLY'],
  ] as const)('turns a request error %s into %s', async (code, expected) => {
    const cause = new RequestError(code, 'what happened', TABLE);
    const { client } = clientOf(() => {
      throw cause;
    });
    await expect(client.roots(IDS, ms(1))).rejects.toMatchObject({
      name: 'GraphError',
      code: expected,
      message: 'what happened',
      cause,
    });
  });

  test('rejects with the reason of an abort', async () => {
    const reason = new Error('enough');
    const { client } = clientOf(() => {
      throw reason;
    });
    await expect(client.roots(IDS, ms(1))).rejects.toBe(reason);
  });

  test('learns the time from every reply, even from an error', async () => {
    const clock = new ServerClock({
      clocks: { wall: () => Date.parse('2024-06-05T10:12:00Z'), steady: () => 0 },
    });
    const { client } = clientOf(() => ({ status: 500, headers: { date: 'Wed, 05 Jun 2024 10:10:01 GMT' } }), {
      clock,
    });
    await expect(client.roots(IDS, ms(1))).rejects.toMatchObject({ status: 500 });
    expect(client.clock.now()).toBe(Date.parse('2024-06-05T10:10:01Z'));
  });

  // Bodies of requests to a real server, and of its replies.
  const basic = recorded.filter(({ name }) =>
    [
      'rb.basic',
      'rb.duplicates-order',
      'rb.zero-among',
      'rb.unknown-among',
      'rb.high-bit',
      'rb.empty',
    ].includes(name),
  );
  test.each(basic)('writes and reads the bytes of $name', async ({ body = '', answer }) => {
    const ids = new BigUint64Array(new Uint8Array(Buffer.from(body, 'base64')).buffer);
    const { requested, client } = clientOf(() => ({
      body: Buffer.from(answer.body ?? '', 'base64'),
      headers: answer.headers,
    }));
    const roots = await client.roots(ids, ms(1));
    expect(Buffer.from(requested[0].body!).toString('base64')).toBe(body);
    expect(Buffer.from(bytesOf(roots)).toString('base64')).toBe(answer.body ?? '');
  });
});

describe('ChunkedGraphClient.currentRoots', () => {
  const latest = (...is_latest: unknown[]): Answer => ({ body: JSON.stringify({ is_latest }) });

  test('sends exact digits, and one millisecond more because the server excludes its timestamp', async () => {
    const { requested, client } = clientOf(() => latest(true, false, true, true));
    expect(await client.currentRoots(IDS, { timestampMs: 1578441600123 })).toEqual(
      BigUint64Array.of(IDS[0], 0n, 0n, IDS[3]),
    );
    const [{ url, body, retry, method, idleTimeoutMs }] = requested;
    expect([method, url, retry, idleTimeoutMs]).toEqual([
      'POST',
      `${TABLE}/is_latest_roots?timestamp=1578441600.124`,
      false,
      600_000,
    ]);
    expect(new TextDecoder().decode(body)).toBe(
      '{"node_ids":[72127962782105601,18446744073709551615,0,72127962782105601]}',
    );
  });

  test.each<[what: string, answer: Answer, message: RegExp]>([
    ['too few', latest(true), /is_latest_roots answered 1 values for 4 IDs/],
    ['too many', latest(true, true, true, true, true), /answered 5 values for 4 IDs/],
    [
      'other values',
      latest(true, 1, true, true),
      /answered something other than a list of booleans for 4 IDs/,
    ],
    ['no list', { body: '{"is_latest":"yes"}' }, /something other than a list of booleans/],
    ['null', { body: 'null' }, /something other than a list of booleans/],
    ['a web page', { body: '<html>' }, /something other than a list of booleans/],
    ['nothing', {}, /something other than a list of booleans/],
  ])('refuses %s', async (_what, answer, message) => {
    await expect(clientOf(() => answer).client.currentRoots(IDS, ms(1))).rejects.toMatchObject({
      name: 'GraphError',
      code: 'BAD_REPLY',
      message: expect.stringMatching(message),
    });
  });
});

describe('ChunkedGraphClient.info', () => {
  test("requests the table's info with the token, and returns the address of the server", async () => {
    const { requested, client } = clientOf(() => ({ body: '{"graph": {"n_layers": 4}}' }));
    const { signal } = new AbortController();
    expect(await client.info(signal)).toEqual({
      json: { graph: { n_layers: 4 } },
      serverAddress: '192.0.2.7',
    });
    expect(requested).toEqual([
      {
        method: 'GET',
        url: `${ORIGIN}/segmentation/table/t/info`,
        signal,
        followRedirects: false,
        retry: true,
        maxBytes: 16 * 1024 * 1024,
        headers: {
          'x-requested-with': 'graphene-points',
          'accept-encoding': 'identity',
          authorization: 'Bearer s3cr3t-token',
        },
      },
    ]);
  });

  test('decompresses the info', async () => {
    const { client } = clientOf(() => ({
      body: gzipSync('{"a":1}'),
      headers: { 'content-encoding': 'gzip' },
    }));
    expect((await client.info()).json).toEqual({ a: 1 });
  });

  test.each<[what: string, answer: Answer, error: object]>([
    [
      'a web page',
      { body: '<html>log in</html>' },
      {
        name: 'InfoError',
        code: 'BAD_INFO',
        message: `info at ${ORIGIN}/segmentation/table/t/info is a web page, not JSON: check the address, and whether the server needs a log-in`,
      },
    ],
    [
      'cut JSON',
      { body: '{"graph"' },
      {
        name: 'InfoError',
        code: 'BAD_INFO',
        message: `info at ${ORIGIN}/segmentation/table/t/info is not JSON`,
      },
    ],
    ['nothing', {}, { name: 'InfoError', code: 'BAD_INFO' }],
    [
      'a broken encoding',
      { body: 'x', headers: { 'content-encoding': 'gzip' } },
      { name: 'GraphError', code: 'BAD_REPLY' },
    ],
    [
      'a 404',
      { status: 404, body: '<title>404 Not Found</title>' },
      { name: 'GraphError', code: 'HTTP_STATUS', status: 404 },
    ],
    [
      'a redirect',
      { status: 302, headers: { location: '/login' } },
      { name: 'GraphError', code: 'LOGIN_REDIRECT', status: 302 },
    ],
  ])('refuses %s', async (_what, answer, error) =>
    expect(clientOf(() => answer).client.info()).rejects.toMatchObject(error),
  );
});
