import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeRanges, type MergeOptions } from '../../lib/chunks/merge-ranges.ts';
import type { ByteRange } from '../../lib/storage/store.ts';

const ranges = (...pairs: [number, number][]): ByteRange[] => pairs.map(([start, end]) => ({ start, end }));
const merged = (wanted: ByteRange[], options: MergeOptions): unknown[] => mergeRanges(wanted, options).map(({ start, end, members }) => [start, end, members]);

describe('mergeRanges', () => {
  const cases: { name: string; wanted: ByteRange[]; options: MergeOptions; plan: unknown[] }[] = [
    { name: 'nothing', wanted: [], options: { maxGapBytes: 0, maxBytes: 100 }, plan: [] },
    { name: 'neighbours, given in any order', wanted: ranges([20, 30], [0, 10], [10, 20]), options: { maxGapBytes: 0, maxBytes: 100 }, plan: [[0, 30, [1, 2, 0]]] },
    { name: 'a gap of the limit', wanted: ranges([0, 10], [15, 20]), options: { maxGapBytes: 5, maxBytes: 100 }, plan: [[0, 20, [0, 1]]] },
    { name: 'a gap above the limit', wanted: ranges([0, 10], [16, 20]), options: { maxGapBytes: 5, maxBytes: 100 }, plan: [[0, 10, [0]], [16, 20, [1]]] },
    { name: 'a merged read of the limit', wanted: ranges([0, 10], [12, 20]), options: { maxGapBytes: 5, maxBytes: 20 }, plan: [[0, 20, [0, 1]]] },
    { name: 'a merged read above the limit', wanted: ranges([0, 10], [12, 21], [21, 25]), options: { maxGapBytes: 5, maxBytes: 20 }, plan: [[0, 10, [0]], [12, 25, [1, 2]]] },
    { name: 'a single range above the limit', wanted: ranges([0, 50], [50, 60], [60, 62]), options: { maxGapBytes: 5, maxBytes: 20 }, plan: [[0, 50, [0]], [50, 62, [1, 2]]] },
    { name: 'the same range twice, above the limit', wanted: ranges([0, 50], [0, 50]), options: { maxGapBytes: 0, maxBytes: 20 }, plan: [[0, 50, [0, 1]]] },
    { name: 'a range inside another', wanted: ranges([5, 10], [0, 50], [48, 55]), options: { maxGapBytes: 0, maxBytes: 100 }, plan: [[0, 55, [1, 0, 2]]] },
    { name: 'an overlap whose union is too long', wanted: ranges([0, 15], [10, 30], [11, 14]), options: { maxGapBytes: 0, maxBytes: 20 }, plan: [[0, 15, [0]], [10, 30, [1, 2]]] },
    { name: 'empty ranges', wanted: ranges([7, 7], [9, 9], [30, 30]), options: { maxGapBytes: 2, maxBytes: 20 }, plan: [[7, 9, [0, 1]], [30, 30, [2]]] },
    { name: 'offsets near 2^53', wanted: ranges([2 ** 53 - 20, 2 ** 53 - 10], [2 ** 53 - 10, 2 ** 53 - 1]), options: { maxGapBytes: 0, maxBytes: 20 }, plan: [[2 ** 53 - 20, 2 ** 53 - 1, [0, 1]]] },
  ];
  test.each(cases)('plans $name', ({ wanted, options, plan }) => expect(merged(wanted, options)).toEqual(plan));

  test('leaves the ranges it was given as they are', () => {
    const wanted = ranges([4, 9], [0, 5]);
    mergeRanges(wanted, { maxGapBytes: 0, maxBytes: 100 });
    expect(wanted).toEqual(ranges([4, 9], [0, 5]));
  });

  test('covers each wanted range once, wastes no more than the gaps allowed, and keeps the limit', () => {
    const range = fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 60 })).map(([start, size]) => ({ start, end: start + size }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), fc.nat(30), fc.integer({ min: 1, max: 200 }), (wanted, maxGapBytes, maxBytes) => {
        const plan = mergeRanges(wanted, { maxGapBytes, maxBytes });
        expect(plan.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([...wanted.keys()]);
        for (const [k, { start, end, members }] of plan.entries()) {
          const inside = members.map((m) => wanted[m]);
          expect({ start, end }).toEqual({ start: Math.min(...inside.map((r) => r.start)), end: Math.max(...inside.map((r) => r.end)) });
          expect(end - start <= maxBytes || inside.some((r) => r.start === start && r.end === end)).toBe(true);
          const gaps = inside.slice(1).map((r, i) => r.start - Math.max(...inside.slice(0, i + 1).map((before) => before.end)));
          expect(gaps.every((gap) => gap <= maxGapBytes)).toBe(true);
          // The next read stands apart because it must.
          const next = plan.at(k + 1);
          if (next) expect(next.start - end > maxGapBytes || wanted[next.members[0]].end - start > maxBytes).toBe(true);
        }
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});
