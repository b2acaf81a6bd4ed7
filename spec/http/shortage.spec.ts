/** A connection that fails because no file descriptor is free: it is retried as if the server were busy. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { createHttpClient } from '../../lib/failures/http-client.ts';

beforeAll(() => nock.disableNetConnect());
afterAll(() => nock.restore());
afterEach(() => nock.cleanAll());

const shortage = (code: string): Error =>
  Object.assign(new Error(`connect ${code} 10.0.0.1:80`), { code, syscall: 'connect' });

describe.each(['EMFILE', 'ENFILE'])('%s', (code) => {
  test('is retried', async () => {
    nock('https://host.org').get('/k').times(2).replyWithError(shortage(code)).get('/k').reply(200, 'bytes');
    const client = createHttpClient({ backoffMs: 1 });
    expect((await client.request({ url: 'https://host.org/k' })).status).toBe(200);
    client.close();
  });

  test.each(['GET', 'POST'] as const)(
    'fails in the end with advice, and nothing was sent: %s',
    async (method) => {
      nock('https://host.org').intercept(/^\/k/, method).times(3).replyWithError(shortage(code));
      const client = createHttpClient({ backoffMs: 1, retries: 2 });
      await expect(client.request({ url: 'https://host.org/k?secret=1', method })).rejects.toMatchObject({
        code: 'CONNECTION',
        broken: 'unreachable',
        url: 'https://host.org/k',
        message: `${method} https://host.org/k: no file descriptor is left for a connection (${code}): let the process open more files (ulimit -n), or run fewer reads at once`,
      });
      expect(nock.pendingMocks().length).toBe(method === 'GET' ? 0 : 1);
      client.close();
    },
  );

  test('reduces the requests in flight', async () => {
    let running = 0,
      most = 0;
    const answer = async (): Promise<[number, string]> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return [200, 'bytes'];
    };
    nock('https://host.org')
      .get(/a/)
      .times(16)
      .replyWithError(shortage(code))
      .get(/a/)
      .times(64)
      .reply(answer);
    const client = createHttpClient({ backoffMs: 1 });
    await Promise.all(
      Array.from({ length: 16 }, (_, k) => client.request({ url: `https://host.org/a${k}` })),
    );
    expect(most).toBeLessThanOrEqual(9);
    client.close();
  });
});
