import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ByteWriter } from '../../../lib/tables/text/byte-writer.ts';

const digits = (value: bigint): string => {
  const out = new ByteWriter(1);
  out.uint64(Number(value & 0xffffffffn), Number(value >> 32n));
  return out.take().toString();
};

describe('ByteWriter', () => {
  test.each([
    0n,
    9n,
    10n,
    999_999_999n,
    1_000_000_000n,
    2n ** 32n,
    2n ** 53n + 1n,
    10n ** 18n,
    10n ** 18n - 1n,
    10n ** 19n,
    2n ** 63n,
    2n ** 64n - 1n,
  ])('writes %s in decimal', (value) => expect(digits(value)).toBe(String(value)));

  test('writes any uint64 in decimal', () =>
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => digits(value) === String(value)),
      { seed: 7, numRuns: 2000 },
    ));

  test('returns the bytes written so far, and continues with new memory', () => {
    const out = new ByteWriter(2);
    out.copy(Buffer.from('row one'), 0, 3);
    out.byte(44);
    out.ascii('ok');
    const first = out.take();
    out.ascii('next');
    expect([first.toString(), out.take().toString(), out.length]).toEqual(['row,ok', 'next', 0]);
  });
});
