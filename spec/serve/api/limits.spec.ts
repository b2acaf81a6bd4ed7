/** What the service does about too much, too slow, and clients that leave. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { RawClient } from '../raw-client.ts';
import { startServiceWorld, type ServiceWorld } from '../service-world.ts';

const JSON_BODY = { 'content-type': 'application/json' };
const BODY = '{"points": [[25, 8, 4]]}';
const PATH = '/v1/world/points';

let world: ServiceWorld;
const clients: RawClient[] = [];
const connect = async (): Promise<RawClient> => {
  const client = await RawClient.connect(world.service.url);
  clients.push(client);
  return client;
};
const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${world.service.url}/metrics`)).text();
  return Number(new RegExp(`^graphene_points_${name} (\\S+)$`, 'm').exec(text)?.[1]);
};
const until = async (isTrue: () => Promise<boolean>): Promise<void> => {
  while (!(await isTrue())) await new Promise((resolve) => setImmediate(resolve));
};
const post = (body: string | Uint8Array, headers: Record<string, string> = JSON_BODY, path = PATH) =>
  fetch(world.service.url + path, { method: 'POST', headers, body: body as string });
/** A request that is worked on until its body is complete. */
const occupy = async (): Promise<RawClient> => {
  const client = await connect(),
    before = await metric('requests_running');
  client.post(PATH, { ...JSON_BODY, 'content-length': BODY.length });
  await until(async () => (await metric('requests_running')) === before + 1);
  return client;
};

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await world.close();
});

describe('a body', () => {
  test('that is too long by its head is refused before it is sent, and the limit is named', async () => {
    world = await startServiceWorld({ maxBodyBytes: 1000 });
    const client = await connect();
    client.post(PATH, { ...JSON_BODY, 'content-length': 1001 });
    const { status, body } = await client.answer();
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({
      error: {
        code: 'BODY_TOO_LARGE',
        message: expect.stringMatching(/1000 bytes.*several requests/) as unknown,
      },
    });
  });

  test('that turns out too long is refused', async () => {
    world = await startServiceWorld({ maxBodyBytes: 1000 });
    const client = await connect();
    client.post(PATH, { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' });
    client.write(`7d0\r\n${'\0'.repeat(2000)}\r\n`);
    expect((await client.answer()).status).toBe(413);
  });

  test.each([
    [
      'application/json',
      JSON.stringify({
        points: [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
      }),
    ],
    ['text/csv', 'x,y,z\n1,2,3\n4,5,6\n7,8,9\n'],
    ['application/octet-stream', new Uint8Array(72)],
  ])('of too many rows is refused: %s', async (type, body) => {
    world = await startServiceWorld({ maxPoints: 2 });
    const answer = await post(body, { 'content-type': type });
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining('more than 2 rows')]);
  });

  test.each([
    ['whole', { 'content-length': BODY.length }],
    ['as it comes', { 'transfer-encoding': 'chunked' }],
  ])('that does not come is given up, and its connection is closed: read %s', async (_, headers) => {
    world = await startServiceWorld({ bodyTimeoutMs: 20 });
    const client = await connect();
    client.post(PATH, { ...JSON_BODY, ...headers });
    const { status, body } = await client.answer();
    expect([status, body]).toEqual([408, expect.stringContaining('BODY_TOO_SLOW')]);
    await client.closed();
    expect(await metric('requests_running')).toBe(0);
  });
});

describe('too many requests', () => {
  test('are refused by their heads with Retry-After, and welcome later', async () => {
    world = await startServiceWorld({ maxRequests: 1, maxQueued: 0 });
    const first = await occupy(),
      second = await connect();
    second.post(PATH, { ...JSON_BODY, 'content-length': BODY.length });
    const { status, head, body } = await second.answer();
    expect([status, body]).toEqual([429, expect.stringContaining('BUSY')]);
    expect(head).toMatch(/retry-after: [1-9]\d*/);
    expect(await metric('rejected_total')).toBe(1);
    first.write(BODY);
    expect((await first.answer()).status).toBe(200);
    expect((await post(BODY)).status).toBe(200);
  });

  test('wait for their turn while the queue has room, and leave it with their clients', async () => {
    world = await startServiceWorld({ maxRequests: 1, maxQueued: 2 });
    const first = await occupy(),
      leaving = await connect();
    leaving.post(PATH, { ...JSON_BODY, 'content-length': BODY.length });
    await until(async () => (await metric('queue_length')) === 1);
    const waiting = post(BODY);
    await until(async () => (await metric('queue_length')) === 2);
    leaving.socket.destroy();
    await until(async () => (await metric('queue_length')) === 1);
    first.write(BODY);
    expect((await first.answer()).status).toBe(200);
    expect((await waiting).status).toBe(200);
    expect([await metric('queue_length'), await metric('requests_running')]).toEqual([0, 0]);
  });

  test('are counted by their points, too', async () => {
    world = await startServiceWorld({ maxPointsAtOnce: 10, maxQueued: 0 });
    await occupy();
    const long = JSON.stringify({ points: Array.from({ length: 50 }, () => [25, 8, 4]) });
    expect((await post(long)).status).toBe(429);
    expect((await post(BODY)).status).toBe(200);
  });
});

describe('a client that leaves', () => {
  test('aborts its own work, and others that share its chunk get their answers', async () => {
    world = await startServiceWorld();
    const handle = world.bucket.handle.bind(world.bucket),
      asked = new Set<string>();
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.bucket.handle = async (request) => {
      asked.add(request.path);
      await held;
      return handle(request);
    };
    const leaving = new AbortController();
    const left = fetch(world.service.url + PATH, {
      method: 'POST',
      headers: JSON_BODY,
      body: BODY,
      signal: leaving.signal,
    });
    await until(async () => asked.size === 1);
    const staying = post(BODY);
    await until(async () => (await metric('requests_running')) === 2);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await until(async () => (await metric('requests_running')) === 1);
    release();
    expect(await (await staying).json()).toMatchObject({ status: ['ok'] });
    expect(asked.size).toBe(1);
    const text = await (await fetch(`${world.service.url}/metrics`)).text();
    expect(text).toContain('graphene_points_requests_total{route="/v1/:name/points",status="499"} 1');
  });
});

describe('a service that stops', () => {
  test('answers what runs, and refuses what comes on open connections', async () => {
    world = await startServiceWorld();
    const running = await occupy(),
      other = await connect();
    // A connection with a request under way stays open.
    other.post(PATH, { ...JSON_BODY, 'content-length': BODY.length });
    await until(async () => (await metric('requests_running')) === 2);
    const stopping = world.service.close();
    await expect(RawClient.connect(world.service.url)).rejects.toThrow(/ECONNREFUSED/);
    other.write(BODY);
    const last = await other.answer();
    expect(last.status).toBe(200);
    expect(last.head).toContain('connection: close');
    running.write(BODY);
    expect((await running.answer()).status).toBe(200);
    await stopping;
  });

  test('does not wait longer than it may', async () => {
    world = await startServiceWorld({ drainMs: 10 });
    const stuck = await occupy();
    await world.service.close();
    await stuck.closed();
  });
});
