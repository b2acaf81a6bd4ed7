import { describe, expect, it } from '@jest/globals';
import { idsOfJson, pointsOfJson } from '../../../lib/serve/bodies/json-rows.ts';

const SHORT = 100_000;

/** A body of many items, long enough to be looked at before it is parsed. */
const many = (before: string, item: string, count: number, after: string): Buffer =>
  Buffer.from(before + item.repeat(count) + after);

describe('the shape of a JSON body', () => {
  it.each([
    ['objects in a column', many('{"x":[', '{},', SHORT, '1]}')],
    ['objects in members', many('{"x":', '{"x":', SHORT, '')],
    ['lists inside lists', many('{"x":', '[', SHORT, '')],
    ['an object after a text with a bracket', many('{"]\\"": {', '"a":{},', SHORT, '}}')],
  ])('is refused before it is parsed: %s', (_what, body) => {
    expect(() => pointsOfJson(body)).toThrow(/it has lists or objects inside others/);
  });

  it('is refused with more lists or texts than a short body can hold', () => {
    expect(() => pointsOfJson(many('{"x":[', '[1],', 600_000, '1]}'))).toThrow(/more than 524288 lists/);
    expect(() => idsOfJson(many('{"ids":[', '"1",', 600_000, '"1"]}'))).toThrow(/more than 524288 lists/);
  });

  it('is right for long columns, lists of points, and lists of IDs', () => {
    const numbers = Array.from({ length: SHORT }, (_, index) => index);
    const columns = pointsOfJson(Buffer.from(JSON.stringify({ x: numbers, y: numbers, z: numbers })));
    expect([...columns.subarray(-3)]).toEqual([SHORT - 1, SHORT - 1, SHORT - 1]);
    expect(pointsOfJson(many('{"points":[', '[1,2,3],', 20_000, '[4,5,6]]}'))).toHaveLength(60_003);
    expect(idsOfJson(many('{"ids":[', '"7",', SHORT, '"8"]}'))).toHaveLength(SHORT + 1);
  });

  it('does not take brackets in texts for lists', () => {
    const text = '[{\\"[{'.repeat(20_000);
    expect(() => idsOfJson(Buffer.from(`{"ids":["${text}"]}`))).toThrow(/ids\[0\]/);
  });
});
