import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { withJointSignal, leaveOnAbort, onAbort, pause } from '../../lib/base/abort.ts';
import { withDeadline } from '../../lib/base/deadline.ts';
import { fakeTimeouts } from '../support/fake-timeouts.ts';
import { deferred, nextTurn } from '../support/stub-store.ts';

describe('leaveOnAbort', () => {
  const reason = new Error('enough');

  test('returns the work itself if there is no signal', () => {
    const work = Promise.resolve(1);
    expect(leaveOnAbort(work, undefined, () => {})).toBe(work);
  });

  test.each([
    ['resolves', Promise.resolve(7), { status: 'fulfilled', value: 7 }],
    ['rejects', Promise.reject(reason), { status: 'rejected', reason }],
  ])('%s as the work does, and leaves no listener', async (_name, work, outcome) => {
    const { signal } = new AbortController(),
      onLeave = jest.fn();
    const following = leaveOnAbort(work, signal, onLeave);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    expect(await Promise.allSettled([following])).toEqual([outcome]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(onLeave).not.toHaveBeenCalled();
  });

  test('rejects with the reason when the signal aborts, tells the owner once, and leaves no listener', async () => {
    const abort = new AbortController(),
      onLeave = jest.fn();
    const following = leaveOnAbort(new Promise(() => {}), abort.signal, onLeave);
    abort.abort(reason);
    await expect(following).rejects.toBe(reason);
    expect(onLeave).toHaveBeenCalledTimes(1);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });

  test('rejects at once if the signal has already aborted', async () => {
    const onLeave = jest.fn();
    await expect(leaveOnAbort(Promise.resolve(1), AbortSignal.abort(reason), onLeave)).rejects.toBe(reason);
    expect(onLeave).toHaveBeenCalledTimes(1);
  });
});

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('onAbort', () => {
  test('uses one listener for all callers of a signal, and removes it once all have left', () => {
    const { signal } = new AbortController(),
      act = jest.fn();
    const releases = [onAbort(signal, act), onAbort(signal, act), onAbort(signal, () => {})];
    const counts = releases.map((release) => {
      const count = listeners(signal);
      release();
      release();
      return count;
    });
    expect([...counts, listeners(signal)]).toEqual([1, 1, 1, 0]);
    expect(act).not.toHaveBeenCalled();
  });

  test('calls each caller that has not left once, and calls at once if the signal has aborted', () => {
    const abort = new AbortController(),
      acts = [jest.fn(), jest.fn(), jest.fn()];
    const [leave] = acts.map((act) => onAbort(abort.signal, act));
    leave();
    abort.abort();
    onAbort(abort.signal, acts[0])();
    expect(acts.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
    expect(listeners(abort.signal)).toBe(0);
  });
});

describe('withJointSignal', () => {
  const reason = new Error('enough');

  test('aborts with the first of its signals, and with its reason', async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const outcome = await withJointSignal([one.signal, undefined, other.signal], async ({ signal }) => {
      other.abort(reason);
      one.abort(new Error('later'));
      return signal.reason as unknown;
    });
    expect(outcome).toBe(reason);
  });

  test.each([
    ['gives an answer', (): Promise<number> => Promise.resolve(1)],
    ['fails', (): Promise<number> => Promise.reject(reason)],
    [
      'throws',
      (): Promise<number> => {
        throw reason;
      },
    ],
  ])('leaves no listener if its call %s', async (_name, call) => {
    const signals = [new AbortController().signal, new AbortController().signal];
    const work = deferred<void>();
    const going = withJointSignal(signals, async () => {
      await work.promise;
      return call();
    });
    expect(signals.map(listeners)).toEqual([1, 1]);
    work.resolve();
    await going.catch(() => undefined);
    expect(signals.map(listeners)).toEqual([0, 0]);
  });

  // Node holds the sources of AbortSignal.any weakly, and holds a timeout only while it has a listener.
  test.each([
    ['withJointSignal', (source: AbortSignal) => withJointSignal([source], () => new Promise(() => {}))],
    ['withDeadline', (source: AbortSignal) => withDeadline(2 ** 30, [source], () => new Promise(() => {}))],
  ])(
    '%s holds a signal that nothing else holds, so that it is not garbage-collected',
    async (_name, begin) => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      fakeTimeouts(); // the deadline's timer holds nothing
      const source = ((): WeakRef<AbortSignal> => {
        const signal = AbortSignal.timeout(2 ** 30);
        void begin(signal);
        return new WeakRef(signal);
      })();
      jest.useRealTimers();
      for (let turn = 0; turn < 5; turn++) {
        await nextTurn();
        collect();
      }
      expect(source.deref()).toBeInstanceOf(AbortSignal);
    },
  );
});

describe('within', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test.each([
    ['at its deadline', 0, 1000],
    ['earlier by what the call needs to end', 200, 800],
    ['halfway at the earliest', 5000, 500],
  ])('aborts its signal %s', async (_name, endingMs, abortsAtMs) => {
    const call = new Promise<number>((resolve) => {
      const began = Date.now();
      void withDeadline(
        1000,
        [],
        (signal) =>
          new Promise<void>((done) =>
            signal.addEventListener('abort', () => {
              resolve(Date.now() - began);
              done();
            }),
          ),
        endingMs,
      );
    });
    await jest.advanceTimersByTimeAsync(1000);
    await expect(call).resolves.toBe(abortsAtMs);
  });
});

describe('pause', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('lasts as long as requested, and leaves no listener', async () => {
    const { signal } = new AbortController(),
      done: string[] = [];
    void pause(50, signal).then(() => done.push('over'));
    await jest.advanceTimersByTimeAsync(49);
    expect([done, getEventListeners(signal, 'abort').length]).toEqual([[], 1]);
    await jest.advanceTimersByTimeAsync(1);
    expect([done, getEventListeners(signal, 'abort').length]).toEqual([['over'], 0]);
  });

  test.each(['before', 'while'])('ends with an abort %s it runs, and leaves no timer', async (when) => {
    const abort = new AbortController(),
      reason = new Error('enough');
    if (when === 'before') abort.abort(reason);
    const paused = pause(50, abort.signal);
    abort.abort(reason);
    await expect(paused).rejects.toBe(reason);
    expect(jest.getTimerCount()).toBe(0);
  });
});
