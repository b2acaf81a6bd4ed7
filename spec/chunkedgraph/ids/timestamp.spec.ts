import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  parseTimestampOption,
  parseTimestamp,
  toExclusiveUnixSeconds,
  toUnixSeconds,
  parseVersionName,
  type Timestamp,
} from '../../../lib/chunkedgraph/ids/timestamp.ts';
import { TimestampError } from '../../../lib/base/errors.ts';
import { thrownBy } from '../../support/thrown-by.ts';

const END = 253_402_300_799_999; // the last millisecond of 9999
const START = -62_135_596_800_000; // the first of the year 1

describe('parseTimestamp', () => {
  test.each<[value: Timestamp, iso: string]>([
    [new Date('2024-06-05T10:10:01.203Z'), '2024-06-05T10:10:01.203Z'],
    ['2024-06-05T10:10:01.203Z', '2024-06-05T10:10:01.203Z'],
    ['2024-06-05T10:10:01.203z', '2024-06-05T10:10:01.203Z'],
    ['2024-06-05t10:10:01.203Z', '2024-06-05T10:10:01.203Z'],
    [' 2024-06-05T10:10:01.203Z\n', '2024-06-05T10:10:01.203Z'],
    // Without a zone, the time is UTC, whatever the zone of the machine.
    ['2024-06-05T10:10:01.203', '2024-06-05T10:10:01.203Z'],
    ['2024-06-05 10:10:01.203', '2024-06-05T10:10:01.203Z'],
    ['2024-06-05T10:10:01', '2024-06-05T10:10:01.000Z'],
    ['2024-06-05T10:10', '2024-06-05T10:10:00.000Z'],
    ['2024-06-05T10:10Z', '2024-06-05T10:10:00.000Z'],
    ['2024-06-05', '2024-06-05T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-06-05T10:10:01.2', '2024-06-05T10:10:01.200Z'],
    ['2024-06-05T10:10:01,25', '2024-06-05T10:10:01.250Z'],
    ['2024-06-05T10:10:01.203999', '2024-06-05T10:10:01.203Z'], // cut, as the server cuts
    ['2024-06-05T10:10:01.203+02:00', '2024-06-05T08:10:01.203Z'],
    ['2024-06-05T10:10:01.203+0200', '2024-06-05T08:10:01.203Z'],
    ['2024-06-05T10:10:01.203-07', '2024-06-05T17:10:01.203Z'],
    ['2024-06-05 10:10:01.203000+00:00', '2024-06-05T10:10:01.203Z'], // str() of a Python datetime
    ['2024-06-05 10:10:01 +05:30', '2024-06-05T04:40:01.000Z'],
    ['2024-06-05T10:10-01:00', '2024-06-05T11:10:00.000Z'],
    ['1577923200', '2020-01-02T00:00:00.000Z'],
    ['1577923200.5', '2020-01-02T00:00:00.500Z'],
    ['1578441600.123', '2020-01-08T00:00:00.123Z'],
    ['1578441600.1239999', '2020-01-08T00:00:00.123Z'],
    [1577923200, '2020-01-02T00:00:00.000Z'],
    // 1578441600.123 * 1000 is 1578441600122.9999 in doubles.
    [1578441600.123, '2020-01-08T00:00:00.123Z'],
    [1578441600.124, '2020-01-08T00:00:00.124Z'],
    [1578441600.1239, '2020-01-08T00:00:00.123Z'],
    ['2024-06-05 10:10:01 UTC', '2024-06-05T10:10:01.000Z'],
    ['2024-06-05T10:10:01.203 gmt', '2024-06-05T10:10:01.203Z'],
    ['2024-06-05 10:10UTC', '2024-06-05T10:10:00.000Z'],
    ['100000000', '1973-03-03T09:46:40.000Z'],
    [1e8, '1973-03-03T09:46:40.000Z'],
    [1e11, '5138-11-16T09:46:40.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  ])('reads %p as %s', (value, iso) => expect(parseTimestamp(value).toISOString()).toBe(iso));

  test('returns a new Date', () => {
    const given = new Date(5);
    expect(parseTimestamp(given)).toEqual(given);
    expect(parseTimestamp(given)).not.toBe(given);
  });

  test.each<[what: string, value: unknown, message: RegExp]>([
    ['an invalid Date', new Date(NaN), /the Date is an invalid Date/],
    ['milliseconds', 1577923200000, /1577923200000 looks like milliseconds/],
    ['milliseconds as text', '1577923200000', /"1577923200000" looks like milliseconds/],
    ['just above 1e11', 100_000_000_001, /looks like milliseconds/],
    ['NaN', NaN, /NaN is not a timestamp/],
    ['Infinity', Infinity, /Infinity is not a timestamp/],
    ['a bigint', 1577923200n, /not bigint/],
    ['null', null, /not object/],
    ['undefined', undefined, /not undefined/],
    ['a list', [2024], /not object/],
    ['nothing', '', /"" is not a timestamp/],
    ['words', 'yesterday', /"yesterday" is not a timestamp/],
    [
      'a materialization',
      '943',
      /^"943" is too small for unix seconds: write materialization 943 of a datastack as mat_943/,
    ],
    [
      'a materialization as a number',
      1300,
      /^1300 is too small for unix seconds: write materialization 1300 of a datastack as mat_1300/,
    ],
    ['a year', '2024', /"2024" is too small for unix seconds: .* and a date as 2024-06-05/],
    [
      'a day without hyphens',
      '20240605',
      /"20240605" is too small for unix seconds: write a date as 2024-06-05/,
    ],
    ['just below 1e8', '99999999.9', /is too small for unix seconds/],
    ['the beginning of unix time', 0, /^0 is too small for unix seconds/],
    ['seconds before it', '-1577923200', /is too small for unix seconds/],
    ['a zone without a time in words', '2024-06-05 UTC', /is not a timestamp/],
    ['a month', '2024-06', /"2024-06" is not a timestamp/],
    ['an exponent', '1.5e9', /"1.5e9" is not a timestamp/],
    ['hexadecimal', '0x10', /"0x10" is not a timestamp/],
    ['underscores', '1_577_923_200', /is not a timestamp/],
    ['American dates', '06/05/2024', /is not a timestamp/],
    ['an HTTP date', 'Wed, 05 Jun 2024 10:10:01 GMT', /is not a timestamp/],
    ['hours alone', '2024-06-05T10', /is not a timestamp/],
    ['fractions of minutes', '2024-06-05T10:10.5', /is not a timestamp/],
    ['a zone without a time', '2024-06-05Z', /is not a timestamp/],
    ['a zone of one digit', '2024-06-05T10:10:01+2', /is not a timestamp/],
    ['30 February', '2024-02-30', /is a date or time that does not exist/],
    ['29 February in a common year', '2023-02-29T10:00:00Z', /is a date or time that does not exist/],
    ['month 13', '2024-13-01', /is a date or time that does not exist/],
    ['day 0', '2024-06-00', /is a date or time that does not exist/],
    ['hour 25', '2024-06-05T25:00:00Z', /is a date or time that does not exist/],
    ['minute 60', '2024-06-05T10:60:00Z', /is a date or time that does not exist/],
    ['second 61', '2024-06-05T10:10:61Z', /is a date or time that does not exist/],
    ['a zone beyond a day', '2024-06-05T10:10:01+25:00', /is a date or time that does not exist/],
    ['the year 10000', new Date(END + 1), /outside the years that the server accepts/],
    ['the year 0', new Date(START - 1), /outside the years that the server accepts/],
    [
      'a time that its zone moves into the year 10000',
      '9999-12-31T23:59:59-01:00',
      /outside the years that the server accepts/,
    ],
  ])('refuses %s', (_what, value, message) =>
    expect(thrownBy(() => parseTimestamp(value as Timestamp))).toMatchObject({
      name: 'TimestampError',
      code: 'BAD_TIMESTAMP',
      message: expect.stringMatching(message),
    }),
  );

  test('quotes only the beginning of a long text', () =>
    expect(String(thrownBy(() => parseTimestamp('x'.repeat(10_000)))).length).toBeLessThan(200));
});

describe('toUnixSeconds', () => {
  test.each([
    [1577836799999, '1577836799.999'],
    [1578441600123, '1578441600.123'],
    [1577923200000, '1577923200.000'],
    [0, '0.000'],
    [-1500, '-1.500'],
    [END, '253402300799.999'],
    [START, '-62135596800.000'],
  ])('writes %d as %s', (ms, text) => expect(toUnixSeconds(ms)).toBe(text));

  test('keeps every millisecond that the server accepts, also after a conversion to a double', () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: START, max: END }), fc.integer({ min: 1.4e12, max: 4.1e12 })),
        (ms) => {
          expect(parseTimestamp(new Date(ms)).getTime()).toBe(ms);
          if (ms < 1e11 || ms > 1e14) return;
          expect(parseTimestamp(toUnixSeconds(ms)).getTime()).toBe(ms);
          expect(parseTimestamp(ms / 1000).getTime()).toBe(ms);
          // The server's Python reads a double of seconds, rounds it to microseconds, and cuts it to milliseconds.
          if (Math.abs(ms) < 4.1e12)
            expect(Math.floor(Math.round(Number(toUnixSeconds(ms)) * 1e6) / 1000)).toBe(ms);
        },
      ),
      { seed: 6, numRuns: 2000, examples: [[1578441600123], [-1], [1]] },
    ));
});

