/** Copies root answers of some IDs to those of more IDs: of the open ones among all, or of distinct ones to their repeats. */
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import type { RootsAnswer } from '../roots/root-source.ts';

/** An answer of a root cache. */
export type CachedAnswer = RootsAnswer & { cached: number };

/** Copies the answers of the IDs at `indices`. */
export function* copyAnswers(from: RootsAnswer, indices: Uint32Array, to: RootsAnswer): PausableWork {
  const words = wordsOf(from.rootIds),
    out = wordsOf(to.rootIds),
    { failureOf } = from;
  const reasons = failureOf && (to.failureOf = new Uint32Array(to.outcomes.length));
  yield* inStretches(indices.length, (first, end) => {
    for (let k = first; k < end; k++) {
      out[2 * indices[k]] = words[2 * k];
      out[2 * indices[k] + 1] = words[2 * k + 1];
      to.outcomes[indices[k]] = from.outcomes[k];
      if (reasons) reasons[indices[k]] = failureOf[k];
    }
  });
}

/**
 * Returns the answers of IDs from those of the distinct IDs.
 * @param open The indices of the distinct IDs that the cache did not answer.
 * @param numbers For each ID, its index among the distinct IDs.
 */
export function* repeatAnswers(
  distinct: CachedAnswer,
  open: Uint32Array,
  numbers: Uint32Array,
): PausableWork<CachedAnswer> {
  const count = numbers.length,
    rootIds = new BigUint64Array(count),
    outcomes = new Uint8Array(count),
    failureOf = distinct.failureOf && new Uint32Array(count);
  const words = wordsOf(distinct.rootIds),
    out = wordsOf(rootIds),
    isCached = new Uint8Array(distinct.outcomes.length).fill(distinct.cached > 0 ? 1 : 0);
  for (const index of open) isCached[index] = 0;
  let cached = 0;
  yield* inStretches(count, (from, end) => {
    for (let i = from; i < end; i++) {
      const number = numbers[i];
      out[2 * i] = words[2 * number];
      out[2 * i + 1] = words[2 * number + 1];
      outcomes[i] = distinct.outcomes[number];
      cached += isCached[number];
      if (failureOf) failureOf[i] = distinct.failureOf![number];
    }
  });
  return { ...distinct, rootIds, outcomes, failureOf, cached };
}
