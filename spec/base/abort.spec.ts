import { getEventListeners } from 'node:events';
import { describe, expect, jest, test } from '@jest/globals';
import { leaveOnAbort } from '../../lib/base/abort.ts';

describe('leaveOnAbort', () => {
  const reason = new Error('enough');

  test('gives the work back as it is without a signal', () => {
    const work = Promise.resolve(1);
    expect(leaveOnAbort(work, undefined, () => {})).toBe(work);
  });

  test.each([
    ['resolves', Promise.resolve(7), { status: 'fulfilled', value: 7 }],
    ['rejects', Promise.reject(reason), { status: 'rejected', reason }],
  ])('%s with the work and leaves no listener', async (_name, work, outcome) => {
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

  test('leaves at once when the signal has aborted already', async () => {
    const onLeave = jest.fn();
    await expect(leaveOnAbort(Promise.resolve(1), AbortSignal.abort(reason), onLeave)).rejects.toBe(reason);
    expect(onLeave).toHaveBeenCalledTimes(1);
  });
});
