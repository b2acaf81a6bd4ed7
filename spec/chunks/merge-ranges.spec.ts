import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_READ_BYTES, mergeRanges, planReads, type MergeOptions } from '../../lib/chunks/merge-ranges.ts';
import { GAP_REQUEST_BYTES } from '../../lib/chunks/request-weights.ts';
import type { ByteRange } from '../../lib/storage/store.ts';

const ranges = (...pairs: [number, number][]): ByteRange[] => pairs.map(([start, end]) => ({ start, end }));
const merged = (wanted: ByteRange[], options: MergeOptions): unknown[] =>
  mergeRanges(wanted, options).map(({ start, end, members }) => [start, end, members]);

describe('mergeRanges', () => {
  const cases: { name: string; wanted: ByteRange[]; options: MergeOptions; plan: unknown[] }[] = [
    { name: 'nothing', wanted: [], options: { maxGapBytes: 0, maxBytes: 100 }, plan: [] },
    {
      name: 'neighbours, given in any order',
      wanted: ranges([20, 30], [0, 10], [10, 20]),
      options: { maxGapBytes: 0, maxBytes: 100 },
      plan: [[0, 30, [1, 2, 0]]],
    },
    {
      name: 'a gap of the limit',
      wanted: ranges([0, 10], [15, 20]),
      options: { maxGapBytes: 5, maxBytes: 100 },
      plan: [[0, 20, [0, 1]]],
    },
    {
      name: 'a gap above the limit',
      wanted: ranges([0, 10], [16, 20]),
      options: { maxGapBytes: 5, maxBytes: 100 },
      plan: [
        [0, 10, [0]],
        [16, 20, [1]],
      ],
    },
    {
      name: 'a merged read of the limit',
      wanted: ranges([0, 10], [12, 20]),
      options: { maxGapBytes: 5, maxBytes: 20 },
      plan: [[0, 20, [0, 1]]],
    },
    {
      name: 'a merged read above the limit',
      wanted: ranges([0, 10], [12, 21], [21, 25]),
      options: { maxGapBytes: 5, maxBytes: 20 },
      plan: [
        [0, 10, [0]],
        [12, 25, [1, 2]],
      ],
    },
    {
      name: 'a single range above the limit',
      wanted: ranges([0, 50], [50, 60], [60, 62]),
      options: { maxGapBytes: 5, maxBytes: 20 },
      plan: [
        [0, 50, [0]],
        [50, 62, [1, 2]],
      ],
    },
    {
      name: 'the same range twice, above the limit',
      wanted: ranges([0, 50], [0, 50]),
      options: { maxGapBytes: 0, maxBytes: 20 },
      plan: [[0, 50, [0, 1]]],
    },
    {
      name: 'a range inside another',
      wanted: ranges([5, 10], [0, 50], [48, 55]),
      options: { maxGapBytes: 0, maxBytes: 100 },
      plan: [[0, 55, [1, 0, 2]]],
    },
    {
      name: 'an overlap whose union is too long',
      wanted: ranges([0, 15], [10, 30], [11, 14]),
      options: { maxGapBytes: 0, maxBytes: 20 },
      plan: [
        [0, 15, [0]],
        [10, 30, [1, 2]],
      ],
    },
    {
      name: 'empty ranges',
      wanted: ranges([7, 7], [9, 9], [30, 30]),
      options: { maxGapBytes: 2, maxBytes: 20 },
      plan: [
        [7, 9, [0, 1]],
        [30, 30, [2]],
      ],
    },
    {
      name: 'offsets near 2^53',
      wanted: ranges([2 ** 53 - 20, 2 ** 53 - 10], [2 ** 53 - 10, 2 ** 53 - 1]),
      options: { maxGapBytes: 0, maxBytes: 20 },
      plan: [[2 ** 53 - 20, 2 ** 53 - 1, [0, 1]]],
    },
  ];
  test.each(cases)('plans $name', ({ wanted, options, plan }) =>
    expect(merged(wanted, options)).toEqual(plan),
  );

  test('does not change the ranges it gets', () => {
    const wanted = ranges([4, 9], [0, 5]);
    mergeRanges(wanted, { maxGapBytes: 0, maxBytes: 100 });
    expect(wanted).toEqual(ranges([4, 9], [0, 5]));
  });

  test('covers each wanted range once, reads only gaps that are allowed, and keeps the limit', () => {
    const range = fc
      .tuple(fc.nat(400), fc.integer({ min: 1, max: 60 }))
      .map(([start, size]) => ({ start, end: start + size }));
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 40 }),
        fc.nat(30),
        fc.integer({ min: 1, max: 200 }),
        (wanted, maxGapBytes, maxBytes) => {
          const plan = mergeRanges(wanted, { maxGapBytes, maxBytes });
          expect(plan.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([...wanted.keys()]);
          for (const [k, { start, end, members }] of plan.entries()) {
            const inside = members.map((m) => wanted[m]);
            expect({ start, end }).toEqual({
              start: Math.min(...inside.map((r) => r.start)),
              end: Math.max(...inside.map((r) => r.end)),
            });
            expect(end - start <= maxBytes || inside.some((r) => r.start === start && r.end === end)).toBe(
              true,
            );
            const gaps = inside
              .slice(1)
              .map((r, i) => r.start - Math.max(...inside.slice(0, i + 1).map((before) => before.end)));
            expect(gaps.every((gap) => gap <= maxGapBytes)).toBe(true);
            // The next read could not be merged with this one.
            const next = plan.at(k + 1);
            if (next)
              expect(next.start - end > maxGapBytes || wanted[next.members[0]].end - start > maxBytes).toBe(
                true,
              );
          }
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });
});