describe('timestampOf', () => {
  test.each<[timestamp: string | number | Date | undefined, parsed: unknown]>([
    [undefined, undefined],
    ['now', undefined],
    ['settled', 'settled'],
    ['1578441600.123', 1578441600123],
    [new Date(5), 5],
  ])('parses %p', (timestamp, parsed) => expect(parseTimestampOption(timestamp)).toBe(parsed));

  test('refuses a value that is not a timestamp', () =>
    expect(() => parseTimestampOption('Settled')).toThrow(TimestampError));
});

describe('a timestamp that names a materialization', () => {
  test.each([
    ['mat', 'newest'],
    [' MAT ', 'newest'],
    ['mat_943', 943],
    ['mat_0', 0],
  ])('%p', (text, version) =>
    expect([parseVersionName(text), parseTimestampOption(text)]).toEqual([{ version }, { version }]),
  );
  test.each([['matte'], ['mat_'], ['mat_x'], ['mat_-1'], ['943'], ['now'], [undefined], [943]])(
    '%p does not name one',
    (text) => expect(parseVersionName(text)).toBeUndefined(),
  );
});

describe('toExclusiveUnixSeconds', () => {
  test.each([
    [1577923200000, '1577923200.001'],
    [1578441600999, '1578441601.000'],
    [-1, '0.000'],
    [253_402_300_799_999, '253402300799.999'],
  ])('of %d is %p', (ms, text) => expect(toExclusiveUnixSeconds(ms)).toBe(text));
});
