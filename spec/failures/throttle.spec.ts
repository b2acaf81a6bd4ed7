import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Cancellation } from '../../lib/http/cancellation.ts';
import { Throttle, type ServerFeedback } from '../../lib/failures/throttle.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const OK: ServerFeedback = { busy: false, answered: true },
  BUSY: ServerFeedback = { busy: true, answered: false },
  BROKEN: ServerFeedback = { busy: false, answered: false };

/** A server whose answers a spec gives, in the order in which requests reached it. */
class Desk {
  readonly throttle = new Throttle();
  readonly running: ((seen: ServerFeedback) => void)[] = [];
  mostAtOnce = 0;
  ended = 0;

  ask(stopper = new Cancellation()): Promise<ServerFeedback> {
    const work = (): Promise<ServerFeedback> =>
      new Promise((resolve) => {
        this.running.push(resolve);
        this.mostAtOnce = Math.max(this.mostAtOnce, this.running.length);
      });
    return this.run(work, stopper).finally(() => this.ended++);
  }

  /** Does not return before the work begins, where there is a turn for it. */
  async run(work: () => Promise<ServerFeedback>, stopper: Cancellation): Promise<ServerFeedback> {
    const taken = this.throttle.take(stopper),
      end = typeof taken === 'function' ? taken : await taken;
    let seen = BROKEN;
    try {
      return (seen = await work());
    } finally {
      end(seen);
    }
  }

  askFor(count: number): void {
    for (let k = 0; k < count; k++) this.ask().catch(() => undefined);
  }

  async answer(count: number, seen: ServerFeedback): Promise<void> {
    for (const settle of this.running.splice(0, count)) settle(seen);
    await settled();
  }
}

