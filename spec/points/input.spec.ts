import { describe, expect, test } from '@jest/globals';
import { pointSource, type PointInput } from '../../lib/points/input.ts';

function all(points: unknown): number[][] {
  const source = pointSource(points as PointInput), out = new Float64Array(3);
  const one = Array.from({ length: source.count }, (_, index) => {
    source.read(index, out);
    return [...out];
  });
  // Blocks of two: what is beyond the end stays as it was.
  for (let first = 0; first < source.count; first += 2) {
    const block = new Float64Array(6).fill(-7);
    source.read(first, block);
    expect([...block]).toEqual([...one[first], ...(one[first + 1] ?? [-7, -7, -7])]);
  }
  return one;
}

const NO_POINT = [NaN, NaN, NaN];

describe('pointSource', () => {
  test.each<[form: string, points: unknown, read: number[][]]>([
    ['a list of points', [[1, 2, 3], [4.5, -5, 6e9]], [[1, 2, 3], [4.5, -5, 6e9]]],
    ['a list of typed points', [Float32Array.of(1.5, 2, 3), BigInt64Array.of(4n, -5n, 6n)], [[1.5, 2, 3], [4, -5, 6]]],
    ['a list with bigint coordinates', [[1n, 2, 3n]], [[1, 2, 3]]],
    ['an empty list', [], []],
    ['a flat Float64Array', Float64Array.of(1, 2, 3, 4, 5, 6), [[1, 2, 3], [4, 5, 6]]],
    ['a flat Int32Array that starts within its buffer', Int32Array.of(9, 9, 1, -2, 3, 9).subarray(2, 5), [[1, -2, 3]]],
    ['a flat BigInt64Array', BigInt64Array.of(1n, -2n, 2n ** 40n), [[1, -2, 2 ** 40]]],
    ['a flat BigUint64Array', BigUint64Array.of(1n, 2n, 3n), [[1, 2, 3]]],
    ['an empty flat array', new Uint16Array(0), []],
    ['columns', { x: [1, 4], y: [2, 5], z: [3, 6] }, [[1, 2, 3], [4, 5, 6]]],
    ['columns of different types', { x: BigInt64Array.of(1n, -4n), y: Float32Array.of(2.5, 5), z: [3, 6] }, [[1, 2.5, 3], [-4, 5, 6]]],
    ['empty columns', { x: [], y: [], z: [] }, []],
    ['columns among other fields', { x: [1], y: [2], z: [3], name: 'synapses' }, [[1, 2, 3]]],
  ])('reads %s', (_form, points, read) => expect(all(points)).toEqual(read));

  test.each<[what: string, point: unknown]>([
    ['null', null], ['undefined', undefined], ['a number', 7], ['text', '1,2,3'], ['an object', { x: 1, y: 2, z: 3 }], ['two coordinates', [1, 2]],
    ['four coordinates', [1, 2, 3, 4]], ['nothing', []], ['a DataView', new DataView(new ArrayBuffer(3))],
  ])('takes %s in a list for a point of NaN, and goes on', (_what, point) => expect(all([[1, 2, 3], point, [4, 5, 6]])).toEqual([[1, 2, 3], NO_POINT, [4, 5, 6]]));

  test.each<[what: string, coordinate: unknown]>([
    ['text', '2'], ['null', null], ['undefined', undefined], ['true', true], ['a Date', new Date(2)], ['a list', [2]], ['NaN', NaN],
  ])('takes a coordinate that is %s for NaN, in lists and columns', (_what, coordinate) => {
    expect(all([[1, coordinate, 3]])).toEqual([[1, NaN, 3]]);
    expect(all({ x: [1], y: [coordinate], z: [3] })).toEqual([[1, NaN, 3]]);
  });

  test.each<[what: string, points: unknown, message: RegExp]>([
    ['a bare point', [1, 2, 3], /a list of points: \[\[x, y, z\], …\]/],
    ['a bare point of bigints', [1n, 2n, 3n], /a list of points/],
    ['a flat array of 4 values', new Float64Array(4), /4 values are no whole number of points/],
    ['columns that differ in length', { x: [1, 2], y: [1], z: [1, 2] }, /columns x, y, z differ in length: 2, 1, 2/],
    ['a column that is missing', { x: [1], y: [2] }, /points must be/],
    ['columns of text', { x: '1', y: '2', z: '3' }, /points must be/],
    ['a DataView', new DataView(new ArrayBuffer(24)), /points must be/],
    ['null', null, /points must be/], ['undefined', undefined, /points must be/], ['a number', 5, /points must be/], ['text', '[[1,2,3]]', /points must be/],
  ])('refuses %s with a TypeError', (_what, points, message) => {
    const read = (): unknown => pointSource(points as PointInput);
    expect(read).toThrow(TypeError);
    expect(read).toThrow(message);
  });
});
