import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hashInPlace } from '../../lib/precomputed/murmurhash.ts';
import { bigintsOf, naiveHash, pairsOf } from './sharding-naive.ts';
import { vectors } from './sharding-vectors.ts';

function hashOf(key: bigint): bigint {
  const words = pairsOf([key]);
  hashInPlace(words);
  return bigintsOf(words)[0];
}

describe('MurmurHash3_x86_128 of a uint64, low 64 bits', () => {
  test.each(vectors.murmurhash3_x86_128)('hashes %s as the Python package mmh3 does', (key, hash) => {
    expect(hashOf(BigInt(key))).toBe(BigInt(hash));
  });

  // google/tensorstore, kvstore/neuroglancer_uint64_sharded/murmurhash3_test.cc, seed 0 (computed there with
  // pymmh3): words 0 and 1.
  test.each([
    [0n, 0x4772b084_e028ae41n],
    [1n, 0xe8bd67d6_16d4ce9an],
    [42n, 0xc20b94f9_5119f47an],
  ])('hashes %s as TensorStore does', (key, hash) => expect(hashOf(key)).toBe(hash));

  test('equals the four-lane definition for any key', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (key) =>
        expect(hashOf(key)).toBe(naiveHash(key)),
      ),
      { seed: 4, numRuns: 2000 },
    );
  });
});
