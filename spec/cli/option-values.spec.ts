import { describe, expect, test } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import {
  commaNames,
  commaNumbers,
  positiveNumber,
  size,
  text,
  wholeNumber,
} from '../../lib/cli/option-values.ts';

describe('option values', () => {
  test.each([
    [size, '200MB', 200e6],
    [size, '1GiB', 2 ** 30],
    [size, '1.5 kb', 1500],
    [size, '4096', 4096],
    [size, '0', 0],
    [size, '2MiB', 2 ** 21],
    [size, '3B', 3],
    [size, '1KiB', 1024],
    [size, '2GB', 2e9],
    [wholeNumber(0), '0', 0],
    [wholeNumber(2), '12', 12],
    [commaNumbers, '4,4,40', [4, 4, 40]],
    [commaNumbers, '0.5, 1,2', [0.5, 1, 2]],
    [commaNames, 'a,b c,d', ['a', 'b c', 'd']],
    [positiveNumber, '120', 120],
    [positiveNumber, '0.5', 0.5],
    [text, 'x', 'x'],
  ] as [(value: string) => unknown, string, unknown][])('%p reads %j', (parse, value, expected) =>
    expect(parse(value)).toEqual(expected),
  );

  test.each([
    [size, 'lots'],
    [size, '-1'],
    [size, '1TB'],
    [size, ''],
    [size, 'MB'],
    [wholeNumber(0), '-1'],
    [wholeNumber(0), '1.5'],
    [wholeNumber(2), '1'],
    [wholeNumber(0), ''],
    [wholeNumber(0), '0x1'],
    [commaNumbers, '4,4'],
    [commaNumbers, '4,4,'],
    [commaNumbers, '4,4,0'],
    [commaNumbers, '4,4,x'],
    [commaNames, 'x,y'],
    [commaNames, 'x,x,y'],
    [commaNames, 'x,,y'],
    [text, ''],
    [positiveNumber, '0'],
    [positiveNumber, '-1'],
    [positiveNumber, ' '],
    [positiveNumber, '1e999'],
    [positiveNumber, '12nm'],
  ] as [(value: string) => unknown, string][])('%p refuses %j', (parse, value) =>
    expect(() => parse(value)).toThrow(InvalidArgumentError),
  );
});
