import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Cancellation } from '../../lib/http/cancellation.ts';
import { Throttle, type ServerFeedback } from '../../lib/failures/throttle.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const OK: ServerFeedback = { busy: false, answered: true },
  BUSY: ServerFeedback = { busy: true, answered: false },
  BROKEN: ServerFeedback = { busy: false, answered: false };

/** A server whose answers come from the test, in the order of the requests. */
class FakeServer {
  readonly throttle = new Throttle();
  readonly running: ((feedback: ServerFeedback) => void)[] = [];
  mostAtOnce = 0;
  ended = 0;

  request(cancellation = new Cancellation()): Promise<ServerFeedback> {
    const work = (): Promise<ServerFeedback> =>
      new Promise((resolve) => {
        this.running.push(resolve);
        this.mostAtOnce = Math.max(this.mostAtOnce, this.running.length);
      });
    return this.run(work, cancellation).finally(() => this.ended++);
  }

  /** Starts the work before it returns, if a slot is free. */
  async run(work: () => Promise<ServerFeedback>, cancellation: Cancellation): Promise<ServerFeedback> {
    const taken = this.throttle.take(cancellation),
      end = typeof taken === 'function' ? taken : await taken;
    let feedback = BROKEN;
    try {
      return (feedback = await work());
    } finally {
      end(feedback);
    }
  }

  requestMany(count: number): void {
    for (let k = 0; k < count; k++) this.request().catch(() => undefined);
  }

  async answer(count: number, feedback: ServerFeedback): Promise<void> {
    for (const settle of this.running.splice(0, count)) settle(feedback);
    await settled();
  }
}

/** Lets all pending promises continue. No timer runs. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe('Throttle', () => {
  test('starts all requests at once as long as the server is not busy', async () => {
    const server = new FakeServer();
    server.requestMany(500);
    expect([server.running.length, server.throttle.limit]).toEqual([500, Infinity]);
    await server.answer(250, BROKEN);
    await server.answer(250, OK);
    expect([server.ended, server.throttle.limit]).toEqual([500, Infinity]);
  });

  test('halves once for all requests in flight, however many of them are refused', async () => {
    const server = new FakeServer();
    server.requestMany(32);
    await server.answer(32, BUSY);
    expect(server.throttle.limit).toBe(16);
    server.requestMany(32);
    expect(server.running).toHaveLength(16);
    await server.answer(1, BUSY);
    // no running request is stopped, and no new one starts
    expect([server.throttle.limit, server.running.length]).toEqual([8, 15]);
    await server.answer(15, BUSY);
    expect([server.throttle.limit, server.running.length]).toEqual([8, 8]);
  });

  test('never goes below one', async () => {
    const server = new FakeServer();
    for (let round = 0; round < 6; round++) {
      server.requestMany(1);
      await server.answer(1, BUSY);
    }
    expect([server.throttle.limit, server.ended]).toEqual([1, 6]);
  });

  test('grows by one after as many answers as the limit', async () => {
    const server = new FakeServer();
    server.requestMany(8);
    await server.answer(8, BUSY);
    server.requestMany(1000);
    const limits = [server.throttle.limit];
    for (let round = 0; round < 12; round++) {
      await server.answer(server.throttle.limit, OK);
      limits.push(server.throttle.limit);
    }
    for (const [k, limit] of limits.slice(1).entries()) expect([0, 1]).toContain(limit - limits[k]);
    expect(limits.at(-1)).toBeGreaterThanOrEqual(4 + 10);
  });

  test('learns nothing from answers below the limit, nor from broken connections', async () => {
    const server = new FakeServer();
    server.requestMany(20);
    await server.answer(20, BUSY);
    for (let k = 0; k < 50; k++) {
      server.requestMany(1);
      await server.answer(1, OK);
    }
    server.requestMany(100);
    for (let k = 0; k < 9; k++) await server.answer(10, BROKEN);
    expect([server.throttle.limit, server.running.length]).toEqual([10, 10]);
  });

  test('finds the capacity of a server with few refused requests', async () => {
    const server = new FakeServer(),
      capacity = 12,
      wanted = 5000;
    let refused = 0;
    server.requestMany(64);
    let requestCount = 64,
      done = 0;
    while (done < wanted) {
      const [taken, turnedAway] = [
        Math.min(capacity, server.running.length),
        Math.max(0, server.running.length - capacity),
      ];
      await Promise.all([server.answer(taken, OK), server.answer(turnedAway, BUSY)]);
      done += taken;
      refused += turnedAway;
      while (requestCount < done + refused + 64) {
        // as many as the user allows; refused requests are retried
        server.requestMany(1);
        requestCount++;
      }
    }
    expect(refused).toBeLessThan(0.1 * wanted);
    expect(server.throttle.limit).toBeGreaterThanOrEqual(capacity / 2);
  });

  test('starts waiting requests in their order', async () => {
    const server = new FakeServer(),
      order: number[] = [];
    server.requestMany(2);
    await server.answer(2, BUSY);
    for (let k = 0; k < 5; k++) void server.run(async () => (order.push(k), BROKEN), new Cancellation());
    await settled();
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('Throttle: Retry-After', () => {
  test('starts no request for as long as the server says, and no longer', async () => {
    const server = new FakeServer();
    server.requestMany(4);
    await server.answer(1, { ...BUSY, retryAfterMs: 5000 });
    await server.answer(1, { ...BUSY, retryAfterMs: 2000 }); // the longest time counts
    await server.answer(2, OK);
    server.requestMany(3);
    expect([server.running.length, jest.getTimerCount()]).toEqual([0, 1]);
    await jest.advanceTimersByTimeAsync(4999);
    expect(server.running.length).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect([server.running.length, jest.getTimerCount()]).toEqual([server.throttle.limit, 0]);
  });

  test('starts waiting requests even if the time ends while it checks', async () => {
    const server = new FakeServer();
    server.requestMany(1);
    await server.answer(1, { ...BUSY, retryAfterMs: 5000 });
    server.requestMany(1);
    const until = performance.now() + 5000;
    // The timer is early by less than a millisecond, and each reading of the clock advances it.
    let now = until - 0.15;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 0.1));
    jest.runOnlyPendingTimers();
    clock.mockRestore();
    await jest.runAllTimersAsync();
    expect(server.running.length).toBe(1);
  });

  test('leaves no timer when the waiting requests are cancelled', async () => {
    const server = new FakeServer(),
      cancellation = new Cancellation(),
      reason = new Error('enough');
    server.requestMany(1);
    await server.answer(1, { ...BUSY, retryAfterMs: 60_000 });
    const waiting = server.request(cancellation);
    expect(jest.getTimerCount()).toBe(1);
    cancellation.cancel(reason);
    await expect(waiting).rejects.toBe(reason);
    expect([jest.getTimerCount(), server.running.length]).toEqual([0, 0]);
  });
});

test('Throttle: a cancelled request and a failed request both free their slot', async () => {
  const server = new FakeServer(),
    cancellation = new Cancellation(),
    reason = new Error('enough');
  server.requestMany(1);
  await server.answer(1, BUSY);
  server.requestMany(1);
  const stopped = server.request(cancellation),
    broken = server.run(() => Promise.reject(new Error('broken')), new Cancellation());
  server.requestMany(1);
  cancellation.cancel(reason);
  await expect(stopped).rejects.toBe(reason);
  await server.answer(1, BROKEN);
  await expect(broken).rejects.toThrow('broken');
  await settled();
  expect([server.throttle.limit, server.running.length]).toEqual([1, 1]);
});
