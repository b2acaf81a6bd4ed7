import { describe, expect, test } from '@jest/globals';
import { delayBeforeRetry, retryAfterMs } from '../../lib/http/retry.ts';

const NOW = Date.UTC(2024, 5, 5, 10, 0, 0);
const first = { made: 1, idle: 0, retries: 4, backoffMs: 200 };

describe('delayBeforeRetry', () => {
  test.each([
    [1, 0, 100],
    [1, 1, 200],
    [2, 0, 200],
    [2, 1, 400],
    [3, 0.5, 600],
    [4, 0, 800],
    [9, 1, 20_000],
    [30, 0, 10_000],
  ])('backs off after attempt %i with the dice at %f: %i ms', (made, random, ms) =>
    expect(delayBeforeRetry({ kind: 'connection' }, { ...first, made, retries: 99 }, random, NOW)).toBe(ms),
  );

  test.each([408, 429, 500, 502, 503, 504, 599])('tries %i again', (status) =>
    expect(delayBeforeRetry({ kind: 'status', status }, first, 0, NOW)).toBe(100),
  );
  test.each([400, 401, 403, 404, 413, 416, 600])('lets %i stand', (status) =>
    expect(delayBeforeRetry({ kind: 'status', status }, first, 0, NOW)).toBeUndefined(),
  );

  test('gives up after the last retry', () =>
    expect(delayBeforeRetry({ kind: 'connection' }, { ...first, made: 5 }, 0, NOW)).toBeUndefined());
  test('waits out one idle timeout more, not two', () => {
    expect(delayBeforeRetry({ kind: 'idle' }, { ...first, idle: 1 }, 0, NOW)).toBe(100);
    expect(delayBeforeRetry({ kind: 'idle' }, { ...first, made: 2, idle: 2 }, 0, NOW)).toBeUndefined();
  });
  test('lets a final failure stand', () =>
    expect(delayBeforeRetry({ kind: 'final' }, first, 0, NOW)).toBeUndefined());

  test.each([
    ['0', 100],
    ['10.5', 100],
    ['-1', 100],
    ['7', 7000],
    ['120', 120_000],
    ['121', undefined],
    ['Wed, 05 Jun 2024 10:00:03 GMT', 3000],
    ['Wed, 05 Jun 2024 09:00:00 GMT', 100],
    ['soon', 100],
  ])('honours Retry-After: %s', (retryAfter, ms) =>
    expect(delayBeforeRetry({ kind: 'status', status: 429, retryAfter }, first, 0, NOW)).toBe(ms),
  );
  test('reads no Retry-After out of nothing', () => expect(retryAfterMs(undefined, NOW)).toBeUndefined());
});
