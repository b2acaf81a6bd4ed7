import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { wordsOf } from '../../../lib/base/uint64.ts';
import { runWithoutPause } from '../../../lib/base/cooperative-work.ts';
import { numberRepeats } from '../../../lib/chunkedgraph/ids/number-repeats.ts';
import { randomFrom } from '../../../mocks/random.ts';
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

describe('findDistinct of long lists with many repeats', () => {
  /** Ascending IDs, past 2^53, with equal high words and equal low words. */
  const distinctIds = (count: number): BigUint64Array =>
    BigUint64Array.from(
      { length: count },
      (_, k) => (BigInt(1 + (k >>> 6)) << 52n) | BigInt((k & 63) * 0x3ffffff),
    );

  /** Every ID at least once, then repeats in no order. */
  function repeated(ids: BigUint64Array, count: number): { list: BigUint64Array; places: Uint32Array } {
    const random = randomFrom(ids.length),
      places = Uint32Array.from({ length: count }, (_, k) =>
        k < ids.length ? (k * 7919) % ids.length : Math.floor(random() * ids.length),
      );
    return { places, list: BigUint64Array.from(places, (place) => ids[place]) };
  }

  // 7919 is prime, so that the first entries are each ID once.
  test.each([
    { ids: 1, count: 40_000 },
    { ids: 3000, count: 40_000 },
    { ids: 20_000, count: 40_000 },
    { ids: 70_001, count: 350_000 },
    { ids: 132_001, count: 530_000 },
  ])('finds $ids IDs among $count', ({ ids: distinct, count }) => {
    const ids = distinctIds(distinct),
      { list, places } = repeated(ids, count);
    const found = findDistinct(wordsOf(list));
    expect(Buffer.compare(Buffer.from(found.ids.buffer), Buffer.from(ids.buffer))).toBe(0);
    expect(Buffer.compare(Buffer.from(found.indices.buffer), Buffer.from(places.buffer))).toBe(0);
  });

  test('sorts IDs that were chosen to collide in a hash table', () => {
    // The hash mixes low * A ^ high * B: these IDs share its value.
    const inverse = 0x0e8b2f51;
    expect(Math.imul(inverse, 0x9e3779b1) >>> 0).toBe(1);
    const ids = BigUint64Array.from({ length: 8000 }, (_, high) => {
      const low = Math.imul(inverse, 77 ^ Math.imul(high, 0x85ebca6b)) >>> 0;
      return (BigInt(high) << 32n) | BigInt(low);
    }); // ascending, because the high words are
    const { list, places } = repeated(ids, 40_000);
    expect(runWithoutPause(numberRepeats(wordsOf(list)))).toBeUndefined();
    const found = findDistinct(wordsOf(list));
    expect(Buffer.compare(Buffer.from(found.ids.buffer), Buffer.from(ids.buffer))).toBe(0);
    expect(Buffer.compare(Buffer.from(found.indices.buffer), Buffer.from(places.buffer))).toBe(0);
  });

  test('uses the table only where most IDs are repeats', () => {
    const uses = (distinct: number, count: number): boolean =>
      runWithoutPause(numberRepeats(wordsOf(repeated(distinctIds(distinct), count).list))) !== undefined;
    expect([uses(4000, 40_000), uses(100, 1000), uses(40_000, 40_000), uses(30_000, 40_000)]).toEqual([
      true,
      false,
      false,
      false,
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
