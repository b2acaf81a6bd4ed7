/** The number of reads at once, on simulated servers: time is counted, not measured. */
import { describe, expect, test } from '@jest/globals';
import { AdaptiveLimit, FEWEST_READS, MOST_READS, fixedLimit } from '../../lib/chunks/adaptive-limit.ts';
import { simulateReads } from './simulated-reads.ts';

const READS = 4000;
const simulate = (place: Partial<Parameters<typeof simulateReads>[0]>) =>
  simulateReads({ latencyMs: 0, workMs: 1, reads: READS, ...place });

describe('AdaptiveLimit', () => {
  test('doubles once at most where a thread is busy all the time', () => {
    for (const latencyMs of [0.2, 10, 20])
      expect(simulate({ latencyMs, workMs: 1 }).most).toBeLessThanOrEqual(2 * FEWEST_READS);
    for (const threads of [2, 8]) {
      const { most } = simulate({ latencyMs: 1, workMs: 2, threads });
      expect(most).toBeLessThanOrEqual(2 * FEWEST_READS);
    }
  });

  test('doubles per round trip where reads wait for a distant server', () => {
    const { limitAt } = simulate({ latencyMs: 100, workMs: 0.01 });
    expect([99, 150, 250, 350, 450].map(limitAt)).toEqual([32, 64, 128, MOST_READS, MOST_READS]);
  });

  test('grows until the threads are busy', () => {
    const far = simulate({ latencyMs: 100, workMs: 0.3 });
    expect(far.most).toBe(MOST_READS);
    expect(far.ms).toBeLessThan(0.35 * (READS / FEWEST_READS) * 100);
    const nearer = simulate({ latencyMs: 50, workMs: 0.5 });
    expect(nearer.most).toBeGreaterThanOrEqual(64);
    expect(nearer.ms).toBeLessThan(0.4 * (READS / FEWEST_READS) * 50);
    const shared = simulate({ latencyMs: 100, workMs: 1, threads: 2 });
    expect(shared.most).toBeGreaterThanOrEqual(128);
    expect(shared.ms).toBeLessThan(1.2 * (READS / 2) + 400);
  });

  // 1,239 chunks of 64 x 64 x 64 voxels: the first reads of a process take several times as long.
  test.each([
    { latencyMs: 50, most: 0.65 },
    { latencyMs: 100, most: 0.35 },
  ])(
    'needs $most of the time of 32 reads at $latencyMs ms, cold, with two threads',
    ({ latencyMs, most }) => {
      const cold = { coldReads: 100, coldFactor: 5, startMs: 90 };
      const { ms } = simulateReads({ latencyMs, workMs: 1.2, threads: 2, reads: 1239, ...cold });
      expect(ms).toBeLessThan(most * (1239 / FEWEST_READS) * (latencyMs + 5));
    },
  );

  test('is no slower than 32 reads at once anywhere', () => {
    for (const threads of [1, 2])
      for (const latencyMs of [0.2, 2, 5, 10, 20, 50, 100, 300])
        for (const workMs of [0.1, 0.3, 1, 3]) {
          const place = { latencyMs, workMs, threads, reads: 1200 };
          const fixed = simulateReads(place, () => fixedLimit(FEWEST_READS)).ms;
          expect(simulateReads(place).ms).toBeLessThanOrEqual(fixed + 1e-6);
        }
  });

  test('grows although the latency of the server varies', () => {
    for (const seed of [1, 2, 3]) {
      const { most, ms } = simulate({ latencyMs: 100, workMs: 0.1, spread: 0.8, seed });
      expect(most).toBe(MOST_READS);
      expect(ms).toBeLessThan(0.35 * (READS / FEWEST_READS) * 100);
    }
  });

  test('stops growing, and falls, where the server answers a bounded number of requests at once', () => {
    const { most, last } = simulate({ latencyMs: 60, workMs: 0.01, serverSlots: 16 });
    expect(most).toBeLessThanOrEqual(4 * FEWEST_READS);
    expect(last).toBeLessThanOrEqual(3 * FEWEST_READS);
  });

  test('keeps at most 64 MiB of stored bytes in flight', () => {
    const { most } = simulate({ latencyMs: 200, workMs: 0.1, bytes: 2 ** 20 });
    expect(most).toBeGreaterThan(FEWEST_READS);
    expect(most).toBeLessThanOrEqual(64);
  });

  const always = (limit: AdaptiveLimit, ms: number, bytes: number, waiting = 1000): number => {
    for (let k = limit.limit; k > 0; k--) limit.ended(ms, bytes, waiting);
    return limit.limit;
  };
  const idleClock = { now: () => 0, busyMs: () => [0, 0] };

  test('falls to the bound of bytes when chunks get larger', () => {
    const limit = new AdaptiveLimit(idleClock);
    while (limit.limit < MOST_READS) always(limit, 50, 1000);
    for (let k = 0; k < 300; k++) limit.ended(50, 2 ** 20, 1000);
    expect(limit.limit).toBe(64);
    for (let k = 0; k < 300; k++) limit.ended(50, 2 ** 24, 1000);
    expect(limit.limit).toBe(FEWEST_READS);
  });

  test('falls when reads take much longer, and never below 32', () => {
    const limit = new AdaptiveLimit(idleClock);
    while (limit.limit < MOST_READS) always(limit, 50, 1000);
    always(limit, 50, 1000);
    const falling = Array.from({ length: 12 }, () => always(limit, 400, 1000));
    expect(falling[0]).toBe(180);
    expect(falling).toEqual([...falling].sort((a, b) => b - a));
    expect(Math.min(...falling)).toBe(FEWEST_READS);
  });

  test('does not grow when no read waits', () => {
    const limit = new AdaptiveLimit(idleClock);
    for (let k = 0; k < 1000; k++) limit.ended(60, 1000, 0);
    expect(limit.limit).toBe(FEWEST_READS);
  });

  test('does not take the time between two calls for idle time', () => {
    let now = 0,
      busy = 0;
    const limit = new AdaptiveLimit({ now: () => now, busyMs: () => [busy, 0] });
    const call = (): void => {
      limit.resume();
      for (let k = 0; k < 4 * FEWEST_READS; k++) {
        now += 1;
        busy += 1;
        limit.ended(40, 1000, 1000);
      }
    };
    call();
    const { limit: first } = limit;
    for (let k = 0; k < 20; k++) {
      now += 1e6;
      call();
    }
    expect(limit.limit).toBe(first);
  });
});

test('a fixed limit never changes', () => {
  const limit = fixedLimit(3);
  limit.resume();
  expect(Array.from({ length: 100 }, () => limit.ended(1000, 1, 10)).some(Boolean)).toBe(false);
  expect(limit.limit).toBe(3);
});
