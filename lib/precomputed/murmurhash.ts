/**
 * MurmurHash3_x86_128 of a uint64 with seed 0, reduced to the low 64 bits, as the sharded format uses it. The
 * 8 bytes of the key are all in the tail of the hash, so two of its four lanes mix a word each and the other
 * two start empty.
 * Sources: Neuroglancer, src/datasource/precomputed/sharded.md, "Sharding specification"; Austin Appleby's
 * SMHasher, MurmurHash3.cpp (public domain).
 */

const KEY_BYTES = 8;
const C1 = 0x239b961b,
  C2 = 0xab0e9789 | 0,
  C3 = 0x38b34ae5;

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

function finalize(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

/** Replaces a key (a pair of uint32, low word first) by the low 64 bits of its hash. */
export function hashInPlace(words: Uint32Array): void {
  let h1 = KEY_BYTES ^ Math.imul(rotate(Math.imul(words[0], C1), 15), C2);
  let h2 = KEY_BYTES ^ Math.imul(rotate(Math.imul(words[1], C2), 16), C3);
  // Lanes 3 and 4 are always equal, because no byte of the key reaches them.
  let rest = KEY_BYTES;
  h1 = (h1 + h2 + rest + rest) | 0;
  h2 = finalize((h2 + h1) | 0);
  rest = finalize((rest + h1) | 0);
  h1 = (finalize(h1) + h2 + rest + rest) | 0;
  words[0] = h1;
  words[1] = h2 + h1;
}
