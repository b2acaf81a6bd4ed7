import { describe, expect, test } from '@jest/globals';
import { RetryCounter } from '../../lib/failures/retry-counter.ts';
import type { RetryDecision } from '../../lib/failures/retry-decision.ts';

/** The pauses after failures, one after the other. */
const pauses = (verdicts: RetryDecision[], retries?: number): (number | undefined)[] => {
  const tries = new RetryCounter({ retries, random: () => 0 });
  return verdicts.map((verdict) => tries.nextDelayMs(verdict));
};

describe('Tries', () => {
  test('gives up after the last retry', () => {
    expect(pauses(Array<RetryDecision>(5).fill('wait'))).toEqual([100, 200, 400, 800, undefined]);
    expect(pauses(['wait'], 0)).toEqual([undefined]);
    expect(pauses(['once'], 0)).toEqual([undefined]);
  });
  test('waits out one more of what is worth one, not two, whatever came between', () => {
    expect(pauses(['once', 'once'])).toEqual([100, undefined]);
    expect(pauses(['once', 'wait', 'wait', 'split'])).toEqual([100, 200, 400, undefined]);
  });
  test.each(['stands', 'smaller', 'unknown'] as const)('lets what %s stand', (verdict) =>
    expect(pauses([verdict])).toEqual([undefined]),
  );
  test('waits as long as the server asks for', () =>
    expect(new RetryCounter().nextDelayMs('wait', '7')).toBe(7000));
});
