import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../../lib/base/cooperative-work.ts';
import { readColumns, readLocations } from '../../../lib/serve/transform/json-positions.ts';
import { SchemaRefusal, type RequestFault } from '../../../lib/serve/transform/transform-error.ts';
import { seeded } from '../../../testing/random.ts';
import { rounds } from '../../support/rounds.ts';

/** The text as the bytes of a body that begins at an odd place in memory. */
const body = (text: string): Buffer => {
  const whole = Buffer.from(`?${text}`);
  return whole.subarray(1);
};
const columnsOf = (text: string): number[][] => {
  const { x, y, z } = runWithoutPause(readColumns(body(text), 1000));
  return [[...x], [...y], [...z]];
};
const locationsOf = (text: string): number[] => [...runWithoutPause(readLocations(body(text), 1000))];

/** The fault that a reader finds. Anything else that it throws fails the test. */
function faultOf(read: () => unknown): RequestFault | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!(error instanceof SchemaRefusal)) throw error;
    expect(error.statusCode).toBe(422);
    return error.faults[0];
  }
}

describe('positions in columns', () => {
  test.each([
    ['{"x":[1],"y":[2],"z":[3]}', [[1], [2], [3]]],
    [
      '{"z":[3,6],\n "x": [ 1 , 4 ] ,"y":[2,5]} \r\n',
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    ['{"x":[],"y":[],"z":[]}', [[], [], []]],
    ['{"x":[107227.63],"y":[-0.5],"z":[1.5e3]}', [[107227.63], [-0.5], [1500]]],
    [
      '{"x":[16777217],"y":[9007199254740993],"z":[0.1234567890123456789]}',
      [[16777217], [9007199254740992], [0.12345678901234568]],
    ],
    ['{"x":[NaN],"y":[Infinity],"z":[-Infinity]}', [[NaN], [Infinity], [-Infinity]]],
    ['{"x":[1e999],"y":[-0],"z":[5e-324]}', [[Infinity], [-0], [5e-324]]],
    [
      '{"scale":{"a":[1,{"b":null}],"c":"}\\\\\\""},"x":[1],"y":[2],"q":-1e2,"z":[3],"w":true}',
      [[1], [2], [3]],
    ],
  ])('are read from %s', (text, expected) => expect(columnsOf(text)).toEqual(expected));

  test('are read to the last digit, as JSON.parse reads them', () => {
    const random = seeded(7);
    for (let round = 0; round < rounds(50); round++) {
      const column = (): number[] =>
        Array.from(
          { length: 5 },
          () => (random.below(2) ? 1 : -1) * random.below(2 ** 31) * 10 ** (random.below(30) - 20),
        );
      const sent = { x: column(), y: column(), z: column() };
      expect(columnsOf(JSON.stringify(sent))).toEqual([sent.x, sent.y, sent.z]);
    }
  });

  test.each([
    ['', ['body', 0], 'not JSON: expected an object with x, y, z at byte 0, found the end'],
    ['[1]', ['body', 0], 'not JSON: expected an object with x, y, z at byte 0, found "[1]"'],
    ['{"x":[1],"y":[2]}', ['body', 'z'], 'field required'],
    ['{"x":[1],"y":[2],"z":[3],"x":[1]}', ['body', 'x'], 'the member is there twice'],
    ['{"x":[1],"y":[2,3],"z":[3]}', ['body'], 'x, y and z differ in length: 1, 2, 1'],
    ['{"x":1,"y":2,"z":3}', ['body', 'x'], 'expected a list of numbers'],
    ['{"x":[1,"2"],"y":[2,3],"z":[3,4]}', ['body', 'x', 1], 'expected a number'],
    ['{"x":[1,null],"y":[2,3],"z":[3,4]}', ['body', 'x', 1], 'expected a number'],
    ['{"x":[[1]],"y":[2],"z":[3]}', ['body', 'x', 0], 'expected a number'],
    ['{"x":[1,],"y":[2],"z":[3]}', ['body', 'x', 1], 'expected a number'],
    ['{"x":[+1],"y":[2],"z":[3]}', ['body', 'x', 0], 'expected a number'],
    ['{"x":[01],"y":[2],"z":[3]}', ['body', 'x', 0], 'expected a number'],
    ['{"x":[1-2],"y":[2],"z":[3]}', ['body', 'x', 0], 'expected a number'],
    [
      '{"x":[0x10],"y":[2],"z":[3]}',
      ['body', 7],
      'not JSON: expected , or the end of the list at byte 7, found "x10],\\"y\\":[2],\\"z\\":[3…"',
    ],
    [
      '{"x":[1],"y":[2],"z":[3]}x',
      ['body', 25],
      'not JSON: expected the end of the body at byte 25, found "x"',
    ],
    [
      "{'x':[1]}",
      ['body', 1],
      'not JSON: expected the name of a member in double quotes at byte 1, found "\'x\':[1]}"',
    ],
  ])('are refused in %s', (text, loc, msg) =>
    expect(faultOf(() => columnsOf(text))).toMatchObject({ loc, msg }),
  );

  test.each([
    ['deep lists', `{"a":${'['.repeat(2 ** 20)}`],
    ['deep objects', `{"a":${'{"a":'.repeat(2 ** 18)}`],
    ['a long name', `{"${'a'.repeat(2 ** 20)}":1}`],
    ['a long string without an end', `{"a":"${'\\"'.repeat(2 ** 20)}`],
    ['a number without an end', `{"x":[${'9'.repeat(2 ** 20)}`],
    ['commas', `{"x":[${','.repeat(2 ** 20)}`],
    ['brackets in place of numbers', `{"x":[${'{},'.repeat(2 ** 20)}`],
    ['blanks', ' '.repeat(2 ** 20)],
  ])('are refused in %s', (_, text) => expect(faultOf(() => columnsOf(text))).toBeDefined());

  test('that were cut or changed give what JSON.parse gives, or a refusal', () => {
    const random = seeded(11),
      whole = '{"a":[true,{"b":"c"}],"x":[1,-2.5,3e2],"y":[4,5,6],"z":[7.25,8,9]}';
    let refused = 0;
    for (let round = 0; round < rounds(500); round++) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change <= random.below(3); change++)
        bytes[random.below(bytes.length)] = random.pick([...Buffer.from('[]{},:" 019-+.eEx')]);
      const text = bytes
        .toString('latin1')
        .slice(0, random.below(3) ? undefined : random.below(whole.length));
      let columns: number[][] | undefined;
      if (faultOf(() => void (columns = columnsOf(text)))) refused++;
      else {
        const { x, y, z } = JSON.parse(text) as Record<'x' | 'y' | 'z', number[]>;
        expect([text, columns]).toEqual([text, [x, y, z]]);
      }
    }
    expect(refused).toBeGreaterThan(rounds(100));
  });
});

