import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { wordsOf } from '../../../lib/base/uint64.ts';
import { findDistinct, findSortedId } from '../../../lib/chunkedgraph/ids/distinct.ts';

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

describe('findDistinct', () => {
  // Each word has few values, so that duplicates, equal low words and equal high words are common.
  const word = fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom(2047, 2048, 2 ** 22 - 1, 2 ** 22, 2 ** 31, 2 ** 32 - 1),
    fc.nat(0xffffffff),
  );
  const id = fc.tuple(word, word).map(([low, high]) => (BigInt(high) << 32n) | BigInt(low));

  test('gives the same result as a Set and a sort, for any list', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 60 }), (list) => {
        const given = BigUint64Array.from(list);
        const { ids, indices: places } = findDistinct(wordsOf(given));
        expect([...ids]).toEqual([...new Set(list)].sort(ascending));
        expect(Array.from(places, (place) => ids[place])).toEqual(list);
        expect([...given]).toEqual(list);
        expect(ids.buffer.byteLength).toBe(8 * ids.length);
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  test('honours the byte offset of a view', () => {
    const words = Uint32Array.of(9, 9, 5, 1, 3, 1, 5, 1).subarray(2);
    const { ids, indices: places } = findDistinct(words);
    expect([[...ids], [...places]]).toEqual([
      [(1n << 32n) | 3n, (1n << 32n) | 5n],
      [1, 0, 1],
    ]);
  });
});

describe('findSortedId', () => {
  const sorted = wordsOf(BigUint64Array.of(1n, 1n << 32n, (1n << 32n) | 7n, 2n ** 64n - 1n));

  test.each([
    [1n, 0],
    [1n << 32n, 1],
    [(1n << 32n) | 7n, 2],
    [2n ** 64n - 1n, 3],
    [0n, -1],
    [2n, -1],
    [(1n << 32n) | 6n, -1],
    [1n << 33n, -1],
  ])('finds %p at index %p', (id, place) => {
    expect(findSortedId(Number(id & 0xffffffffn), Number(id >> 32n), sorted)).toBe(place);
    expect(findSortedId(Number(id & 0xffffffffn), Number(id >> 32n), new Uint32Array(0))).toBe(-1);
  });
});
