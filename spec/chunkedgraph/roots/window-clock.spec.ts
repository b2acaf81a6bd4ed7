import { describe, expect, jest, test } from '@jest/globals';
import { WindowClock, type WindowClockOptions } from '../../../lib/chunkedgraph/roots/window-clock.ts';
import { nextTurn } from '../../support/stub-store.ts';

function instantsOf(options?: WindowClockOptions) {
  // goes on whenever it is looked at; the server's clock is 7 ms behind
  const clock = {
    ms: 1_000_000,
    editMs: -Infinity,
    read: () => ({ nowMs: (clock.ms += 10), certainMs: clock.ms - 7 }),
  };
  return { clock, instants: new WindowClock(clock, options) };
}

describe('Instants', () => {
  test('hold now for one turn of the event loop', async () => {
    const { instants } = instantsOf();
    expect([instants.now(), instants.now(), instants.settled()]).toEqual([1_000_010, 1_000_010, 820_003]);
    await Promise.resolve();
    expect(instants.now()).toBe(1_000_010);
    await nextTurn();
    expect(instants.now()).toBe(1_000_020);
  });

  test('hold it for a window', async () => {
    jest.useFakeTimers();
    try {
      const { instants } = instantsOf({ windowMs: 30 });
      instants.now();
      await jest.advanceTimersByTimeAsync(29);
      expect(instants.now()).toBe(1_000_010);
      await jest.advanceTimersByTimeAsync(1);
      expect(instants.now()).toBe(1_000_020);
    } finally {
      jest.useRealTimers();
    }
  });

  test.each([0, 30])('of a window of %d ms that is open still are not used after an edit', (windowMs) => {
    const { clock, instants } = instantsOf({ windowMs });
    expect(instants.now()).toBe(1_000_010);
    clock.editMs = 1_000_011;
    expect([instants.now(), instants.now()]).toEqual([1_000_020, 1_000_020]);
  });

  test.each([
    [undefined, 180_000],
    [{ settleMs: 5 }, 5],
    [{ settleMs: 0 }, 0],
  ])('with %p settle after %p ms', (options, ms) => {
    const { instants } = instantsOf(options);
    expect([
      instants.isSettled(1_000_003 - ms),
      instants.isSettled(1_000_004 - ms),
      instants.isSettled(instants.settled()),
    ]).toEqual([true, false, true]);
  });
});