describe('a list of locations', () => {
  test.each([
    ['{"locations":[[1,2,3],[4.5,-5,6e1]]}', [1, 2, 3, 4.5, -5, 60]],
    ['{"locations":[]}', []],
    ['{"more":[[1]],"locations":[ [ 1 , 2 , NaN ] ]}', [1, 2, NaN]],
  ])('is read from %s', (text, expected) => expect(locationsOf(text)).toEqual(expected));

  test.each([
    ['{}', ['body', 'locations']],
    ['{"locations":[1,2,3]}', ['body', 'locations', 0]],
    ['{"locations":[[1,2,3],[1,2]]}', ['body', 'locations', 1]],
    ['{"locations":[[1,2,3,4]]}', ['body', 'locations', 0]],
    ['{"locations":[[1,2,"3"]]}', ['body', 'locations', 0, 2]],
    ['{"locations":{"0":[1,2,3]}}', ['body', 'locations']],
  ])('is refused in %s', (text, loc) => expect(faultOf(() => locationsOf(text))?.loc).toEqual(loc));
});

test('positions are refused if they are too many', () => {
  const tooMany = expect.objectContaining({ statusCode: 413 }),
    columns = body('{"x":[1,2],"y":[1,2],"z":[1,2]}'),
    locations = body('{"locations":[[1,2,3],[4,5,6]]}');
  expect(runWithoutPause(readColumns(columns, 2)).x).toHaveLength(2);
  expect(runWithoutPause(readLocations(locations, 2))).toHaveLength(6);
  expect(() => runWithoutPause(readColumns(columns, 1))).toThrow(tooMany);
  expect(() => runWithoutPause(readLocations(locations, 1))).toThrow(tooMany);
});
