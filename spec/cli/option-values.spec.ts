import { describe, expect, test } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import {
  parseNames,
  parseNumbers,
  parsePositiveNumber,
  parseByteSize,
  parseMaxFailures,
  parseText,
  parseWholeNumber,
} from '../../lib/cli/option-values.ts';

describe('option values', () => {
  test.each([
    [parseByteSize, '200MB', 200e6],
    [parseByteSize, '1GiB', 2 ** 30],
    [parseByteSize, '1.5 kb', 1500],
    [parseByteSize, '4096', 4096],
    [parseByteSize, '0', 0],
    [parseByteSize, '2MiB', 2 ** 21],
    [parseByteSize, '3B', 3],
    [parseByteSize, '1KiB', 1024],
    [parseByteSize, '2GB', 2e9],
    [parseWholeNumber(0), '0', 0],
    [parseWholeNumber(2), '12', 12],
    [parseNumbers, '4,4,40', [4, 4, 40]],
    [parseNumbers, '0.5, 1,2', [0.5, 1, 2]],
    [parseNames, 'a,b c,d', ['a', 'b c', 'd']],
    [parsePositiveNumber, '120', 120],
    [parsePositiveNumber, '0.5', 0.5],
    [parseText, 'x', 'x'],
    [parseMaxFailures, '0', { points: 0 }],
    [parseMaxFailures, '1200', { points: 1200 }],
    [parseMaxFailures, '0.05%', { percent: 0.05 }],
    [parseMaxFailures, '100 %', { percent: 100 }],
  ] as [(value: string) => unknown, string, unknown][])('%p reads %j', (parse, value, expected) =>
    expect(parse(value)).toEqual(expected),
  );

  test.each([
    [parseMaxFailures, '-1'],
    [parseMaxFailures, '1.5'],
    [parseMaxFailures, '101%'],
    [parseMaxFailures, '%'],
    [parseMaxFailures, 'all'],
    [parseByteSize, 'lots'],
    [parseByteSize, '-1'],
    [parseByteSize, '1TB'],
    [parseByteSize, ''],
    [parseByteSize, 'MB'],
    [parseWholeNumber(0), '-1'],
    [parseWholeNumber(0), '1.5'],
    [parseWholeNumber(2), '1'],
    [parseWholeNumber(0), ''],
    [parseWholeNumber(0), '0x1'],
    [parseNumbers, '4,4'],
    [parseNumbers, '4,4,'],
    [parseNumbers, '4,4,0'],
    [parseNumbers, '4,4,x'],
    [parseNames, 'x,y'],
    [parseNames, 'x,x,y'],
    [parseNames, 'x,,y'],
    [parseText, ''],
    [parsePositiveNumber, '0'],
    [parsePositiveNumber, '-1'],
    [parsePositiveNumber, ' '],
    [parsePositiveNumber, '1e999'],
    [parsePositiveNumber, '12nm'],
  ] as [(value: string) => unknown, string][])('%p refuses %j', (parse, value) =>
    expect(() => parse(value)).toThrow(InvalidArgumentError),
  );
});
