import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { getEventListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import nock from 'nock';
import type { HttpClientOptions } from '../../lib/failures/http-client.ts';
import type { HttpClient, HttpRequest } from '../../lib/http/http-request.ts';
import { USER_AGENT } from '../../lib/http/user-agent.ts';
import { fakeTimeouts } from '../support/fake-timeouts.ts';
import { createTestedClient } from '../support/http-clients.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, earlier: number) => void;
let server: LoopbackServer | undefined;
let client: HttpClient | undefined;

beforeAll(() => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
});
afterAll(() => nock.restore());
afterEach(async () => {
  jest.useRealTimers();
  client?.close();
  await server?.close();
  client = server = undefined;
});

/** Sends one request to a server with the given answer. */
async function send(answer: Answer, request: Partial<HttpRequest> = {}, options: HttpClientOptions = {}) {
  server = await serve(answer);
  client = createTestedClient({ backoffMs: 1, ...options });
  return client.request({ url: `${server.origin}/k`, ...request });
}
const text = (body: Uint8Array): string => new TextDecoder().decode(body);
const ok: Answer = (_request, response) => void response.end('bytes');
const never: Answer = () => {};
const HOUR = 3_600_000;

describe('HttpClient', () => {
  test('sends its own headers, the given headers, and the range', async () => {
    const reply = await send(ok, { headers: { Authorization: 'Bearer t' }, range: { start: 5, end: 9 } });
    expect([reply.status, text(reply.body), reply.url]).toEqual([200, 'bytes', `${server!.origin}/k`]);
    expect(server!.requests[0].headers).toMatchObject({
      'user-agent': USER_AGENT,
      'accept-encoding': 'gzip, br, zstd',
      authorization: 'Bearer t',
      range: 'bytes=5-8',
    });
  });
  test('names the version in package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(USER_AGENT).toBe(`graphene-points/${version}`);
  });
  test('does not undo a content encoding', async () => {
    const reply = await send(
      (_request, response) => void response.setHeader('content-encoding', 'gzip').end('not really gzip'),
    );
    expect(text(reply.body)).toBe('not really gzip');
  });
  test('posts a view of bytes', async () => {
    await send(ok, { method: 'POST', body: Uint8Array.of(9, 1, 2, 3).subarray(1) });
    expect([server!.requests[0].method, [...server!.requests[0].body]]).toEqual(['POST', [1, 2, 3]]);
  });
  test('posts an empty body', async () => expect((await send(ok, { method: 'POST' })).status).toBe(200));
  test('keeps its socket alive', async () => {
    nock.restore(); // the sockets of nock are not real
    try {
      await send(ok);
      await client!.request({ url: `${server!.origin}/l` });
      expect(await server!.sockets()).toBe(1);
      client!.close();
      await expect(client!.request({ url: server!.origin })).rejects.toMatchObject({ code: 'CONNECTION' });
    } finally {
      nock.activate();
    }
  });
  test('joins a body that comes in parts, and counts its bytes', async () => {
    const meter = { requests: 0, bytes: 0 };
    const reply = await send(
      (_request, response) => {
        response.write('a'.repeat(70_000));
        setImmediate(() => response.end('b'));
      },
      { meter },
    );
    expect([reply.body.length, meter]).toEqual([70_001, { requests: 1, bytes: 70_001 }]);
  });
});

