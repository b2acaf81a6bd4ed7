import { describe, expect, test } from '@jest/globals';
import {
  runWithoutPause,
  inStretches,
  CooperativeRunner,
  type PausableWork,
} from '../../lib/base/cooperative-work.ts';

/** A clock that advances by a millisecond each time it is read, and records how long each turn was held. */
function clock() {
  let now = 0,
    began = 0;
  const held: number[] = [];
  const acts: (() => void)[] = [];
  const turn = (): void => {
    held.push(now - began);
    began = now;
    for (const act of acts.splice(0)) act();
  };
  return {
    held,
    runner: new CooperativeRunner({
      now: () => ++now,
      afterLoopTurn(act) {
        if (acts.push(act) === 1) setImmediate(turn);
      },
    }),
  };
}

function* steps(count: number, done: number[] = []): PausableWork<string> {
  for (let k = 0; k < count; k++) {
    done.push(k);
    yield;
  }
  return 'all';
}

describe('CooperativeRunner', () => {
  test('runs short work at once', () => {
    const { runner, held } = clock(),
      done: number[] = [];
    expect(runner.run(steps(3, done))).toBe('all');
    expect([done, held]).toEqual([[0, 1, 2], []]);
  });

  test('lets the event loop run every few milliseconds, even with several works', async () => {
    const { runner, held } = clock(),
      one: number[] = [],
      other: number[] = [];
    expect(await Promise.all([runner.run(steps(500, one)), runner.run(steps(500, other))])).toEqual([
      'all',
      'all',
    ]);
    expect([one.length, other.length]).toEqual([500, 500]);
    expect(Math.max(...held)).toBeLessThanOrEqual(12);
    expect(held.length).toBeGreaterThan(80);
  });

  test('stops at the next pause once the signal has aborted', async () => {
    const { runner } = clock(),
      done: number[] = [],
      controller = new AbortController(),
      reason = new Error('enough');
    const going = runner.run(steps(500, done), controller.signal);
    controller.abort(reason);
    await expect(going).rejects.toBe(reason);
    expect(done.length).toBeLessThan(20);
    expect(() => runner.run(steps(3), controller.signal)).toThrow(reason);
  });

  test('passes on what the work throws, before and after a pause', async () => {
    const { runner } = clock();
    const failing = function* (after: number): PausableWork {
      yield* steps(after);
      throw new RangeError('no room');
    };
    expect(() => runner.run(failing(1))).toThrow('no room');
    await expect(runner.run(failing(100))).rejects.toThrow('no room');
  });
});

test('inStretches covers all numbers in order, and yields between stretches', () => {
  const seen: number[][] = [];
  expect([...inStretches(10, (from, end) => seen.push([from, end]), 4)]).toHaveLength(2);
  expect(seen).toEqual([
    [0, 4],
    [4, 8],
    [8, 10],
  ]);
  expect(runWithoutPause(inStretches(0, () => seen.push([])))).toBeUndefined();
  expect(seen).toHaveLength(3);
});
