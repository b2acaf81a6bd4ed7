/** The number of reads at once, on simulated servers: time is counted, not measured. */
import { describe, expect, test } from '@jest/globals';
import { AdaptiveLimit, FEWEST_READS, MOST_READS, fixedLimit } from '../../lib/chunks/adaptive-limit.ts';

interface Place {
  /** Milliseconds until the first byte of a reply. */
  latencyMs: number;
  /** Milliseconds for which a read keeps the thread busy. */
  workMs: number;
  /** Stored bytes per read. */
  bytes?: number;
  reads?: number;
}

/**
 * Reads through a limit: the thread works on one reply at a time, and a reply comes `latencyMs` after its
 * request.
 * @returns The time that all reads took, and the largest and the last limit.
 */
function simulate(
  { latencyMs, workMs, bytes = 20_000, reads = 4000 }: Place,
  start = 0,
  makeLimit: (clock: { now: () => number; idleMs: () => number }) => AdaptiveLimit = (clock) =>
    new AdaptiveLimit(clock),
): { ms: number; most: number; last: number } {
  let now = start,
    idle = 0;
  const limit = makeLimit({ now: () => now, idleMs: () => idle });
  const inFlight: { sentAt: number; comesAt: number }[] = [];
  let waiting = reads,
    most = limit.limit;
  const send = (): void => {
    while (waiting > 0 && inFlight.length < limit.limit) {
      waiting--;
      inFlight.push({ sentAt: now, comesAt: now + latencyMs });
    }
  };
  send();
  while (inFlight.length > 0) {
    const { sentAt, comesAt } = inFlight.shift()!;
    if (comesAt > now) {
      idle += comesAt - now;
      now = comesAt;
    }
    now += workMs;
    limit.ended(now - sentAt, bytes, waiting);
    most = Math.max(most, limit.limit);
    send();
  }
  return { ms: now - start, most, last: limit.limit };
}

describe('AdaptiveLimit', () => {
  test('hardly grows where the thread is busy all the time', () => {
    expect(simulate({ latencyMs: 0.2, workMs: 1 })).toMatchObject({ most: FEWEST_READS });
    expect(simulate({ latencyMs: 10, workMs: 1 })).toMatchObject({ most: FEWEST_READS });
    expect(simulate({ latencyMs: 20, workMs: 1 }).most).toBeLessThanOrEqual(2 * FEWEST_READS);
  });

  test('grows where reads wait for a distant server, until the thread is busy', () => {
    const far = simulate({ latencyMs: 100, workMs: 0.3 });
    expect(far.most).toBe(MOST_READS);
    expect(far.ms).toBeLessThan(0.35 * (4000 / FEWEST_READS) * 100);
    const nearer = simulate({ latencyMs: 50, workMs: 0.5 });
    expect(nearer.most).toBeGreaterThanOrEqual(64);
    expect(nearer.ms).toBeLessThan(0.6 * (4000 / FEWEST_READS) * 50);
  });

  test('is no slower than 32 reads at once anywhere', () => {
    for (const latencyMs of [0.2, 2, 5, 10, 20, 50, 100, 300])
      for (const workMs of [0.1, 0.3, 1, 3]) {
        const { ms } = simulate({ latencyMs, workMs });
        const fixed = 4000 * Math.max(workMs, (latencyMs + workMs) / FEWEST_READS);
        expect(ms).toBeLessThan(1.05 * fixed + latencyMs + 2);
      }
  });

  test('keeps at most 64 MiB of stored bytes in flight', () => {
    const { most } = simulate({ latencyMs: 200, workMs: 0.1, bytes: 2 ** 20 });
    expect(most).toBeGreaterThan(FEWEST_READS);
    expect(most).toBeLessThanOrEqual(64);
  });

  test('falls when reads take much longer, and never below 32', () => {
    let now = 0;
    const limit = new AdaptiveLimit({ now: () => now, idleMs: () => now });
    const round = (ms: number): number => {
      for (let k = limit.limit; k > 0; k--) {
        now += ms / limit.limit;
        limit.ended(ms, 1000, 1000);
      }
      return limit.limit;
    };
    while (limit.limit < MOST_READS) round(50);
    const falling = Array.from({ length: 8 }, () => round(400));
    expect(falling[0]).toBe(192);
    expect(falling).toEqual([...falling].sort((a, b) => b - a));
    expect(Math.min(...falling)).toBeGreaterThanOrEqual(FEWEST_READS);
  });

  test('does not grow when no read waits', () => {
    let now = 0;
    const limit = new AdaptiveLimit({ now: () => now, idleMs: () => now });
    for (let k = 0; k < 1000; k++) {
      now += 2;
      limit.ended(60, 1000, 0);
    }
    expect(limit.limit).toBe(FEWEST_READS);
  });

  test('does not take the time between two calls for idle time', () => {
    const busy = { latencyMs: 10, workMs: 1, reads: FEWEST_READS * 4 };
    expect(simulate(busy, 1e6)).toMatchObject({ most: FEWEST_READS });
  });
});

test('a fixed limit never changes', () => {
  const limit = fixedLimit(3);
  expect(Array.from({ length: 100 }, () => limit.ended(1000, 1, 10)).some(Boolean)).toBe(false);
  expect(limit.limit).toBe(3);
});
