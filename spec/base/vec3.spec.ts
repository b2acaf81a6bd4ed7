import { describe, expect, test } from '@jest/globals';
import { formatVec3, product } from '../../lib/base/vec3.ts';

describe('vec3', () => {
  test('multiplies', () => expect(product([2, 3, 7])).toBe(42));
  test.each([
    [[4, 4, 40], '4,4,40'],
    [Float64Array.of(0.5, -1, 1e21), '0.5,-1,1e+21'],
  ])('writes %p as %s', (vector, text) => expect(formatVec3(vector)).toBe(text));
});
