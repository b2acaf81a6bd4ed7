import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDecimal, parsePosition } from '../../lib/jobs/decimal.ts';

const decimal = (text: string): number => parseDecimal(Buffer.from(`,${text},`), 1, 1 + Buffer.byteLength(text));

describe('parseDecimal', () => {
  test.each([
    ['0', 0], ['-7', -7], ['+7', 7], ['1.', 1], ['.5', 0.5], [' 12.25\t', 12.25], ['1e3', 1000], ['1E-2', 0.01], ['007', 7],
    ['123456789012345', 123456789012345], ['9007199254740993', 9007199254740992], ['0.1', 0.1], ['179000.123456789012', 179000.123456789012],
  ])('reads %j', (text, value) => expect(decimal(text)).toBe(value));

  test.each(['', ' ', 'NaN', 'nan', 'Infinity', '-inf', '1e999', '0x10', '1,5', '1 2', '--1', '.', '1.2.3', '1e', 'abc', '١', '1n', '1_000'])(
    'gives NaN for %j',
    (text) => expect(decimal(text)).toBeNaN(),
  );

  test('agrees with Number on every double', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => Object.is(decimal(String(value)), value === 0 ? 0 : value)), { seed: 7 });
    fc.assert(fc.property(fc.integer(), fc.nat(9), (value, digits) => decimal((value / 1000).toFixed(digits)) === Number((value / 1000).toFixed(digits))), { seed: 7 });
  });
});

describe('parsePosition', () => {
  const position = (text: string): number[] | undefined => {
    const bytes = Buffer.from(text);
    const out = new Float64Array(4);
    return parsePosition(bytes, 0, bytes.length, out, 1) ? Array.from(out.subarray(1)) : undefined;
  };

  test.each([
    '[1, 2.5, -3]', '(1, 2.5, -3)', '[1 2.5 -3]', '[ 1.   2.5\n -3. ]', '[1,2.5,-3]', '1, 2.5, -3', '  [1 , 2.5 ,-3]  ', '(1 2.5 -3)',
  ])('reads %j', (text) => expect(position(text)).toEqual([1, 2.5, -3]));

  test.each([
    '', '[]', '[1, 2]', '[1, 2, 3, 4]', '[1 2 3 4]', '[1, 2, 3', '1, 2, 3]', '[1, 2, 3)', '[[1, 2, 3]]', '[1, 2, ]', '[1,, 3]', '[1, 2, x]', '[1 2, 3]', '[1, 2, 3,]', 'nan',
    '[nan, nan, nan]', '[', '[1, 2',
  ])('refuses %j', (text) => expect(position(text)).toBeUndefined());
});
