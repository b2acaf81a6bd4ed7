import { afterEach, expect, test } from '@jest/globals';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { createFetch } from '../../lib/http/create-fetch.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';

let server: LoopbackServer | undefined;
const http = createHttpClient({ retries: 3, backoffMs: 1 });
afterEach(async () => {
  await server?.close();
  server = undefined;
});

test('posts a form, and returns status, type and body', async () => {
  server = await serve(
    (_request, response) =>
      void response
        .writeHead(400, { 'content-type': 'application/json', location: 'x' })
        .end('{"error":"no"}'),
  );
  const response = await createFetch(http)(server.origin, {
    method: 'POST',
    headers: { 'x-a': 'b' },
    body: new URLSearchParams({ key: 'a b&' }),
  });
  expect([response.status, response.headers.get('content-type'), await response.json()]).toEqual([
    400,
    'application/json',
    { error: 'no' },
  ]);
  expect(server.requests).toMatchObject([
    {
      method: 'POST',
      body: Buffer.from('key=a+b%26'),
      headers: { 'x-a': 'b', 'content-type': expect.stringContaining('x-www-form-urlencoded') },
    },
  ]);
});
test('sends a GET without retries and redirects', async () => {
  server = await serve((_request, response) => void response.writeHead(503).end());
  expect((await createFetch(http)(`${server.origin}/a`)).status).toBe(503);
  expect(server.requests).toMatchObject([{ method: 'GET', path: '/a' }]);
});
test('ends with its signal', async () => {
  server = await serve(() => undefined);
  const abort = new AbortController(),
    reason = new Error('enough');
  const work = createFetch(http)(server.origin, { signal: abort.signal });
  setImmediate(() => abort.abort(reason));
  await expect(work).rejects.toBe(reason);
});
test('refuses a body that is too long for a token', async () => {
  server = await serve((_request, response) => void response.end(Buffer.alloc(2 ** 20 + 1)));
  await expect(createFetch(http)(server.origin)).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  '%s is sent once, with its method and body',
  async (method) => {
    server = await serve(
      (_request, response) =>
        void response
          .writeHead(503, { 'x-said': 'a', 'content-length': 3 })
          .end(method === 'HEAD' ? undefined : 'one'),
    );
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const response = await createFetch(http)(`${server.origin}/a`, {
      method,
      headers: { 'x-a': 'b' },
      ...(hasBody && { body: 'what is sent' }),
    });
    expect([response.status, response.headers.get('x-said'), await response.text()]).toEqual([
      503,
      'a',
      method === 'HEAD' ? '' : 'one',
    ]);
    expect(server.requests).toMatchObject([
      { method, path: '/a', headers: { 'x-a': 'b' }, body: Buffer.from(hasBody ? 'what is sent' : '') },
    ]);
    expect(server.requests).toHaveLength(1);
  },
);
test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  '%s without a body ends, and does not follow a redirect',
  async (method) => {
    server = await serve(
      (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
    );
    expect((await createFetch(http)(server.origin, { method })).status).toBe(302);
    expect(server.requests.map((request) => request.method)).toEqual([method]);
    const { status } = await http.request({ url: server.origin, method: method as 'PUT' });
    expect([status, server.requests.length]).toEqual([302, 2]);
  },
);
test('refuses an unknown method', async () => {
  await expect(createFetch(http)('http://127.0.0.1:1', { method: 'PROPFIND' })).rejects.toThrow(
    new TypeError('PROPFIND is not a method that is sent'),
  );
});