describe('HttpClient retries', () => {
  test.each([408, 429, 500, 502, 503])('%i until the request succeeds', async (status) => {
    const meter = { requests: 0, bytes: 0 };
    const reply = await send(
      (_request, response, earlier) => void response.writeHead(earlier < 2 ? status : 200).end('xyz'),
      { meter },
    );
    expect([reply.status, meter]).toEqual([200, { requests: 3, bytes: 9 }]);
  });
  test.each([400, 401, 403, 404, 413, 416])('do not happen after %i', async (status) => {
    const reply = await send((_request, response) => void response.writeHead(status).end());
    expect([reply.status, server!.requests.length]).toEqual([status, 1]);
  });
  test('end with the last answer', async () => {
    const reply = await send((_request, response, earlier) => void response.writeHead(500).end(`${earlier}`));
    expect([reply.status, text(reply.body), server!.requests.length]).toEqual([500, '4', 5]);
  });
  test('happen at most `retries` times', async () => {
    await send((_request, response) => void response.writeHead(500).end(), {}, { retries: 1 });
    expect(server!.requests).toHaveLength(2);
  });
  test('do not happen if Retry-After is too long', async () => {
    const reply = await send(
      (_request, response) => void response.writeHead(503, { 'retry-after': '3600' }).end(),
    );
    expect([reply.status, server!.requests.length]).toEqual([503, 1]);
  });
  test('a reset connection', async () => {
    const reply = await send(
      (request, response, earlier) =>
        void (earlier < 1 ? request.socket.resetAndDestroy() : response.end('yes')),
    );
    expect([text(reply.body), server!.requests.length]).toEqual(['yes', 2]);
  });
  test.each([
    ['a stated length', { 'content-length': '10' }],
    ['chunks', {}],
  ])('a body cut short of %s', async (_name, headers) => {
    const reply = await send((request, response, earlier) => {
      if (earlier > 0) return void response.end('0123456789');
      response.writeHead(200, headers).write('0123');
      setImmediate(() => request.socket.destroy());
    });
    expect([text(reply.body), server!.requests.length]).toEqual(['0123456789', 2]);
  });
  test('a refused connection, until it gives up', async () => {
    const closed = await serve(ok);
    await closed.close();
    client = createTestedClient({ backoffMs: 1, retries: 2 });
    const meter = { requests: 0, bytes: 0 };
    await expect(client.request({ url: `${closed.origin}/k?sig=x`, meter })).rejects.toMatchObject({
      name: 'RequestError',
      code: 'CONNECTION',
      url: `${closed.origin}/k`,
    });
    expect(meter.requests).toBe(3);
  });
  describe('happen once after', () => {
    /** Advances the time by one hour, repeatedly, whenever nothing is in flight. */
    async function untilOver(reply: Promise<unknown>, isQuiet: () => boolean): Promise<void> {
      let over = false;
      const passTime = (): void => {
        if (over) return;
        if (isQuiet()) jest.advanceTimersByTime(HOUR);
        setImmediate(passTime);
      };
      passTime();
      await reply.catch(() => undefined);
      over = true;
    }

    test('silence', async () => {
      fakeTimeouts();
      const meter = { requests: 0, bytes: 0 };
      const reply = send(never, { idleTimeoutMs: HOUR, meter });
      await untilOver(reply, () => server?.requests.length === meter.requests);
      await expect(reply).rejects.toMatchObject({ code: 'TIMEOUT' });
      expect(server!.requests).toHaveLength(2);
    });

    test('a stall inside a body', async () => {
      fakeTimeouts();
      const meter = { requests: 0, bytes: 0 };
      const reply = send(
        (_request, response) => void response.writeHead(200).write('a'),
        { meter },
        { idleTimeoutMs: HOUR },
      );
      await untilOver(reply, () => meter.bytes === meter.requests);
      await expect(reply).rejects.toMatchObject({ code: 'TIMEOUT', status: 200 });
      expect(server!.requests).toHaveLength(2);
    });
  });
  test.each([
    [undefined, 1],
    [true, 5],
  ])('a POST only if the request allows it (%s)', async (retry, count) => {
    await send((_request, response) => void response.writeHead(500).end(), {
      method: 'POST',
      body: Uint8Array.of(1),
      retry,
    });
    expect(server!.requests.map(({ body }) => body.length)).toEqual(Array(count).fill(1));
  });
});

