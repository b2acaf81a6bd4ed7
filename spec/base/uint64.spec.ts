import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, idsFromBytes, wordsOf } from '../../lib/base/uint64.ts';

const MAX_UINT64 = 2n ** 64n - 1n;

const someIds = fc
  .array(fc.bigInt({ min: 0n, max: MAX_UINT64 }), { maxLength: 20 })
  .map((ids) => BigUint64Array.from(ids));

describe('idsFromBytes', () => {
  const ids = BigUint64Array.of(0n, 2n ** 64n - 1n, 2n ** 53n + 1n);

  test('reads at any alignment, into fresh memory', () => {
    const shifted = new Uint8Array(1 + 8 * ids.length);
    shifted.set(bytesOf(ids), 1);
    const read = idsFromBytes(shifted.subarray(1));
    shifted.fill(7);
    expect(read).toEqual(ids);
  });

  // A Buffer's slice() is a view: what was around it in Node's pool must not come along.
  test('reads a Buffer that is part of a larger one', () => {
    const pool = Buffer.concat([Buffer.alloc(8, 9), bytesOf(ids), Buffer.alloc(8, 9)]);
    expect(idsFromBytes(pool.subarray(8, 8 + 8 * ids.length))).toEqual(ids);
  });

  test('refuses bytes that are not a whole number of IDs', () =>
    expect(() => idsFromBytes(new Uint8Array(11))).toThrow(
      new RangeError('11 bytes are not a whole number of uint64'),
    ));
});

describe('wordsOf and bytesOf', () => {
  test('see the same memory as pairs of words, low first, and as little-endian bytes', () =>
    fc.assert(
      fc.property(someIds, fc.nat(3), (ids, before) => {
        // A view that starts somewhere in its buffer: neighbours must not be seen.
        const all = new BigUint64Array(before + ids.length + 1).fill(MAX_UINT64);
        all.set(ids, before);
        const view = all.subarray(before, before + ids.length);
        const words = wordsOf(view),
          bytes = bytesOf(view);
        expect(Array.from(ids, (_id, i) => BigInt(words[2 * i]) | (BigInt(words[2 * i + 1]) << 32n))).toEqual(
          [...ids],
        );
        expect(Buffer.from(bytes).toString('hex')).toBe(
          Array.from(ids, (id) =>
            Buffer.from(id.toString(16).padStart(16, '0'), 'hex').reverse().toString('hex'),
          ).join(''),
        );
        expect(idsFromBytes(bytes)).toEqual(ids);
        expect(words.buffer).toBe(all.buffer);
        expect(bytes.buffer).toBe(all.buffer);
      }),
      { seed: 1 },
    ));
});