/** Promises that can go on have gone on; no timer has run. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe('Throttle', () => {
  test('lets all begin at once, before they return, as long as the server is content', async () => {
    const desk = new Desk();
    desk.askFor(500);
    expect([desk.running.length, desk.throttle.limit]).toEqual([500, Infinity]);
    await desk.answer(250, BROKEN);
    await desk.answer(250, OK);
    expect([desk.ended, desk.throttle.limit]).toEqual([500, Infinity]);
  });

  test('halves once for all that were under way, however many of them are refused', async () => {
    const desk = new Desk();
    desk.askFor(32);
    await desk.answer(32, BUSY);
    expect(desk.throttle.limit).toBe(16);
    desk.askFor(32);
    expect(desk.running).toHaveLength(16);
    await desk.answer(1, BUSY);
    // nobody is turned out, and nobody let in
    expect([desk.throttle.limit, desk.running.length]).toEqual([8, 15]);
    await desk.answer(15, BUSY);
    expect([desk.throttle.limit, desk.running.length]).toEqual([8, 8]);
  });

  test('never goes below one', async () => {
    const desk = new Desk();
    for (let round = 0; round < 6; round++) {
      desk.askFor(1);
      await desk.answer(1, BUSY);
    }
    expect([desk.throttle.limit, desk.ended]).toEqual([1, 6]);
  });

  test('grows by one with every so many answers as are given at once', async () => {
    const desk = new Desk();
    desk.askFor(8);
    await desk.answer(8, BUSY);
    desk.askFor(1000);
    const limits = [desk.throttle.limit];
    for (let round = 0; round < 12; round++) {
      await desk.answer(desk.throttle.limit, OK);
      limits.push(desk.throttle.limit);
    }
    for (const [k, limit] of limits.slice(1).entries()) expect([0, 1]).toContain(limit - limits[k]);
    expect(limits.at(-1)).toBeGreaterThanOrEqual(4 + 10);
  });

  test('learns nothing from answers that it was not needed for, and from broken connections', async () => {
    const desk = new Desk();
    desk.askFor(20);
    await desk.answer(20, BUSY);
    for (let k = 0; k < 50; k++) {
      desk.askFor(1);
      await desk.answer(1, OK);
    }
    desk.askFor(100);
    for (let k = 0; k < 9; k++) await desk.answer(10, BROKEN);
    expect([desk.throttle.limit, desk.running.length]).toEqual([10, 10]);
  });

  test('finds what a server can take, and what was refused is a small part', async () => {
    const desk = new Desk(),
      capacity = 12,
      wanted = 5000;
    let refused = 0;
    desk.askFor(64);
    let asked = 64,
      done = 0;
    while (done < wanted) {
      const [taken, turnedAway] = [
        Math.min(capacity, desk.running.length),
        Math.max(0, desk.running.length - capacity),
      ];
      await Promise.all([desk.answer(taken, OK), desk.answer(turnedAway, BUSY)]);
      done += taken;
      refused += turnedAway;
      while (asked < done + refused + 64) {
        // as many as the user allows, refused ones again
        desk.askFor(1);
        asked++;
      }
    }
    expect(refused).toBeLessThan(0.1 * wanted);
    expect(desk.throttle.limit).toBeGreaterThanOrEqual(capacity / 2);
  });

  test('is first come, first served', async () => {
    const desk = new Desk(),
      order: number[] = [];
    desk.askFor(2);
    await desk.answer(2, BUSY);
    for (let k = 0; k < 5; k++) void desk.run(async () => (order.push(k), BROKEN), new Cancellation());
    await settled();
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('Throttle: Retry-After', () => {
  test('keeps everybody away for as long as the server says, and no longer', async () => {
    const desk = new Desk();
    desk.askFor(4);
    await desk.answer(1, { ...BUSY, retryAfterMs: 5000 });
    await desk.answer(1, { ...BUSY, retryAfterMs: 2000 }); // the longest counts
    await desk.answer(2, OK);
    desk.askFor(3);
    expect([desk.running.length, jest.getTimerCount()]).toEqual([0, 1]);
    await jest.advanceTimersByTimeAsync(4999);
    expect(desk.running.length).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect([desk.running.length, jest.getTimerCount()]).toEqual([desk.throttle.limit, 0]);
  });

  test('lets those in who wait although the time came while it looked', async () => {
    const desk = new Desk();
    desk.askFor(1);
    await desk.answer(1, { ...BUSY, retryAfterMs: 5000 });
    desk.askFor(1);
    const until = performance.now() + 5000;
    // The timer is early by less than a millisecond, and time goes on with every look at the clock.
    let now = until - 0.15;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 0.1));
    jest.runOnlyPendingTimers();
    clock.mockRestore();
    await jest.runAllTimersAsync();
    expect(desk.running.length).toBe(1);
  });

  test('leaves no timer behind when those who wait are stopped', async () => {
    const desk = new Desk(),
      stopper = new Cancellation(),
      reason = new Error('enough');
    desk.askFor(1);
    await desk.answer(1, { ...BUSY, retryAfterMs: 60_000 });
    const waiting = desk.ask(stopper);
    expect(jest.getTimerCount()).toBe(1);
    stopper.cancel(reason);
    await expect(waiting).rejects.toBe(reason);
    expect([jest.getTimerCount(), desk.running.length]).toEqual([0, 0]);
  });
});

test('Throttle: a stop frees the place for the next, and what fails gives its place back', async () => {
  const desk = new Desk(),
    stopper = new Cancellation(),
    reason = new Error('enough');
  desk.askFor(1);
  await desk.answer(1, BUSY);
  desk.askFor(1);
  const stopped = desk.ask(stopper),
    broken = desk.run(() => Promise.reject(new Error('broken')), new Cancellation());
  desk.askFor(1);
  stopper.cancel(reason);
  await expect(stopped).rejects.toBe(reason);
  await desk.answer(1, BROKEN);
  await expect(broken).rejects.toThrow('broken');
  await settled();
  expect([desk.throttle.limit, desk.running.length]).toEqual([1, 1]);
});
