import { describe, expect, test } from '@jest/globals';
import { retryDelayMs, parseRetryAfterMs } from '../../lib/failures/retry-delay.ts';

const now = Date.UTC(2024, 5, 5, 10, 0, 0);
const first = { failedTries: 1, firstMs: 200, random: 0, now };

describe('retryDelayMs', () => {
  test.each([
    [1, 0, 100],
    [1, 1, 200],
    [2, 0, 200],
    [2, 1, 400],
    [3, 0.5, 600],
    [4, 0, 800],
    [9, 1, 20_000],
    [30, 0, 10_000],
  ])('backs off after attempt %i with the random number %f: %i ms', (failedTries, random, ms) =>
    expect(retryDelayMs({ ...first, failedTries, random })).toBe(ms),
  );

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
  ])('honours Retry-After: %s', (retryAfter, ms) => expect(retryDelayMs({ ...first, retryAfter })).toBe(ms));
  test('returns undefined without Retry-After', () =>
    expect(parseRetryAfterMs(undefined, now)).toBeUndefined());
});
