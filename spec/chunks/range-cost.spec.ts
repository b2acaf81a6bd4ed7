import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planParts } from '../../lib/chunks/range-cost.ts';
import { PART_REQUEST_BYTES } from '../../lib/chunks/request-weights.ts';

const MB = 1024 * 1024,
  K = PART_REQUEST_BYTES;
const at = (...starts: number[]) => starts.map((start) => ({ start, end: start + 8 }));

describe('planParts', () => {
  test.each([
    {
      name: 'one value of a large chunk is read alone',
      wanted: at(5 * MB),
      chunk: 8 * MB,
      parts: at(5 * MB),
    },
    {
      name: 'values come in ascending parts',
      wanted: at(7 * MB, 3 * MB),
      chunk: 8 * MB,
      parts: at(3 * MB, 7 * MB),
    },
    { name: 'one value that is wanted twice is one part', wanted: at(96, 96), chunk: 8 * MB, parts: at(96) },
    {
      name: 'a gap that costs as much as a request is read too',
      wanted: at(0, K + 8),
      chunk: 8 * MB,
      parts: [{ start: 0, end: K + 16 }],
    },
    { name: 'a larger gap is not read', wanted: at(0, K + 9), chunk: 8 * MB, parts: at(0, K + 9) },
    {
      name: 'three requests cost less than half of 2 MiB',
      wanted: at(0, MB, 2 * MB - 8),
      chunk: 2 * MB,
      parts: at(0, MB, 2 * MB - 8),
    },
    {
      name: 'four requests cost more than half of 2 MiB',
      wanted: at(0, 0.5 * MB, MB, 2 * MB - 8),
      chunk: 2 * MB,
      parts: undefined,
    },
    {
      name: 'long parts count as well',
      wanted: [{ start: 0, end: 0.8 * MB }],
      chunk: 2 * MB,
      parts: undefined,
    },
    { name: 'a chunk of 1 MiB is read whole', wanted: at(0), chunk: MB, parts: undefined },
    { name: 'a chunk just above 1 MiB is read in parts', wanted: at(0), chunk: MB + 8, parts: at(0) },
  ])('$name', ({ wanted, chunk, parts }) => expect(planParts(wanted, chunk)).toEqual(parts));

  test('every wanted value lies in one part, parts ascend, and they cost less than half of the chunk', () => {
    const cases = fc.record({
      chunk: fc.integer({ min: 8, max: 4e6 }),
      values: fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
    });
    fc.assert(
      fc.property(cases, ({ chunk, values }) => {
        const wanted = at(...values.map((value) => 8 * (value % Math.floor(chunk))));
        const parts = planParts(wanted, 8 * chunk);
        if (!parts) return;
        for (const { start, end } of wanted)
          expect(parts.filter((part) => part.start <= start && end <= part.end)).toHaveLength(1);
        for (let k = 1; k < parts.length; k++) expect(parts[k].start - parts[k - 1].end).toBeGreaterThan(K);
        expect(parts.reduce((sum, { start, end }) => sum + end - start + K, 0)).toBeLessThan(4 * chunk);
      }),
      { numRuns: 500, seed: 4 },
    );
  });
});
