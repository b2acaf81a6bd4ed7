import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { parseGraphPath } from '../../lib/chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../lib/chunkedgraph/server/graph-server.ts';
import { untilAllowed } from '../../lib/failures/rate-limit.ts';
import type { HttpClient } from '../../lib/http/client.ts';

describe('untilAllowed', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Milliseconds at which each of `count` was allowed. */
  async function times(host: string, perSecond: number, count: number, forMs: number): Promise<number[]> {
    const began = Date.now(),
      allowed: number[] = [];
    for (let k = 0; k < count; k++)
      void untilAllowed(host, perSecond, undefined).then(() => allowed.push(Date.now() - began));
    await jest.advanceTimersByTimeAsync(forMs);
    return allowed;
  }

  test('lets so many go in any second', async () => {
    const allowed = await times('a.example.org', 3, 8, 5000);
    expect(allowed).toHaveLength(8);
    for (let k = 3; k < allowed.length; k++) expect(allowed[k] - allowed[k - 3]).toBeGreaterThanOrEqual(1000);
    expect(allowed[7]).toBeLessThan(2100);
  });

  test('takes fractions', async () => {
    const allowed = await times('b.example.org', 0.5, 3, 4100);
    expect(allowed).toHaveLength(3);
    expect(allowed[1]).toBeGreaterThanOrEqual(2000);
  });

  test('counts each host by itself, over all who ask', async () => {
    const [a, b] = await Promise.all([times('c.example.org', 2, 2, 0), times('d.example.org', 2, 3, 0)]);
    expect([a.length, b.length]).toEqual([2, 2]);
    expect(await times('c.example.org', 2, 1, 0)).toEqual([]);
  });

  test('lets an abort leave, which takes no turn', async () => {
    await times('e.example.org', 1, 1, 0);
    const abort = new AbortController();
    const left = untilAllowed('e.example.org', 1, abort.signal);
    const stays = times('e.example.org', 1, 1, 1100);
    abort.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    expect(await stays).toHaveLength(1);
  });

  test('is asked before each attempt of a request, repeats included', async () => {
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
    const asked = server.ask({ url: 'https://f.example.org/info', maxBytes: 9 });
    await jest.advanceTimersByTimeAsync(2100);
    await asked;
    expect(attempts).toHaveLength(3);
    for (let k = 1; k < 3; k++) expect(attempts[k] - attempts[k - 1]).toBeGreaterThanOrEqual(1000);
  });
});
