import { describe, expect, jest, test } from '@jest/globals';
import { WindowClock, type WindowClockOptions } from '../../../lib/chunkedgraph/roots/window-clock.ts';
import { nextTurn } from '../../support/stub-store.ts';

function windowClockOf(options?: WindowClockOptions) {
  // advances with each reading; the server's clock is 7 ms behind
  const clock = {
    ms: 1_000_000,
    editMs: -Infinity,
    read: () => ({ nowMs: (clock.ms += 10), certainMs: clock.ms - 7 }),
  };
  return { clock, windowClock: new WindowClock(clock, options) };
}

describe('WindowClock', () => {
  test('holds now for one turn of the event loop', async () => {
    const { windowClock } = windowClockOf();
    expect([windowClock.now(), windowClock.now(), windowClock.settled()]).toEqual([
      1_000_010, 1_000_010, 820_003,
    ]);
    await Promise.resolve();
    expect(windowClock.now()).toBe(1_000_010);
    await nextTurn();
    expect(windowClock.now()).toBe(1_000_020);
  });

  test('holds now for a window', async () => {
    jest.useFakeTimers();
    try {
      const { windowClock } = windowClockOf({ windowMs: 30 });
      windowClock.now();
      await jest.advanceTimersByTimeAsync(29);
      expect(windowClock.now()).toBe(1_000_010);
      await jest.advanceTimersByTimeAsync(1);
      expect(windowClock.now()).toBe(1_000_020);
    } finally {
      jest.useRealTimers();
    }
  });

  test.each([0, 30])('does not reuse now after an edit, within an open window of %d ms', (windowMs) => {
    const { clock, windowClock } = windowClockOf({ windowMs });
    expect(windowClock.now()).toBe(1_000_010);
    clock.editMs = 1_000_011;
    expect([windowClock.now(), windowClock.now()]).toEqual([1_000_020, 1_000_020]);
  });

  test.each([
    [undefined, 180_000],
    [{ settleMs: 5 }, 5],
    [{ settleMs: 0 }, 0],
  ])('with %p, timestamps settle after %p ms', (options, ms) => {
    const { windowClock } = windowClockOf(options);
    expect([
      windowClock.isSettled(1_000_003 - ms),
      windowClock.isSettled(1_000_004 - ms),
      windowClock.isSettled(windowClock.settled()),
    ]).toEqual([true, false, true]);
  });
});
