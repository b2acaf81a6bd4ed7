import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';

let server: LoopbackServer;
beforeAll(async () => void (server = await serve((_request, response) => response.end('ok'))));
afterAll(() => server.close());

test('a GET may have a body, which is sent with its length', async () => {
  const http = createHttpClient();
  for (const body of [
    new TextEncoder().encode('x{"node_ids":[72127962782105601]}').subarray(1),
    new Uint8Array(0),
    undefined,
  ])
    await http.request({ url: server.origin, body });
  expect(
    server.requests.map(({ method, body, headers }) => [method, body.toString(), headers['content-length']]),
  ).toEqual([
    ['GET', '{"node_ids":[72127962782105601]}', '32'],
    ['GET', '', undefined],
    ['GET', '', undefined],
  ]);
  http.close();
});
