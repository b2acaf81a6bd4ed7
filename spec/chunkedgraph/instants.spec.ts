import { describe, expect, jest, test } from '@jest/globals';
import { Instants, type InstantsOptions } from '../../lib/chunkedgraph/instants.ts';
import { nextTurn } from '../support/stub-store.ts';

function instantsOf(options?: InstantsOptions) {
  const clock = { ms: 1_000_000, now: () => (clock.ms += 10) }; // goes on whenever it is looked at
  return { clock, instants: new Instants(clock, options) };
}

describe('Instants', () => {
  test('hold now for one turn of the event loop', async () => {
    const { instants } = instantsOf();
    expect([instants.now(), instants.now(), instants.settled()]).toEqual([1_000_010, 1_000_010, 820_010]);
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

  test.each([[undefined, 180_000], [{ settleMs: 5 }, 5], [{ settleMs: 0 }, 0]])('with %p settle after %p ms', (options, ms) => {
    const { instants } = instantsOf(options);
    expect([instants.isSettled(1_000_010 - ms), instants.isSettled(1_000_011 - ms), instants.isSettled(instants.settled())]).toEqual([true, false, true]);
  });
});
