import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatExactJson, parseExactJson } from '../../../lib/chunkedgraph/server/exact-json.ts';

describe('exact JSON', () => {
  test.each<[text: string, value: unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['[72127962782105601,-9007199254740993]', [72127962782105601n, -9007199254740993n]],
    ['18446744073709551615', 18446744073709551615n],
    ['1577923200.123', 1577923200.123],
    ['1.1754943508222875e-38', 1.1754943508222875e-38],
    ['[0,-1,1e21,100000000000000000000.5]', [0, -1, 1e21, 1e20]],
    ['"72127962782105601"', '72127962782105601'],
    ['[NaN,Infinity,-Infinity,"NaN","a\\"Infinity"]', [null, Infinity, -Infinity, 'NaN', 'a"Infinity']],
    ['{"a":null,"b":[true,false]}', { a: null, b: [true, false] }],
  ])('reads %s', (text, value) => expect(parseExactJson(text)).toEqual(value));

  test.each(['', '{', '[1,]', 'nul', '{"a":1,"a":2}', '<html>', '['.repeat(200_000)])(
    'refuses %.20s',
    (text) => expect(() => parseExactJson(text)).toThrow(SyntaxError),
  );

  test('writes raw digits', () =>
    expect(formatExactJson({ node_ids: BigUint64Array.of(2n ** 64n - 1n, 0n), op: [5n, 1.5] })).toBe(
      '{"node_ids":[18446744073709551615,0],"op":[5,1.5]}',
    ));

  test('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.bigUint64Array(), (ids) => {
        const read = parseExactJson(formatExactJson(ids)) as (number | bigint)[];
        expect(BigUint64Array.from(read, BigInt)).toEqual(ids);
      }),
      { seed: 5 },
    );
  });
});
