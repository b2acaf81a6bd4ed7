import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDecimal, parsePosition } from '../../../lib/tables/text/decimal.ts';

const decimal = (text: string): number =>
  parseDecimal(Buffer.from(`,${text},`), 1, 1 + Buffer.byteLength(text));

describe('parseDecimal', () => {
  test.each([
    ['0', 0],
    ['-7', -7],
    ['+7', 7],
    ['1.', 1],
    ['.5', 0.5],
    [' 12.25\t', 12.25],
    ['1e3', 1000],
    ['1E-2', 0.01],
    ['007', 7],
    ['123456789012345', 123456789012345],
    ['9007199254740993', 9007199254740992],
    ['0.1', 0.1],
    ['179000.123456789012', 179000.123456789012],
  ])('reads %j', (text, value) => expect(decimal(text)).toBe(value));

  test.each([
    '',
    ' ',
    'NaN',
    'nan',
    'Infinity',
    '-inf',
    '1e999',
    '0x10',
    '1,5',
    '1 2',
    '--1',
    '.',
    '1.2.3',
    '1e',
    'abc',
    '١',
    '1n',
    '1_000',
  ])('gives NaN for %j', (text) => expect(decimal(text)).toBeNaN());

  test('agrees with Number on every double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
        Object.is(decimal(String(value)), value === 0 ? 0 : value),
      ),
      { seed: 7 },
    );
    fc.assert(
      fc.property(
        fc.integer(),
        fc.nat(9),
        (value, digits) => decimal((value / 1000).toFixed(digits)) === Number((value / 1000).toFixed(digits)),
      ),
      { seed: 7 },
    );
  });
});

describe('parsePosition', () => {
  const position = (text: string): number[] | undefined => {
    const bytes = Buffer.from(text);
    const out = new Float64Array(4);
    return parsePosition(bytes, 0, bytes.length, out, 1) ? Array.from(out.subarray(1)) : undefined;
  };

  test.each([
    '[1, 2.5, -3]',
    '(1, 2.5, -3)',
    '[1 2.5 -3]',
    '[ 1.   2.5\n -3. ]',
    '[1,2.5,-3]',
    '1, 2.5, -3',
    '  [1 , 2.5 ,-3]  ',
    '(1 2.5 -3)',
    '[np.int64(1), np.float64(2.5), np.int32(-3)]',
    '(np.uint64(1), np.float32( 2.5 ), np.int8(-3))',
    'array([1, 2.5, -3])',
    'array([ 1. ,  2.5, -3. ])',
    ' np.array([1,\n 2.5, -3], dtype=float32) ',
    'numpy.array([1 2.5 -3], dtype=np.float64)',
    "array([1, 2.5, -3], dtype='<f8')",
    '[numpy.int64(1), 2.5, -3]',
  ])('reads %j', (text) => expect(position(text)).toEqual([1, 2.5, -3]));

  test.each([
    '',
    '[]',
    '[1, 2]',
    '[1, 2, 3, 4]',
    '[1 2 3 4]',
    '[1, 2, 3',
    '1, 2, 3]',
    '[1, 2, 3)',
    '[[1, 2, 3]]',
    '[1, 2, ]',
    '[1,, 3]',
    '[1, 2, x]',
    '[1 2, 3]',
    '[1, 2, 3,]',
    'nan',
    '[nan, nan, nan]',
    '[',
    '[1, 2',
    '[np.int64(1), np.int64(2)]',
    '[np.float64(nan), np.float64(1), np.float64(2)]',
    '[np.int64(1, 2, 3)]',
    'np.int64(1)',
    'array(1, 2, 3)',
    'array([1, 2, 3]',
    'array([[1, 2, 3]])',
    'array([1, 2, 3], object)',
    'array([np.int64(1)',
    'list([1, 2, 3])',
    `array([1, 2, 3${' '.repeat(400)}])`,
  ])('refuses %j', (text) => expect(position(text)).toBeUndefined());
});
