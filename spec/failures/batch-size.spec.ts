import { describe, expect, test } from '@jest/globals';
import { BatchSize } from '../../lib/failures/batch-size.ts';

/** `-50` is a failure of 50, `50` a success. */
function limitAfter(events: number[], wanted = 1000): number {
  const batchSize = new BatchSize();
  for (const count of events)
    if (count < 0) batchSize.failed(-count);
    else batchSize.succeeded(count, wanted);
  return batchSize.limit;
}

describe('BatchSize', () => {
  test.each<[what: string, events: number[], limit: number]>([
    ['has no limit at first', [], Infinity],
    ['has no limit after successes', [1000, 1000], Infinity],
    ['halves a size that failed', [-1000], 500],
    ['rounds up, so that both halves fit', [-101], 51],
    ['is never below one', [-3, -2, -1], 1],
    ['halves once for requests that were in flight together', [-1000, -1000, -1000], 500],
    ['continues to halve', [-1000, -500, -250], 125],
    ['does not fall below a size that worked', [-1000, 500, -600], 500],
    ['ignores the first failures of a size that worked', [-1000, 500, -500, -250], 500],
    ['falls after the third failure in a row of a size that worked', [-1000, 500, -500, -500, -500], 250],
    ['forgets those failures after a success', [-1000, 500, -500, -500, 500, -500, -500], 500],
    ['grows by a quarter after eight full requests', [-1000, ...Array<number>(8).fill(500)], 625],
    ['does not grow after seven', [-1000, ...Array<number>(7).fill(500)], 500],
    ['does not count requests that were not full', [-1000, ...Array<number>(20).fill(499)], 500],
    [
      'counts full requests in a row',
      [-1000, ...Array<number>(7).fill(500), -700, ...Array<number>(7).fill(500)],
      500,
    ],
    ['grows from one', [-2, ...Array<number>(8).fill(1)], 2],
    [
      'drops its limit when it exceeds the wanted size',
      [
        -1000,
        ...Array<number>(8).fill(500),
        ...Array<number>(8).fill(625),
        ...Array<number>(8).fill(782),
        ...Array<number>(8).fill(978),
      ],
      Infinity,
    ],
  ])('%s', (_what, events, limit) => expect(limitAfter(events)).toBe(limit));
});
