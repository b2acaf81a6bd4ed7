/**
 * Sorts uint64 IDs, drops duplicates, and tells which distinct ID each input became. A radix sort moves each
 * ID together with its index, without BigInt. Where most IDs are repeats, a hash table drops these first.
 *
 * Memory: 24 bytes per ID while it sorts, less where most are repeats. The result takes 8 bytes per distinct ID
 * and 4 bytes per ID.
 */
import { runWithoutPause, inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { numberRepeats, type NumberedIds } from './number-repeats.ts';

/** The distinct IDs of a list, and where each list entry is among them. */
export interface DistinctIds {
  /** The distinct IDs in ascending order. */
  ids: BigUint64Array<ArrayBuffer>;
  /** For each input ID, its index in `ids`. */
  indices: Uint32Array;
}

const BITS = 11,
  RADIX = 1 << BITS,
  MASK = RADIX - 1;
/**
 * Returns how many of this many IDs are written to fresh memory between two pauses, when they go there in no
 * order: each may touch a page for the first time, which takes up to 10 microseconds. Few IDs have few pages.
 */
const scatteredStretch = (count: number): number | undefined => (count > 2 ** 16 ? 1024 : undefined);

/**
 * Finds the distinct IDs of a list.
 *
 * @param words IDs as pairs of uint32, low word first. They are not changed.
 */
export const findDistinct = (words: Uint32Array): DistinctIds => runWithoutPause(findDistinctInSteps(words));

/** Does the same as {@link findDistinct}, with pauses. The words must not change until it ends. */
export function* findDistinctInSteps(words: Uint32Array): PausableWork<DistinctIds> {
  const numbered = yield* numberRepeats(words);
  if (!numbered) return yield* sortDistinct(words);
  const indices = numbered.numbers,
    few = 2 * MOST_NATIVE >= numbered.words.length / 2;
  const { ids, indices: ranks } = few ? yield* sortFew(numbered) : yield* sortDistinct(numbered.words);
  yield* inStretches(indices.length, (from, end) => {
    for (let k = from; k < end; k++) indices[k] = ranks[indices[k]];
  });
  return { ids, indices };
}

/** Node's own sort needs no time to be compiled. It cannot pause, so that it sorts this many IDs at once. */
const MOST_NATIVE = 2 ** 16;

/** Sorts distinct IDs, of which there are at most twice `MOST_NATIVE`. */
function* sortFew({ words, numbersOf }: NumberedIds): PausableWork<DistinctIds> {
  const ids = new BigUint64Array(words.length / 2),
    sorted = new Uint32Array(ids.buffer),
    half = MOST_NATIVE < ids.length ? ids.length >>> 1 : ids.length;
  sorted.set(words);
  ids.subarray(0, half).sort();
  yield;
  ids.subarray(half).sort();
  yield;
  if (half < ids.length) yield* mergeHalves(sorted, 2 * half);
  const numbers = yield* numbersOf(sorted),
    ranks = new Uint32Array(ids.length);
  yield* inStretches(ids.length, (from, end) => {
    for (let k = from; k < end; k++) ranks[numbers[k]] = k;
  });
  return { ids, indices: ranks };
}

/** Merges sorted IDs with the sorted IDs that begin at word `half`. */
function* mergeHalves(words: Uint32Array, half: number): PausableWork {
  const first = words.slice(0, half);
  let a = 0,
    b = half;
  yield* inStretches(
    words.length / 2,
    (from, end) => {
      for (let at = 2 * from; at < 2 * end; at += 2) {
        const takesFirst =
          b === words.length ||
          (a < half &&
            (first[a + 1] < words[b + 1] || (first[a + 1] === words[b + 1] && first[a] < words[b])));
        if (takesFirst) {
          words[at] = first[a];
          words[at + 1] = first[a + 1];
          a += 2;
        } else {
          words[at] = words[b];
          words[at + 1] = words[b + 1];
          b += 2;
        }
      }
    },
    4096,
  );
}

function* sortDistinct(words: Uint32Array): PausableWork<DistinctIds> {
  const sorted = yield* sorting(words);
  const indices = new Uint32Array(words.length / 2),
    out = new Uint32Array(words.length);
  let at = -2;
  const number = (from: number, end: number): void => {
    for (let i = 3 * from; i < 3 * end; i += 3) {
      const low = sorted[i],
        high = sorted[i + 1];
      if (at < 0 || out[at] !== low || out[at + 1] !== high) {
        at += 2;
        out[at] = low;
        out[at + 1] = high;
      }
      indices[sorted[i + 2]] = at >>> 1;
    }
  };
  yield* inStretches(indices.length, number, scatteredStretch(indices.length));
  // The result is kept as long as a request lasts, so it is no larger than needed.
  return {
    ids: new BigUint64Array((at + 2 === out.length ? out : yield* shortened(out, at + 2)).buffer),
    indices,
  };
}

function* shortened(words: Uint32Array, length: number): PausableWork<Uint32Array<ArrayBuffer>> {
  const short = new Uint32Array(length);
  yield* inStretches(length, (from, end) => short.set(words.subarray(from, end), from));
  return short;
}

/**
 * Returns triples of low word, high word and index, by ascending ID. A digit that all IDs share costs one
 * pass.
 */
function* sorting(words: Uint32Array): PausableWork<Uint32Array> {
  const count = words.length / 2;
  let from = new Uint32Array(3 * count),
    to = new Uint32Array(3 * count);
  yield* inStretches(count, (first, end) => {
    for (let k = first; k < end; k++) {
      from[3 * k] = words[2 * k];
      from[3 * k + 1] = words[2 * k + 1];
      from[3 * k + 2] = k;
    }
  });
  const next = new Uint32Array(RADIX);
  let stretch = scatteredStretch(count);
  for (const word of [0, 1])
    for (let shift = 0; shift < 32; shift += BITS) {
      next.fill(0);
      yield* inStretches(count, (first, end) => countDigits(from, first, end, word, shift, next));
      if (count === 0 || next[(from[word] >>> shift) & MASK] === count) continue;
      for (let digit = 0, start = 0; digit < RADIX; digit++) {
        const size = next[digit];
        next[digit] = start;
        start += 3 * size;
      }
      const move = (first: number, end: number): void => moveByDigit(from, first, end, word, shift, next, to);
      yield* inStretches(count, move, stretch);
      stretch = undefined; // both arrays have been written to
      [from, to] = [to, from];
    }
  return from;
}

function countDigits(
  triples: Uint32Array,
  first: number,
  end: number,
  word: number,
  shift: number,
  counts: Uint32Array,
): void {
  for (let i = 3 * first + word; i < 3 * end; i += 3) counts[(triples[i] >>> shift) & MASK]++;
}

/** @param next For each digit, the position of its next triple. */
function moveByDigit(
  from: Uint32Array,
  first: number,
  end: number,
  word: number,
  shift: number,
  next: Uint32Array,
  to: Uint32Array,
): void {
  for (let i = 3 * first; i < 3 * end; i += 3) {
    const digit = (from[i + word] >>> shift) & MASK;
    const k = next[digit];
    next[digit] = k + 3;
    to[k] = from[i];
    to[k + 1] = from[i + 1];
    to[k + 2] = from[i + 2];
  }
}

/** Finds an ID in ascending IDs, which are pairs of words. Returns its index, or -1. */
export function findSortedId(low: number, high: number, sorted: Uint32Array): number {
  let from = 0,
    to = sorted.length >>> 1;
  while (from < to) {
    const middle = (from + to) >>> 1,
      top = sorted[2 * middle + 1];
    if (top < high || (top === high && sorted[2 * middle] < low)) from = middle + 1;
    else to = middle;
  }
  return 2 * from < sorted.length && sorted[2 * from] === low && sorted[2 * from + 1] === high ? from : -1;
}
