import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseId } from '../../../lib/tables/text/decimal.ts';

function idOf(text: string): bigint | undefined {
  const bytes = Buffer.from(`<${text}>`),
    out = new Uint32Array(4).fill(9);
  const valid = parseId(bytes, 1, bytes.length - 1, out, 2);
  expect([out[0], out[1]]).toEqual([9, 9]);
  return valid ? (BigInt(out[3]) << 32n) | BigInt(out[2]) : undefined;
}

describe('parseId', () => {
  test('reads every uint64', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(3), (id, zeros) =>
        expect(idOf(` ${'0'.repeat(zeros)}${id}\t`)).toBe(id),
      ),
      { seed: 3, numRuns: 2000 },
    );
  });
  test.each([
    ['', 0n],
    ['  ', 0n],
    ['0', 0n],
    ['4294967295', 4294967295n],
    ['4294967296', 4294967296n],
    ['18446744073709551615', 2n ** 64n - 1n],
  ])('reads %p', (text, id) => expect(idOf(text)).toBe(id));
  test.each([
    '18446744073709551616',
    '99999999999999999999',
    '1'.repeat(300),
    '+1',
    '-1',
    '1.0',
    '1e3',
    '1 2',
    '0x1',
    '１',
    'NaN',
    '1_000',
  ])('refuses %p', (text) => expect(idOf(text)).toBeUndefined());
});
