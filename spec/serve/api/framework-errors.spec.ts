import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RawClient } from '../raw-client.ts';
import { startServiceWorld, type ServiceWorld } from '../service-world.ts';

let world: ServiceWorld;
beforeAll(async () => void (world = await startServiceWorld()));
afterAll(() => world.close());

test.each([
  ['a path with a bad escape', 'GET /v1/%zz/info HTTP/1.1\r\nhost: HOST\r\n\r\n', 400],
  ['a name that is too long', `GET /v1/${'n'.repeat(1900)}/info HTTP/1.1\r\nhost: HOST\r\n\r\n`, 414],
  ['a head that is too large', `GET /v1 HTTP/1.1\r\nhost: HOST\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
  [
    'two lengths of the body',
    'POST /v1/world/points HTTP/1.1\r\nhost: HOST\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['what is not HTTP', 'hello\r\n\r\n', 400],
])('%s is refused in the form of all errors, and not repeated', async (_, text, status) => {
  const client = await RawClient.connect(world.service.url);
  client.write(text.replace('HOST', new URL(world.service.url).host));
  const answer = await client.answer();
  expect(answer.status).toBe(status);
  expect(answer.head).toContain('content-type: application/json');
  const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } };
  expect(error.code).toMatch(/^BAD_/);
  expect(error.message.length).toBeLessThan(200);
  client.socket.destroy();
});
