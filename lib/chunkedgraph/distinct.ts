/**
 * Sorts uint64 IDs, drops repeats, and says where each went: a radix sort of ID and place together, no BigInt, no hash table.
 * 24 bytes an ID while it lasts; then 8 a distinct ID and 4 an ID.
 */

export interface Distinct {
  /** In ascending order. */
  ids: BigUint64Array<ArrayBuffer>;
  /** For each ID given, the index of it in `ids`. */
  places: Uint32Array;
}

const BITS = 11, RADIX = 1 << BITS, MASK = RADIX - 1;

/** @param words IDs as pairs of uint32, low word first; left as they are. */
export function distinctOf(words: Uint32Array): Distinct {
  const sorted = sortWithPlaces(words);
  const places = new Uint32Array(words.length / 2);
  const out = new Uint32Array(words.length);
  let at = -2;
  for (let i = 0; i < sorted.length; i += 3) {
    const low = sorted[i], high = sorted[i + 1];
    if (at < 0 || out[at] !== low || out[at + 1] !== high) {
      at += 2;
      out[at] = low;
      out[at + 1] = high;
    }
    places[sorted[i + 2]] = at >>> 1;
  }
  // No larger than need be: it is kept for as long as a request lasts.
  return { ids: new BigUint64Array(at + 2 === out.length ? out.buffer : out.slice(0, at + 2).buffer), places };
}

/** Triples of low word, high word and index, by ascending ID. Digits that all IDs share cost one look each. */
function sortWithPlaces(words: Uint32Array): Uint32Array {
  const size = (words.length / 2) * 3;
  let from = new Uint32Array(size), to = new Uint32Array(size);
  for (let i = 0, k = 0; i < size; i += 3, k += 2) {
    from[i] = words[k];
    from[i + 1] = words[k + 1];
    from[i + 2] = k >>> 1;
  }
  const next = new Uint32Array(RADIX);
  for (const word of [0, 1])
    for (let shift = 0; shift < 32; shift += BITS) {
      next.fill(0);
      for (let i = word; i < size; i += 3) next[(from[i] >>> shift) & MASK]++;
      if (size === 0 || next[(from[word] >>> shift) & MASK] * 3 === size) continue;
      for (let digit = 0, start = 0; digit < RADIX; digit++) {
        const count = next[digit];
        next[digit] = start;
        start += 3 * count;
      }
      for (let i = 0; i < size; i += 3) {
        const digit = (from[i + word] >>> shift) & MASK;
        const k = next[digit];
        next[digit] = k + 3;
        to[k] = from[i];
        to[k + 1] = from[i + 1];
        to[k + 2] = from[i + 2];
      }
      [from, to] = [to, from];
    }
  return from;
}

/** Index of an ID in ascending IDs given as pairs of words, or -1. */
export function placeOf(low: number, high: number, sorted: Uint32Array): number {
  let from = 0, to = sorted.length >>> 1;
  while (from < to) {
    const middle = (from + to) >>> 1, top = sorted[2 * middle + 1];
    if (top < high || (top === high && sorted[2 * middle] < low)) from = middle + 1;
    else to = middle;
  }
  return 2 * from < sorted.length && sorted[2 * from] === low && sorted[2 * from + 1] === high ? from : -1;
}
