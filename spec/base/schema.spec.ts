import { afterEach, describe, expect, test } from '@jest/globals';
import { de } from 'zod/locales';
import * as z from 'zod/mini';
import { firstIssue, integerBetween, safeParse } from '../../lib/base/schema.ts';

const schema = z.object({ scales: z.array(z.object({ bits: integerBetween(0, 64) })) });
const issueOf = (value: unknown, within?: string): string => {
  const { error } = safeParse(schema, value);
  return error ? firstIssue(error, within) : 'none';
};

describe('schemas', () => {
  afterEach(() => void z.config({ localeError: undefined }));

  const cases: [unknown, string][] = [
    [{ scales: [{ bits: 64 }] }, 'none'],
    [{ scales: [{ bits: 0 }, { bits: 65 }] }, 'scales[1].bits: Too big: expected number to be <=64'],
    [{ scales: [{ bits: -1 }] }, 'scales[0].bits: Too small: expected number to be >=0'],
    [{ scales: [{ bits: 1.5 }] }, 'scales[0].bits: Invalid input: expected int, received number'],
    [{}, 'scales: Invalid input: expected array, received undefined'],
    [7, 'Invalid input: expected object, received number'],
  ];
  test.each(cases)('name the first problem of %j', (value, words) => {
    expect(issueOf(value)).toBe(words);
  });

  test('name the part that was parsed', () => {
    expect(issueOf({}, 'info[3]')).toBe('info[3].scales: Invalid input: expected array, received undefined');
  });

  test('speak English where the program has set another language for its own', () => {
    z.config(de());
    expect(z.safeParse(schema, 7).error?.issues[0].message).toMatch(/^Ungültige Eingabe/);
    expect(issueOf(7)).toBe('Invalid input: expected object, received number');
  });
});
