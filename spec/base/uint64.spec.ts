import { describe, expect, test } from '@jest/globals';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';

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

  test('refuses what is no whole number of IDs', () => expect(() => idsFromBytes(new Uint8Array(11))).toThrow(new RangeError('11 bytes are no whole number of uint64')));
});
