import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { untilAllowed } from '../../lib/chunkedgraph/rate-limit.ts';

describe('untilAllowed', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Milliseconds at which each of `count` was allowed. */
  async function times(host: string, perSecond: number, count: number, forMs: number): Promise<number[]> {
    const began = Date.now(), allowed: number[] = [];
    for (let k = 0; k < count; k++) void untilAllowed(host, perSecond, undefined).then(() => allowed.push(Date.now() - began));
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
});
