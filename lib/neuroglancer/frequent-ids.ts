/** Finds the IDs that occur most often. */
import { wordsOf } from '../base/uint64.ts';

/** The IDs that occur most often, and how many there are in all. */
export interface FrequentIds {
  /** The most frequent first; of those with the same count, the smaller first. */
  ids: BigUint64Array;
  /** How often each occurs. */
  counts: readonly number[];
  /** The number of different IDs, without 0. */
  distinct: number;
}

/** Returns the `most` IDs that occur most often. 0 is no ID. */
export function frequentIds(given: BigUint64Array, most: number): FrequentIds {
  const sorted = given.slice().sort(),
    words = wordsOf(sorted);
  const runs: { first: number; count: number }[] = [];
  for (let first = 0; first < sorted.length;) {
    let end = first + 1;
    while (
      end < sorted.length &&
      words[2 * end] === words[2 * first] &&
      words[2 * end + 1] === words[2 * first + 1]
    )
      end++;
    if (words[2 * first] !== 0 || words[2 * first + 1] !== 0) runs.push({ first, count: end - first });
    first = end;
  }
  const chosen = runs.toSorted((a, b) => b.count - a.count).slice(0, most); // a stable sort
  return {
    ids: BigUint64Array.from(chosen, ({ first }) => sorted[first]),
    counts: chosen.map(({ count }) => count),
    distinct: runs.length,
  };
}
