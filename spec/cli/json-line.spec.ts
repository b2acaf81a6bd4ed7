import { expect, test } from '@jest/globals';
import { toJsonLine } from '../../lib/cli/json-line.ts';

test.each([
  [
    { operationId: 7, newRoots: BigUint64Array.of(2n ** 64n - 1n) },
    '{"operation_id":7,"new_roots":["18446744073709551615"]}',
  ],
  [
    { at: new Date('2024-06-05T10:10:01.203Z'), users: new Map([['aB', { nMerges: 1 }]]) },
    '{"at":"2024-06-05T10:10:01.203Z","users":{"aB":{"n_merges":1}}}',
  ],
  [
    { affinities: Float64Array.of(0.5, Infinity, NaN), none: undefined, nothing: null },
    '{"affinities":[0.5,"Infinity","NaN"],"nothing":null}',
  ],
  [[[1n, 2n], [3n]], '[["1","2"],["3"]]'],
  [undefined, 'null'],
])('%p as a line', (value, line) => expect(toJsonLine(value)).toBe(`${line}\n`));

test('keeps names as they are on request', () =>
  expect(toJsonLine({ aB: { cD: 2n ** 60n } }, true)).toBe('{"aB":{"cD":"1152921504606846976"}}\n'));
