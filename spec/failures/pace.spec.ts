import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { parseGraphPath } from '../../lib/chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../lib/chunkedgraph/server/graph-server.ts';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { createPace, processPace } from '../../lib/failures/pace.ts';
import type { HttpClient } from '../../lib/http/http-request.ts';
import { serve } from '../support/http-server.ts';

describe('Pace.allow', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Returns the times in ms at which `count` requests were allowed. */
  async function times(host: string, perSecond: number, count: number, forMs: number): Promise<number[]> {
    const began = Date.now(),
      allowed: number[] = [];
    for (let k = 0; k < count; k++)
      void processPace.allow(host, perSecond, undefined).then(() => allowed.push(Date.now() - began));
    await jest.advanceTimersByTimeAsync(forMs);
    return allowed;
  }

  test('allows at most this many requests in any second', async () => {
    const allowed = await times('a.example.org', 3, 8, 5000);
    expect(allowed).toHaveLength(8);
    for (let k = 3; k < allowed.length; k++) expect(allowed[k] - allowed[k - 3]).toBeGreaterThanOrEqual(1000);
    expect(allowed[7]).toBeLessThan(2100);
  });

  test('accepts fractions', async () => {
    const allowed = await times('b.example.org', 0.5, 3, 4100);
    expect(allowed).toHaveLength(3);
    expect(allowed[1]).toBeGreaterThanOrEqual(2000);
  });

  test('counts each host separately, over all callers', async () => {
    const [a, b] = await Promise.all([times('c.example.org', 2, 2, 0), times('d.example.org', 2, 3, 0)]);
    expect([a.length, b.length]).toEqual([2, 2]);
    expect(await times('c.example.org', 2, 1, 0)).toEqual([]);
  });

  test('does not count a request that was aborted while it waited', async () => {
    await times('e.example.org', 1, 1, 0);
    const abort = new AbortController();
    const left = processPace.allow('e.example.org', 1, abort.signal);
    const stays = times('e.example.org', 1, 1, 1100);
    abort.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    expect(await stays).toHaveLength(1);
  });

  test('is called before each attempt of a request, including retries', async () => {
    const began = Date.now(),
      attempts: number[] = [];
    const http: HttpClient = {
      async request({ url, authorize }) {
        for (let attempt = 0; attempt < 3; attempt++) {
          expect(await authorize!({ method: 'GET', url: new URL(url), headers: {} })).toEqual({});
          attempts.push(Date.now() - began);
        }
        return {
          status: 200,
          headers: {},
          url: String(url),
          serverAddress: undefined,
          body: new Uint8Array(0),
        };
      },
      close() {},
    };
    const server = new GraphServer({
      http,
      path: parseGraphPath('graphene://https://f.example.org/segmentation/table/t'),
      rateLimit: 1,
    });
    const requested = server.request({ url: 'https://f.example.org/info', maxBytes: 9 });
    await jest.advanceTimersByTimeAsync(2100);
    await requested;
    expect(attempts).toHaveLength(3);
    for (let k = 1; k < 3; k++) expect(attempts[k] - attempts[k - 1]).toBeGreaterThanOrEqual(1000);
  });
});

describe('Pace.batchSize', () => {
  const pace = createPace();
  const batchSize = (host: string, endpoint: string): unknown => pace.batchSize(host, endpoint);

  test('is shared by all callers for one host and endpoint', () => {
    const size = batchSize('a.example.org', 'roots');
    expect(batchSize('a.example.org', 'roots')).toBe(size);
    expect(batchSize('a.example.org:8080', 'roots')).not.toBe(size);
    expect(batchSize('a.example.org', 'is_latest_roots')).not.toBe(size);
  });

  test('is forgotten for hosts that were not used for a long time, and kept for hosts in use', () => {
    const old = batchSize('old.example.org', 'roots'),
      used = batchSize('used.example.org', 'roots');
    for (let k = 0; k < 3000; k++) {
      batchSize(`${k}.example.org`, 'roots');
      expect(batchSize('used.example.org', 'roots')).toBe(used);
    }
    expect(batchSize('old.example.org', 'roots')).not.toBe(old);
  });
});

test.each([429, 503])('HttpClient: after %i, half as many retries run at once', async (status) => {
  jest.useRealTimers();
  const held: (() => void)[] = [];
  let inFlight = 0,
    most = 0;
  const server = await serve((_request, response, earlier) => {
    if (earlier < 20) {
      held.push(() => void response.writeHead(status).end());
      if (held.length === 20) for (const refuse of held) refuse();
      return;
    }
    most = Math.max(most, ++inFlight);
    setImmediate(() => {
      inFlight--;
      response.end('yes');
    });
  });
  const client = createHttpClient({ backoffMs: 1 });
  try {
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, k) => client.request({ url: `${server.origin}/${k}` })),
    );
    expect(replies.map((reply) => reply.status)).toEqual(Array(20).fill(200));
    expect(server.requests).toHaveLength(40);
    expect(most).toBeLessThanOrEqual(12); // 10, and 2 more for the answers that came
  } finally {
    client.close();
    await server.close();
  }
});

describe('HttpClient: the pace of a host', () => {
  test.each([
    ['is the same for all clients of the process', undefined, processPace],
    ['is the pace that was passed in', createPace(), undefined],
  ])('%s', async (_what, pace, learning = pace!) => {
    const server = await serve((_request, response) => void response.writeHead(503).end());
    const client = createHttpClient({ retries: 0, pace });
    try {
      await client.request({ url: server.origin });
      const { host } = new URL(server.origin),
        abort = new AbortController();
      const [first, second] = [learning.take(host, {}), learning.take(host, abort)];
      expect(first).toBeInstanceOf(Function); // one at a time
      abort.abort(new Error('enough'));
      await expect(second).rejects.toThrow('enough');
    } finally {
      client.close();
      await server.close();
    }
  });
});