describe('planReads', () => {
  const KB = 1024;
  const planned = (...pairs: [number, number][]): unknown[] =>
    planReads(ranges(...pairs)).map(({ start, end, members }) => [start, end, members]);

  test.each<[name: string, wanted: [number, number][], plan: unknown[]]>([
    ['nothing', [], []],
    ['one range', [[5, 9]], [[5, 9, [0]]]],
    [
      'a gap that costs almost nothing',
      [
        [0, 10],
        [16 * KB, 17 * KB],
      ],
      [[0, 17 * KB, [0, 1]]],
    ],
    [
      'a gap of more than a fifth of what is wanted',
      [
        [0, 50 * KB],
        [75 * KB, 125 * KB],
      ],
      [
        [0, 50 * KB, [0]],
        [75 * KB, 125 * KB, [1]],
      ],
    ],
    [
      'a gap of a fifth of what is wanted',
      [
        [0, 100 * KB],
        [140 * KB, 240 * KB],
      ],
      [[0, 240 * KB, [0, 1]]],
    ],
    [
      'a gap that costs more than a request',
      [
        [0, 4000 * KB],
        [4065 * KB, 4100 * KB],
      ],
      [
        [0, 4000 * KB, [0]],
        [4065 * KB, 4100 * KB, [1]],
      ],
    ],
    [
      'the smallest gaps first',
      [
        [0, 40 * KB],
        [57 * KB, 80 * KB],
        [90 * KB, 100 * KB],
      ],
      [
        [0, 40 * KB, [0]],
        [57 * KB, 100 * KB, [1, 2]],
      ],
    ],
    [
      'gaps of equal size, of which only some would be cheap',
      [
        [0, 40 * KB],
        [52 * KB, 92 * KB],
        [104 * KB, 114 * KB],
      ],
      [
        [0, 40 * KB, [0]],
        [52 * KB, 92 * KB, [1]],
        [104 * KB, 114 * KB, [2]],
      ],
    ],
    [
      'the same range twice',
      [
        [0, 50 * KB],
        [0, 50 * KB],
        [65 * KB, 70 * KB],
      ],
      [[0, 70 * KB, [0, 1, 2]]],
    ],
  ])('plans %s', (_name, wanted, plan) => expect(planned(...wanted)).toEqual(plan));

  test('keeps each read within its limit', () => {
    const wanted = Array.from({ length: 30 }, (_, k): [number, number] => [k * 2 ** 20, (k + 1) * 2 ** 20]);
    expect(planReads(ranges(...wanted)).map(({ start, end }) => end - start)).toEqual([
      MAX_READ_BYTES,
      MAX_READ_BYTES,
      MAX_READ_BYTES,
      6 * 2 ** 20,
    ]);
  });

  test('reads at most a fifth more than the wanted bytes, or 16 KiB more, in at most one read per range', () => {
    const anywhere = fc
      .tuple(fc.nat(4_000_000), fc.integer({ min: 1, max: 90_000 }))
      .map(([start, size]): [number, number] => [start, start + size]);
    const inSteps = fc.nat(150).map((k): [number, number] => [k * 20_000, (k + 1) * 20_000]);
    const range = fc.oneof(anywhere, inSteps);
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 60 }), (wanted) => {
        const plan = planReads(ranges(...wanted));
        const union = mergeRanges(ranges(...wanted), { maxGapBytes: 0, maxBytes: Infinity }).reduce(
          (sum, { start, end }) => sum + end - start,
          0,
        );
        const read = plan.reduce((sum, { start, end }) => sum + end - start, 0);
        expect(read - union).toBeGreaterThanOrEqual(0);
        expect(read - union).toBeLessThanOrEqual(Math.max(16 * KB, union / 5));
        plan
          .slice(1)
          .forEach(({ start }, k) =>
            expect(start - plan[k].end > 0 || plan[k].end - plan[k].start > MAX_READ_BYTES / 2).toBe(true),
          );
        for (const { members, start, end } of plan)
          for (const m of members) expect(wanted[m][0] >= start && wanted[m][1] <= end).toBe(true);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  test('counts a request as 64 KiB', () => expect(GAP_REQUEST_BYTES).toBe(65_536));
});
