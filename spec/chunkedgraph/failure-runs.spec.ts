import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FailureRuns } from '../../lib/chunkedgraph/failure-runs.ts';

const listOf = (runs: FailureRuns): unknown[] => Array.from({ length: runs.size }, (_, k) => [runs.at(k).start, runs.at(k).end, runs.at(k).error.message]);

describe('FailureRuns', () => {
  test('says why each index failed, whatever the order in which it was told', () => {
    const stretches = fc.uniqueArray(fc.nat(40), { maxLength: 30 }).chain((starts) => fc.tuple(fc.constant(starts), fc.array(fc.constantFrom('a', 'b'), { minLength: starts.length, maxLength: starts.length })));
    fc.assert(
      fc.property(stretches, ([starts, reasons]) => {
        const runs = new FailureRuns();
        starts.forEach((start, k) => runs.add(2 * start, 2 * start + 2, new Error(reasons[k])));
        starts.forEach((start, k) => {
          for (const index of [2 * start, 2 * start + 1]) expect(runs.at(runs.find(index)).error.message).toBe(reasons[k]);
        });
        for (let k = 1; k < runs.size; k++) {
          const [a, b] = [runs.at(k - 1), runs.at(k)];
          expect(a.end < b.start || (a.end === b.start && a.error.message !== b.error.message)).toBe(true);
        }
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test('joins neighbours of one reason, also from both sides', () => {
    const runs = new FailureRuns();
    for (const start of [0, 4, 2]) runs.add(start, start + 2, new Error('x'));
    runs.add(6, 7, new Error('y'));
    runs.add(8, 9, new Error('y'));
    expect(listOf(runs)).toEqual([[0, 6, 'x'], [6, 7, 'y'], [8, 9, 'y']]);
  });

  test('keeps a thousand runs, and a reason for each index all the same', () => {
    const runs = new FailureRuns();
    for (let k = 0; k < 5000; k++) runs.add(2 * k, 2 * k + 1, new Error(`reason ${k}`));
    expect(runs.size).toBe(1000);
    for (let k = 0; k < 5000; k++) expect(runs.at(runs.find(2 * k)).start).toBeLessThanOrEqual(2 * k);
    expect([runs.at(0).start, runs.at(999).end]).toEqual([0, 9999]);
  });
});
