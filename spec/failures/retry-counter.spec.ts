import { describe, expect, test } from '@jest/globals';
import { RetryCounter } from '../../lib/failures/retry-counter.ts';
import type { RetryDecision } from '../../lib/failures/retry-decision.ts';

/** Returns the pause after each failure in turn. */
const pauses = (decisions: RetryDecision[], retries?: number): (number | undefined)[] => {
  const counter = new RetryCounter({ retries, random: () => 0 });
  return decisions.map((decision) => counter.nextDelayMs(decision));
};

describe('RetryCounter', () => {
  test('gives up after the last retry', () => {
    expect(pauses(Array<RetryDecision>(5).fill('wait'))).toEqual([100, 200, 400, 800, undefined]);
    expect(pauses(['wait'], 0)).toEqual([undefined]);
    expect(pauses(['once'], 0)).toEqual([undefined]);
  });
  test('allows only one retry for failures that are retried once, whatever comes between', () => {
    expect(pauses(['once', 'once'])).toEqual([100, undefined]);
    expect(pauses(['once', 'wait', 'wait', 'split'])).toEqual([100, 200, 400, undefined]);
  });
  test.each(['final', 'splitOnly', 'unknown'] as const)('does not retry after %s', (decision) =>
    expect(pauses([decision])).toEqual([undefined]),
  );
  test('waits for the time of Retry-After', () =>
    expect(new RetryCounter().nextDelayMs('wait', '7')).toBe(7000));
});