describe('HttpClient limits', () => {
  const megabyte = Buffer.alloc(1 << 20);
  test.each([
    [
      'stated',
      (_request: unknown, response: ServerResponse) =>
        void response.setHeader('content-length', megabyte.length).end(megabyte),
    ],
    [
      'not stated',
      (_request: unknown, response: ServerResponse) => {
        response.write(megabyte);
        response.end();
      },
    ],
  ])('a body that is too long, with its length %s', async (_name, answer) => {
    await expect(send(answer, { maxBytes: megabyte.length - 1 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
    expect(server!.requests).toHaveLength(1);
    client!.close();
    await server!.close();
    expect((await send(answer, { maxBytes: megabyte.length })).body.length).toBe(megabyte.length);
  });
  test('a failed reply by cutting it', async () => {
    const reply = await send((_request, response) => void response.writeHead(404).end(megabyte), {
      maxBytes: 10,
    });
    expect(reply.status).toBe(404);
    expect(reply.body.length).toBeLessThan(200_000);
  });
  test('headers', async () => {
    await expect(
      send((_request, response) => void response.setHeader('x', 'y'.repeat(100_000)).end()),
    ).rejects.toMatchObject({ code: 'CONNECTION', message: expect.stringContaining('HPE_HEADER_OVERFLOW') });
  });
});

describe('HttpClient redirects', () => {
  const to =
    (location: string, status = 302): Answer =>
    (request, response) =>
      void (request.url === '/k'
        ? response.writeHead(status, { location }).end('moved')
        : response.end('there'));
  test.each([301, 302, 303, 307, 308])('follows %i', async (status) => {
    const reply = await send(to('/l', status), { headers: { authorization: 'Bearer t' } });
    expect([text(reply.body), reply.url, server!.requests[1].headers.authorization]).toEqual([
      'there',
      `${server!.origin}/l`,
      'Bearer t',
    ]);
  });
  test('returns the redirect itself for POST, and if followRedirects is false', async () => {
    expect((await send(to('/l'), { followRedirects: false })).status).toBe(302);
    expect((await client!.request({ url: `${server!.origin}/k`, method: 'POST' })).status).toBe(302);
    expect(server!.requests).toHaveLength(2);
  });
  test('stops after three redirects', async () => {
    await expect(
      send((_request, response) => void response.writeHead(302, { location: '/k' }).end()),
    ).rejects.toMatchObject({ code: 'REDIRECT' });
    expect(server!.requests).toHaveLength(4);
  });
  test('sends no credentials to another origin', async () => {
    const other = await serve(ok);
    try {
      await send(to(`${other.origin}/x`), {
        headers: { authorization: 'Bearer t', cookie: 'c', 'x-key': 'k' },
        range: { start: 0, end: 5 },
      });
      const { authorization, cookie, range, ...rest } = other.requests[0].headers;
      expect({ authorization, cookie, range, key: rest['x-key'] }).toEqual({
        authorization: undefined,
        cookie: undefined,
        range: 'bytes=0-4',
        key: undefined,
      });
    } finally {
      await other.close();
    }
  });
  test('checks the address of each redirect', async () => {
    nock('http://8.8.8.8').get('/k').reply(302, '', { location: 'http://169.254.169.254/latest' });
    client = createTestedClient();
    await expect(client.request({ url: 'http://8.8.8.8/k', allowAddress: 'public' })).rejects.toMatchObject({
      name: 'PathError',
      code: 'FORBIDDEN_ADDRESS',
    });
  });
});

describe('HttpClient addresses', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://[::1]:PORT/',
    'http://10.0.0.1/',
    'http://0x7f.1:PORT/',
    'http://2130706433/',
    'https://[fd00::1]/',
  ])('refuses %s if a server named it', async (url) => {
    server = await serve(ok);
    client = createTestedClient();
    await expect(
      client.request({ url: url.replace('PORT', String(server.port)), allowAddress: 'public' }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN_ADDRESS' });
    expect(server.requests).toHaveLength(0);
  });
  test('does not reuse a socket that was opened without the check', async () => {
    await send(ok);
    await expect(
      client!.request({ url: `${server!.origin}/k`, allowAddress: 'public' }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN_ADDRESS' });
  });
});

describe('HttpClient abort', () => {
  const reason = new Error('enough');
  const stalled: Record<string, Answer> = {
    'before the reply': never,
    'inside the body': (_request, response) => void response.writeHead(200).write('a'),
    'while it waits for a retry': (_request, response) =>
      void response.writeHead(503, { 'retry-after': '100' }).end(),
  };
  test.each(Object.keys(stalled))('%s rejects with the reason and leaves nothing behind', async (when) => {
    const controller = new AbortController();
    let markArrived!: () => void;
    const arrived = new Promise<void>((resolve) => (markArrived = resolve));
    const reply = send(
      (request, response, earlier) => {
        stalled[when](request, response, earlier);
        setImmediate(markArrived);
      },
      { signal: controller.signal },
    );
    reply.catch(() => {});
    await arrived;
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(reason);
    await expect(reply).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
  test('before the request sends nothing', async () => {
    await expect(send(ok, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server!.requests).toHaveLength(0);
  });
  test('puts one listener on a signal that many requests share', async () => {
    const { signal } = new AbortController();
    server = await serve(ok);
    client = createTestedClient();
    const replies = Array.from({ length: 20 }, (_, k) =>
      client!.request({ url: `${server!.origin}/${k}`, signal }),
    );
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await Promise.all(replies);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
  test('by close() ends requests in flight and refuses new ones', async () => {
    const reply = send((_request, _response) => client!.close());
    await expect(reply).rejects.toMatchObject({ code: 'CONNECTION' });
    await expect(client!.request({ url: server!.origin })).rejects.toMatchObject({ code: 'CONNECTION' });
  });
});

test.each<[string, Answer, Partial<HttpRequest>]>([
  ['a reset', (request) => void request.socket.resetAndDestroy(), {}],
  ['a timeout', never, { idleTimeoutMs: 10 }],
  ['a long body', (_request, response) => void response.end('long'), { maxBytes: 1 }],
  [
    'a redirect to plain http',
    (_request, response) => void response.writeHead(302, { location: 'ftp://x/?sig=s3cret' }).end(),
    {},
  ],
])('no error shows a token: %s', async (_name, answer, request) => {
  const error: unknown = await send(
    answer,
    { headers: { authorization: 'Bearer s3cret' }, ...request },
    { retries: 0 },
  ).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('s3cret');
});

test.each([
  ['ftp://host/', 'UNSUPPORTED_SCHEME'],
  ['no url', 'BAD_PATH'],
])('refuses %s', async (url, code) => {
  client = createTestedClient();
  await expect(client.request({ url })).rejects.toMatchObject({ name: 'PathError', code });
});

describe('HttpClient: authorize', () => {
  test('is called for every attempt, with what is sent', async () => {
    const proofs: string[] = [];
    const authorize: HttpRequest['authorize'] = async ({ method, url, headers }) => {
      proofs.push(`${method} ${url.pathname} ${headers.range}`);
      return { authorization: `proof ${proofs.length}` };
    };
    await send(
      (_request, response, earlier) => void response.writeHead(earlier === 0 ? 503 : 200).end('bytes'),
      { authorize, range: { start: 0, end: 5 } },
    );
    expect(proofs).toEqual(['GET /k bytes=0-4', 'GET /k bytes=0-4']);
    expect(server!.requests.map(({ headers }) => headers.authorization)).toEqual(['proof 1', 'proof 2']);
  });
  test('is called again on the same origin, and never again after a redirect has left it', async () => {
    const authorize = async (): Promise<Record<string, string>> => ({ authorization: 'proof' });
    const other = await serve(
      (_request, response) => void response.writeHead(302, { location: `${server!.origin}/back` }).end(),
    );
    try {
      await send(
        (request, response) =>
          void (request.url === '/back'
            ? response.end('bytes')
            : response.writeHead(302, { location: request.url === '/k' ? '/l' : other.origin }).end()),
        { authorize },
      );
      expect(server!.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
        ['/k', 'proof'],
        ['/l', 'proof'],
        ['/back', undefined],
      ]);
      expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });
  test('ends the request with its own error before anything is sent', async () => {
    const reason = new Error('no proof');
    await expect(send(ok, { authorize: () => Promise.reject(reason) })).rejects.toBe(reason);
    expect(server!.requests).toEqual([]);
  });
  test('ends with an abort and with close()', async () => {
    const reason = new Error('enough'),
      abort = new AbortController();
    const endless = { authorize: () => new Promise<never>(() => undefined) };
    const aborted = send(ok, { ...endless, signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await expect(aborted).rejects.toBe(reason);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    const closed = client!.request({ url: `${server!.origin}/k`, ...endless });
    setImmediate(() => client!.close());
    await expect(closed).rejects.toMatchObject({ code: 'CONNECTION' });
  });
});
