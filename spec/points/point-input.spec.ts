import { describe, expect, test } from '@jest/globals';
import { toPointSource, type PointInput } from '../../lib/points/point-input.ts';

/** A resizable buffer, which is newer than the types that the specs are compiled with. */
const resizable = (bytes: number) =>
  new (
    ArrayBuffer as unknown as new (
      bytes: number,
      options: object,
    ) => ArrayBuffer & { resize(bytes: number): void }
  )(bytes, { maxByteLength: bytes });

function all(points: unknown): number[][] {
  const source = toPointSource(points as PointInput),
    out = new Float64Array(3);
  const one = Array.from({ length: source.count }, (_, index) => {
    source.read(index, out);
    return [...out];
  });
  // Blocks of two: values beyond the end keep their old content.
  for (let first = 0; first < source.count; first += 2) {
    const block = new Float64Array(6).fill(-7);
    source.read(first, block);
    expect([...block]).toEqual([...one[first], ...(one[first + 1] ?? [-7, -7, -7])]);
  }
  return one;
}

describe('pointSource', () => {
  test.each<[form: string, points: unknown, read: number[][]]>([
    [
      'a list of points',
      [
        [1, 2, 3],
        [4.5, -5, 6e9],
      ],
      [
        [1, 2, 3],
        [4.5, -5, 6e9],
      ],
    ],
    [
      'a list of typed points',
      [Float32Array.of(1.5, 2, 3), BigInt64Array.of(4n, -5n, 6n)],
      [
        [1.5, 2, 3],
        [4, -5, 6],
      ],
    ],
    ['a list with bigint coordinates', [[1n, 2, 3n]], [[1, 2, 3]]],
    [
      'bigints beyond 2^53 as the nearest number',
      [[2n ** 53n + 1n, -(2n ** 63n), 0n]],
      [[2 ** 53, -(2 ** 63), 0]],
    ],
    ['an empty list', [], []],
    [
      'a flat Float64Array',
      Float64Array.of(1, 2, 3, 4, 5, 6),
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      'a flat Int32Array that starts within its buffer',
      Int32Array.of(9, 9, 1, -2, 3, 9).subarray(2, 5),
      [[1, -2, 3]],
    ],
    ['a flat BigInt64Array', BigInt64Array.of(1n, -2n, 2n ** 40n), [[1, -2, 2 ** 40]]],
    ['a flat BigUint64Array', BigUint64Array.of(1n, 2n, 3n), [[1, 2, 3]]],
    ['an empty flat array', new Uint16Array(0), []],
    [
      'columns',
      { x: [1, 4], y: [2, 5], z: [3, 6] },
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      'columns of different types',
      { x: BigInt64Array.of(1n, -4n), y: Float32Array.of(2.5, 5), z: [3, 6] },
      [
        [1, 2.5, 3],
        [-4, 5, 6],
      ],
    ],
    ['empty columns', { x: [], y: [], z: [] }, []],
    ['columns among other fields', { x: [1], y: [2], z: [3], name: 'synapses' }, [[1, 2, 3]]],
  ])('reads %s', (_form, points, read) => expect(all(points)).toEqual(read));

  test.each<[what: string, coordinate: number]>([
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
  ])('keeps %s, in lists and columns', (_what, value) => {
    expect(all([[1, value, 3], { x: 1, y: value, z: 3 }])).toEqual([
      [1, value, 3],
      [1, value, 3],
    ]);
    expect(all({ x: [1], y: [value], z: [3] })).toEqual([[1, value, 3]]);
  });

  test.each<[what: string, point: unknown, is: string]>([
    ['null', null, 'is null'],
    ['undefined', undefined, 'is undefined'],
    ['a number', 7, 'is a number'],
    ['text', '1,2,3', 'is a string'],
    ['a function', () => 0, 'is a function'],
    ['two coordinates', [1, 2], 'has 2 coordinates'],
    ['one coordinate', [1], 'has 1 coordinate'],
    ['four coordinates', [1, 2, 3, 4], 'has 4 coordinates'],
    ['an empty list', [], 'has 0 coordinates'],
    ['a nested point', [[1, 2, 3]], 'has 1 coordinate'],
    ['a typed array of four', Int32Array.of(1, 2, 3, 4), 'has 4 coordinates'],
    ['a Date', new Date(0), 'is an object without x, y and z'],
    ['a DataView', new DataView(new ArrayBuffer(3)), 'is an object without x, y and z'],
  ])('names the index of a point that is %s', (_what, point, is) => {
    const read = (): unknown => toPointSource([[1, 2, 3], [4, 5, 6], point] as PointInput);
    expect(read).toThrow(
      new TypeError(
        `the point at index 2 ${is}; a point is [x, y, z] or { x, y, z }, each a number or a bigint${typeof point === 'string' ? '; Number(text) converts a string to a number' : ''}`,
      ),
    );
  });

  test('treats a hole in a list as an undefined point', () => {
    const list = [[1, 2, 3]];
    list[2] = [4, 5, 6];
    expect(() => toPointSource(list)).toThrow(/^the point at index 1 is undefined;/);
  });

  test.each<[what: string, coordinate: unknown, is: string]>([
    ['text', '2', 'a string'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['true', true, 'a boolean'],
    ['a Date', new Date(2), 'an object'],
    ['a list', [2], 'a list'],
  ])(
    'names the index and the axis of a coordinate that is %s, in lists, objects and columns',
    (_what, value, is) => {
      for (const points of [
        [
          [0, 0, 0],
          [1, value, 3],
        ],
        [[0, 0, 0], { x: 1, y: value, z: 3 }],
        { x: [0, 1], y: [0, value], z: [0, 3] },
        { x: Int8Array.of(0, 1), y: [0, value], z: [0, 3] },
      ]) {
        const read = (): unknown => toPointSource(points as PointInput);
        expect(read).toThrow(TypeError);
        expect(read).toThrow(`the point at index 1: its y is ${is}; a point is`);
      }
    },
  );

  test('accepts objects as points, with numbers or bigints, with other fields and mixed with lists', () =>
    expect(all([{ x: 1, y: 2.5, z: -3 }, [4, 5, 6], { x: 7n, y: 8, z: 9n, name: 'soma' }])).toEqual([
      [1, 2.5, -3],
      [4, 5, 6],
      [7, 8, 9],
    ]));

  test.each<[what: string, points: () => [PointInput, () => void]]>([
    [
      'a flat array',
      () => {
        const flat = Float64Array.of(1, 2, 3, 4, 5, 6);
        return [flat, () => flat.fill(9)];
      },
    ],
    [
      'a flat array of bigints',
      () => {
        const flat = BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n);
        return [flat, () => flat.fill(9n)];
      },
    ],
    [
      'a Buffer',
      () => {
        const flat = Buffer.from([1, 2, 3, 4, 5, 6]);
        return [flat, () => flat.fill(9)];
      },
    ],
    [
      'shared memory',
      () => {
        const flat = new Uint16Array(new SharedArrayBuffer(12));
        flat.set([1, 2, 3, 4, 5, 6]);
        return [flat, () => flat.fill(9)];
      },
    ],
    [
      'a buffer that is transferred',
      () => {
        const flat = Float64Array.of(1, 2, 3, 4, 5, 6);
        return [flat, () => void structuredClone(flat, { transfer: [flat.buffer] })];
      },
    ],
    [
      'a buffer that shrinks',
      () => {
        const buffer = resizable(48),
          flat = new Float64Array(buffer);
        flat.set([1, 2, 3, 4, 5, 6]);
        return [flat, () => buffer.resize(8)];
      },
    ],
    [
      'a list that is cut',
      () => {
        const list = [
          [1, 2, 3],
          [4, 5, 6],
        ];
        return [list, () => (list.length = 1)];
      },
    ],
    [
      'a list whose points change',
      () => {
        const first = [1, 2, 3],
          second = Float32Array.of(4, 5, 6);
        return [
          [first, second],
          () => {
            first[0] = 9;
            second.fill(9);
          },
        ];
      },
    ],
    [
      'a list of objects',
      () => {
        const list = [
          { x: 1, y: 2, z: 3 },
          { x: 4, y: 5, z: 6 },
        ];
        return [list, () => (list[1].y = 9)];
      },
    ],
    [
      'columns',
      () => {
        const columns = { x: [1, 4], y: Int32Array.of(2, 5), z: [3, 6] };
        return [
          columns,
          () => {
            columns.x.length = 0;
            columns.y.fill(9);
          },
        ];
      },
    ],
    [
      'columns of typed arrays',
      () => {
        const columns = { x: BigUint64Array.of(1n, 4n), y: Int32Array.of(2, 5), z: Float32Array.of(3, 6) };
        return [
          columns,
          () => {
            columns.x.fill(9n);
            columns.z.fill(9);
          },
        ];
      },
    ],
  ])('keeps the points as they were at the call: %s', (_what, make) => {
    const [points, change] = make(),
      source = toPointSource(points),
      out = new Float64Array(6);
    change();
    source.read(0, out);
    expect([source.count, ...out]).toEqual([2, 1, 2, 3, 4, 5, 6]);
  });

  test('reads each part of a list once', () => {
    const seen = new Map<PropertyKey, number>();
    const counting = <T extends object>(of: T, name: string): T =>
      new Proxy(of, {
        get: (target, key) => {
          const known = `${name}.${String(key)}`;
          seen.set(known, (seen.get(known) ?? 0) + 1);
          return Reflect.get(target, key, target) as unknown;
        },
      });
    const source = toPointSource(counting([counting({ x: 1, y: 2, z: 3 }, 'p')], 'list')),
      out = new Float64Array(3);
    source.read(0, out);
    source.read(0, out);
    expect([...out]).toEqual([1, 2, 3]);
    expect(Object.fromEntries(seen)).toMatchObject({
      'list.0': 1,
      'list.length': 1,
      'p.x': 1,
      'p.y': 1,
      'p.z': 1,
    });
  });

  test.each<[what: string, points: () => PointInput]>([
    ['a flat array', () => Float64Array.of(1, 2, 3, 4, 5, 6)],
    ['columns', () => ({ x: Float64Array.of(1, 4), y: BigInt64Array.of(2n, 5n), z: Float32Array.of(3, 6) })],
  ])('borrows %s, and so reads what is written to it later', (_what, make) => {
    const points = make(),
      source = toPointSource(points, { borrow: true }),
      block = new Float64Array(9).fill(-7);
    source.read(0, block);
    expect([...block]).toEqual([1, 2, 3, 4, 5, 6, -7, -7, -7]);
    if (ArrayBuffer.isView(points)) (points as Float64Array)[3] = 40;
    else (points as { x: Float64Array }).x[1] = 40;
    source.read(1, block);
    expect([...block.subarray(0, 3)]).toEqual([40, 5, 6]);
  });

  test('throws a TypeError when borrowed memory has been transferred', () => {
    const flat = Float64Array.of(1, 2, 3),
      source = toPointSource(flat, { borrow: true });
    structuredClone(flat, { transfer: [flat.buffer] });
    expect(() => source.read(0, new Float64Array(3))).toThrow(
      new TypeError('an array of points had 3 values when the call began (borrow: true), and has 0 now'),
    );
  });

  test.each([[true], [false]])(
    'refuses an array whose buffer was transferred before the call, borrow: %j',
    (borrow) => {
      const flat = Float64Array.of(1, 2, 3),
        column = Float64Array.of(1);
      structuredClone(flat, { transfer: [flat.buffer, column.buffer] });
      const message = 'the memory of the array is gone: its buffer was transferred, or made smaller';
      expect(() => toPointSource(flat, { borrow })).toThrow(new TypeError(`the points: ${message}`));
      expect(() => toPointSource({ x: column, y: [], z: [] }, { borrow })).toThrow(
        new TypeError(`the column x: ${message}`),
      );
    },
  );

  test.each<[what: string, points: unknown, message: RegExp]>([
    ['a bare point', [1, 2, 3], /a list of points: \[\[x, y, z\], …\]/],
    ['a bare point of bigints', [1n, 2n, 3n], /a list of points/],
    ['a flat array of 4 values', new Float64Array(4), /4 values are not a whole number of points/],
    [
      'columns that differ in length',
      { x: [1, 2], y: [1], z: [1, 2] },
      /columns x, y, z differ in length: 2, 1, 2/,
    ],
    ['a column that is missing', { x: [1], y: [2] }, /points must be/],
    ['columns of text', { x: '1', y: '2', z: '3' }, /points must be/],
    ['a DataView', new DataView(new ArrayBuffer(24)), /points must be/],
    ['null', null, /points must be/],
    ['undefined', undefined, /points must be/],
    ['a number', 5, /points must be/],
    ['text', '[[1,2,3]]', /points must be/],
  ])('refuses %s with a TypeError', (_what, points, message) => {
    const read = (): unknown => toPointSource(points as PointInput);
    expect(read).toThrow(TypeError);
    expect(read).toThrow(message);
  });
});
