/** Stops of work that nobody waits for. */
import { describe, expect, test } from '@jest/globals';
import { Stop } from '../../lib/base/stop.ts';

describe('Stop', () => {
  test('calls each act once, with the first reason', () => {
    const stop = new Stop(),
      calls: unknown[] = [];
    const act = (reason: unknown): void => void calls.push(reason);
    stop.onStop(act);
    stop.onStop(act);
    stop.stop('first');
    stop.stop('second');
    expect(calls).toEqual(['first', 'first']);
    stop.onStop(act);
    expect(calls).toEqual(['first', 'first', 'first']);
  });

  test('does not call an act that was removed', () => {
    const stop = new Stop();
    let calls = 0;
    const remove = stop.onStop(() => calls++);
    stop.onStop(() => (calls += 10));
    remove();
    stop.stop();
    expect(calls).toBe(10);
  });

  test('has a signal that aborts with it, made before or after', () => {
    const before = new Stop(),
      after = new Stop(),
      { signal } = before;
    expect(signal.aborted).toBe(false);
    before.stop('why');
    after.stop();
    expect(signal.reason).toBe('why');
    expect(before.signal).toBe(signal);
    expect(after.signal.aborted).toBe(true);
    expect(after.signal.reason).toMatchObject({ name: 'AbortError' });
  });

  test('throws its reason once it was stopped', () => {
    const stop = new Stop();
    stop.throwIfStopped();
    stop.stop(new Error('gone'));
    expect(() => stop.throwIfStopped()).toThrow('gone');
  });
});
