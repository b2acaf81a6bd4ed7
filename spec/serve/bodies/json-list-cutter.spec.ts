import { describe, expect, test } from '@jest/globals';
import { JsonListCutter } from '../../../lib/serve/bodies/json-list-cutter.ts';
import { HttpRefusal } from '../../../lib/serve/http-errors.ts';

/** Cuts a body that comes in parts, and parses each piece. */
function itemsOf(body: string, parts: (bytes: Buffer) => Iterable<Buffer>): unknown[] {
  const bytes = Buffer.from(body),
    start = JsonListCutter.startOf(bytes.subarray(0, 256), 'points')!,
    cutter = new JsonListCutter(),
    items: unknown[] = [];
  for (const part of parts(bytes.subarray(start))) {
    const text = cutter.push(part);
    if (text !== undefined) items.push(...(JSON.parse(`[${text}]`) as unknown[]));
  }
  cutter.finish();
  return items;
}

const partsOf = (length: number) =>
  function* (bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += length) yield Buffer.from(bytes.subarray(at, at + length));
  };

const POINTS = Array.from({ length: 12_000 }, (_, k) => [k, k + 0.25, 1 - 7 * k]);
const BODY = JSON.stringify({ points: POINTS });

describe('a long JSON list', () => {
  test.each([1, 2, 3, 777, 65_536, 65_537, 1_000_000])('is the same in parts of %d bytes', (length) => {
    expect(BODY.length).toBeGreaterThan(3 * 65_536);
    expect(itemsOf(BODY, partsOf(length))).toEqual(POINTS);
  });

  test('is the same when a short body is cut in two at every byte', () => {
    const body = '{"points": [ [1, 2, 3] , [4,5,6] ] }';
    for (let at = 0; at <= body.length; at++)
      expect(
        itemsOf(body, (bytes) =>
          [bytes.subarray(0, at), bytes.subarray(at)].map((part) => Buffer.from(part)),
        ),
      ).toEqual([
        [1, 2, 3],
        [4, 5, 6],
      ]);
  });

  const blanks = ' '.repeat(65_536);
  test.each([
    ['a comma after blanks', `{"points": [${blanks},[1,2,3]]}`],
    ['a comma at its end', '{"points": [[1,2,3],]}'],
    ['two commas', `{"points": [[1,2,3],${blanks},[1,2,3]]}`],
    ['no end', '{"points": [[1,2,3]'],
    ['another member behind it', '{"points": [[1,2,3]], "x": 1}'],
    ['text behind it', '{"points": [[1,2,3]]} {}'],
    ['an item that is too long', `{"points": [[${'1,'.repeat(70_000)}1]]}`],
    ['a text with a backslash', '{"points": ["\\u0031"]}'],
  ])('is refused with %s', (_, body) => {
    for (const length of [1, 50, 65_537]) {
      let thrown: unknown;
      try {
        itemsOf(body, partsOf(length));
      } catch (error) {
        thrown = error;
      }
      expect(thrown instanceof HttpRefusal || thrown instanceof SyntaxError).toBe(true);
    }
  });
});
