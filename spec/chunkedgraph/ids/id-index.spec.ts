import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runWithoutPause } from '../../../lib/base/cooperative-work.ts';
import { wordsOf } from '../../../lib/base/uint64.ts';
import { IdIndex } from '../../../lib/chunkedgraph/ids/id-index.ts';

/** Compares the index with a Map. */
function check(ids: BigUint64Array, index = new IdIndex()): void {
  const words = wordsOf(ids),
    expected = new Map<bigint, number>();
  for (let i = 0; i < ids.length; i++) {
    const [low, high] = [words[2 * i], words[2 * i + 1]];
    const known = expected.get(ids[i]) ?? -1;
    if (index.find(low, high) !== known)
      throw new Error(`found ${ids[i]} at ${index.find(low, high)}, not ${known}`);
    if (known < 0) expected.set(ids[i], expected.size);
    if (index.add(low, high) !== expected.get(ids[i]))
      throw new Error(`${ids[i]} is not ${expected.get(ids[i])}`);
  }
  expect(index.size).toBe(expected.size);
  expect([...runWithoutPause(index.sortInSteps())]).toEqual(
    [...expected.keys()].sort((a, b) => (a < b ? -1 : 1)),
  );
}

const idsFrom = (count: number, at: (k: bigint) => bigint): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, k) => BigInt.asUintN(64, at(BigInt(k))));

describe('IdIndex', () => {
  test('numbers IDs in the order of arrival, finds them, and sorts them as unsigned', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
            fc.bigInt({ min: 0n, max: 9n }),
            fc.nat(9).map((n) => BigInt(n) << 32n),
          ),
          { maxLength: 300 },
        ),
        (ids) => check(BigUint64Array.from(ids)),
      ),
      { seed: 5, numRuns: 200 },
    ));

  test('grows beyond its initial capacity', () => check(idsFrom(2000, (k) => k % 1500n)));

  test('sorts into fresh memory of the right length', () => {
    const index = new IdIndex();
    expect(runWithoutPause(index.sortInSteps())).toEqual(new BigUint64Array(0));
    index.add(7, 0);
    runWithoutPause(index.sortInSteps())[0] = 9n;
    expect(runWithoutPause(index.sortInSteps())).toEqual(BigUint64Array.of(7n));
  });

  // Typical supervoxel IDs: a few segments in each of many chunks. A weak hash would put them into few slots.
  test.each<[name: string, at: (k: bigint) => bigint]>([
    ['segments of one chunk', (k) => (1n << 56n) | k],
    ['first segments of chunks along x', (k) => (1n << 56n) | (k << 39n) | 1n],
    ['first segments of chunks along z', (k) => (1n << 56n) | (k << 26n) | 1n],
    ['layers', (k) => k << 32n],
    ['equal words', (k) => (k << 32n) | k],
  ])('holds 100,000 %s', (_name, at) => {
    const ids = idsFrom(100_000, at),
      words = wordsOf(ids),
      index = new IdIndex();
    let wrong = 0;
    for (let i = 0; i < ids.length; i++) if (index.add(words[2 * i], words[2 * i + 1]) !== i) wrong++;
    for (let i = 0; i < ids.length; i++) if (index.find(words[2 * i], words[2 * i + 1]) !== i) wrong++;
    expect(wrong).toBe(0);
  });
});
