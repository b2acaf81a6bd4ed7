import { describe, expect, test } from '@jest/globals';
import { mockRequest } from '../../mocks/message.ts';
import { mockServer } from '../../mocks/server.ts';

const BODY = new Uint8Array(30);

async function exampleLog() {
  const server = mockServer(({ path }) => ({
    status: 200,
    headers: {},
    body: path === '/info' ? BODY : BODY.subarray(0, 8),
    ...(path.includes('roots') && { ids: 4 }),
  }));
  const send = (
    method: string,
    target: string,
    headers: Record<string, string> = {},
    body = '',
  ): Promise<unknown> =>
    server.handle(mockRequest(method, target, { headers: { host: 'pcg.example.org', ...headers }, body }));
  await send('GET', '/info', { authorization: 'Bearer graph-token' });
  await send('GET', '/node/72127962782105601/root?timestamp=1', { authorization: 'Bearer graph-token' });
  await send('GET', '/node/288230376151712042/root', { cookie: 'a=1; middle_auth_token=in-a-cookie; b=2' });
  await send('POST', '/roots_binary?middle_auth_token=in-the-query', {}, '12345678'.repeat(4));
  await send('HEAD', '/info', { host: 'other.example.org:8080', authorization: 'Bearer other-token' });
  await send('GET', '/8_8_40/0-64_0-64_0-64', { host: 'storage.example.org' });
  return server.log;
}

describe('the request log', () => {
  test('counts by route, with the IDs of a path left out', async () => {
    expect((await exampleLog()).byRoute()).toEqual({
      'GET /info': 1,
      'GET /node/{id}/root': 2,
      'POST /roots_binary': 1,
      'HEAD /info': 1,
      'GET /8_8_40/0-64_0-64_0-64': 1,
    });
  });

  test('sums bytes of requests and answers, for all or some paths', async () => {
    const log = await exampleLog();
    expect([log.bytes(), log.bytes('/node/'), log.bytes(/^\/info$/)]).toEqual([
      { up: 32, down: 62 },
      { up: 0, down: 16 },
      { up: 0, down: 30 },
    ]);
  });

  test('lists the tokens that each host was sent, in any form', async () => {
    expect((await exampleLog()).tokensByHost()).toEqual({
      'pcg.example.org': ['graph-token', 'in-a-cookie', 'in-the-query'],
      'other.example.org:8080': ['other-token'],
    });
  });

  test('finds requests by part of a path or by pattern, and IDs by batch', async () => {
    const log = await exampleLog();
    expect([
      log.count(),
      log.count('root'),
      log.count(/root$/),
      log.matching('roots')[0].query,
      log.idsPerBatch(),
    ]).toEqual([6, 3, 2, 'middle_auth_token=in-the-query', [4]]);
    log.clear();
    expect([log.count(), log.highestConcurrency]).toEqual([0, 0]);
  });

  test('counts the requests in flight at once, including those that wait', async () => {
    const open: (() => void)[] = [];
    const server = mockServer(async () => {
      await new Promise<void>((resolve) => open.push(resolve));
      return { status: 200, headers: {}, body: BODY };
    });
    const send = (): Promise<unknown> => server.handle(mockRequest('GET', '/'));
    const all = [send(), send(), send()];
    open[1]();
    await all[1];
    all.push(send());
    expect([server.log.highestConcurrency, server.log.requests.map(({ status }) => status)]).toEqual([
      3,
      [0, 200, 0, 0],
    ]);
    open.forEach((resolve) => resolve());
    await Promise.all(all);
    expect(server.log.highestConcurrency).toBe(3);
  });
});
