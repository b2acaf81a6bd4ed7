import { describe, expect, test } from '@jest/globals';
import type { StateError } from '../../lib/base/errors.ts';
import { pointsOfState, type StatePointsOptions } from '../../lib/neuroglancer/state-points.ts';

const NM_4_4_40 = { x: [4e-9, 'm'], y: [4e-9, 'm'], z: [4e-8, 'm'] };
const point = (place: unknown, more: object = {}): object => ({
  type: 'point',
  id: 'a1',
  point: place,
  ...more,
});
const layer = (annotations: unknown, more: object = {}): Record<string, unknown> => ({
  type: 'annotation',
  name: 'spines',
  source: 'local://annotations',
  annotations,
  ...more,
});
const placed = (transform: object, annotations: unknown): object =>
  layer(annotations, { source: { url: 'local://annotations', transform } });
const state = (...layers: unknown[]): object => ({ dimensions: NM_4_4_40, layers });
const read = (given: string | object, options?: StatePointsOptions): number[] => [
  ...pointsOfState(given, options).points,
];
const failure = (
  given: string | object,
  options?: StatePointsOptions,
): Pick<StateError, 'code' | 'layer' | 'annotation' | 'message'> => {
  try {
    pointsOfState(given, options);
  } catch (error) {
    return error as StateError;
  }
  throw new Error('nothing was thrown');
};

describe('pointsOfState', () => {
  test('reads points, ends of lines, centres, and vertices, with what belongs to them', () => {
    const found = pointsOfState(
      state(
        layer([
          point([1, 2.5, 3], { description: 'head', segments: ['648518346349538689'] }),
          { type: 'line', id: 'l', pointA: [1, 1, 1], pointB: [2, 2, 2], segments: [['7', '8'], ['9']] },
          { type: 'axis_aligned_bounding_box', id: 'b', pointA: [10, 0, 0], pointB: [20, 5, 4] },
          { type: 'ellipsoid', id: 'e', center: [7, 8, 9], radii: [1, 1, 1] },
        ]),
        layer(
          [
            {
              type: 'polyline',
              id: 'p',
              points: [
                [0, 0, 0],
                [1, 0, 0],
                [1, 1, 0],
              ],
            },
          ],
          { name: 'paths' },
        ),
      ),
    );
    expect([...found.points]).toEqual([
      1, 2.5, 3, 1, 1, 1, 2, 2, 2, 15, 2.5, 2, 7, 8, 9, 0, 0, 0, 1, 0, 0, 1, 1, 0,
    ]);
    expect(found.resolution).toEqual([4, 4, 40]);
    expect(found.layer).toEqual([...new Array<string>(5).fill('spines'), 'paths', 'paths', 'paths']);
    expect(found.annotation).toEqual(['a1', 'l', 'l', 'b', 'e', 'p', 'p', 'p']);
    expect(found.part).toEqual([
      'point',
      'pointA',
      'pointB',
      'center',
      'center',
      'vertex',
      'vertex',
      'vertex',
    ]);
    expect(found.description.slice(0, 2)).toEqual(['head', undefined]);
    expect(found.segments.slice(0, 3)).toEqual([['648518346349538689'], ['7', '8', '9'], ['7', '8', '9']]);
  });

  test('reads one layer by its name', () => {
    const both = state(layer([point([1, 2, 3])]), layer([point([4, 5, 6])], { name: 'other' }));
    expect(read(both, { layer: 'other' })).toEqual([4, 5, 6]);
    expect(failure(both, { layer: 'none' })).toMatchObject({ code: 'NO_LAYER', layer: 'none' });
    expect(failure(both, { layer: 'none' }).message).toContain('spines, other');
    expect(failure(state({ type: 'image', name: 'i' }))).toMatchObject({ code: 'NO_LAYER' });
    expect(failure({})).toMatchObject({ code: 'NO_LAYER' });
  });

  test('converts units of layers to those of the state, or to those that are asked for', () => {
    const inNanometres = placed({ outputDimensions: { x: [1, 'nm'], y: [1e-3, 'um'], z: [1e-3, 'µm'] } }, [
      point([4, 8, 60]),
    ]);
    expect(read(state(inNanometres))).toEqual([1, 2, 1.5]);
    expect(read(state(inNanometres), { resolution: [8, 8, 40] })).toEqual([0.5, 1, 1.5]);
    expect(pointsOfState({ layers: [inNanometres] })).toMatchObject({ resolution: [1, 1, 1] });
  });

  test('gives whole voxels exactly, whatever the rounding of the units', () => {
    const transform = {
      outputDimensions: { x: [3.3e-9, 'm'], y: [7.7272727272727275e-9, 'm'], z: [4.000000000000001e-8, 'm'] },
    };
    for (let k = 0; k < 3000; k += 7)
      expect(read({ layers: [placed(transform, [point([k, k, k])])] })).toEqual([k, k, k]);
    expect(
      read(
        { layers: [placed(transform, [point([3, 2, 1])])] },
        { resolution: [9.9, 7.7272727272727275, 40] },
      ),
    ).toEqual([1, 2, 1]);
  });

  test('takes dimensions by their names, in any order', () => {
    const reversed = { z: [4e-8, 'm'], t: [1, 's'], y: [4e-9, 'm'], x: [4e-9, 'm'] };
    expect(read({ dimensions: reversed, layers: [layer([point([3, 99, 2, 1])])] })).toEqual([1, 2, 3]);
    expect(
      read(
        state(
          placed({ outputDimensions: { y: [4, 'nm'], z: [4, 'nm'], x: [4, 'nm'] } }, [point([2, 30, 1])]),
        ),
      ),
    ).toEqual([1, 2, 3]);
  });

  test('applies the matrix to lengths, and its last column in units of the output', () => {
    const transform = {
      outputDimensions: NM_4_4_40,
      inputDimensions: { 0: [8e-9, 'm'], 1: [8e-9, 'm'], 2: [4e-8, 'm'] },
      matrix: [
        [0, 1, 0, 100],
        [2, 0, 0, 0],
        [0, 0, -1, 5],
      ],
    };
    // x = 2·20 + 100, y = 2·(2·10), z = 5 - 3.
    expect(read(state(placed(transform, [point([10, 20, 3])])))).toEqual([140, 40, 2]);
  });

  test('reads annotations with fewer coordinates than dimensions only where x, y and z are known', () => {
    const inTime = { outputDimensions: { ...NM_4_4_40, t: [1, 's'] }, sourceRank: 3 };
    expect(read(state(placed(inTime, [point([1, 2, 3])])))).toEqual([1, 2, 3]);
    const flat = { outputDimensions: NM_4_4_40, sourceRank: 2 };
    expect(failure(state(placed(flat, [point([1, 2])])))).toMatchObject({
      code: 'BAD_LAYER',
      layer: 'spines',
    });
  });

  test('reads what older versions and forks write', () => {
    const navigation = { pose: { position: { voxelSize: [4, 4, 40], voxelCoordinates: [1, 2, 3] } } };
    const old = layer([point([10, 20, 30], { tagIds: [2] })], {
      source: undefined,
      annotationTags: [
        { id: 1, label: 'soma' },
        { id: 2, label: 'spine' },
      ],
    });
    expect(pointsOfState(JSON.stringify({ navigation, layers: [old] }))).toMatchObject({
      points: Float64Array.of(10, 20, 30),
      resolution: [4, 4, 40],
      tags: [['spine']],
    });
    expect(read(JSON.stringify({ navigation, layers: [{ ...old, voxelSize: [8, 8, 40] }] }))).toEqual([
      20, 40, 30,
    ]);
    const moved = {
      ...old,
      voxelSize: [4, 4, 40],
      transform: { translation: [400, 0, 0], scale: [2, 1, 1] },
    };
    expect(read(JSON.stringify({ navigation, layers: [moved] }))).toEqual([120, 20, 30]);
    expect(
      failure(JSON.stringify({ navigation, layers: [{ ...moved, voxelSize: undefined }] })),
    ).toMatchObject({ code: 'BAD_LAYER' });
    const group = { type: 'line_strip', id: 'g', source: [1, 1, 1], childrenVisible: true };
    const member = { type: 'line', id: 'm', pointA: [1, 1, 1], pointB: [2, 2, 2], parentId: 'g' };
    expect(read(JSON.stringify({ navigation, layers: [{ ...old, annotations: [group, member] }] }))).toEqual([
      1, 1, 1, 2, 2, 2,
    ]);
    const first = { type: 'pointAnnotation', points: [[1, 2, 3]] };
    expect(read(JSON.stringify({ navigation, layers: { soma: first } }))).toEqual([1, 2, 3]);
  });

  test('reads the tags of spelunker', () => {
    const tagged = layer([point([1, 2, 3], { props: [1, 0.5, 0, 1] })], {
      annotationProperties: [
        { id: 'tag0', type: 'uint8', tag: 'axon' },
        { id: 'size', type: 'float32' },
        { id: 'tag1', type: 'uint8', tag: 'spine' },
        { id: 'tag2', type: 'uint8', tag: 'shaft' },
      ],
    });
    expect(pointsOfState(state(tagged)).tags).toEqual([['axon', 'shaft']]);
  });

  test('names layers whose annotations are not in the state', () => {
    const elsewhere = { type: 'annotation', name: 'synapses', source: 'precomputed://gs://bucket/synapses' };
    expect(pointsOfState(state(layer([point([1, 2, 3])]), elsewhere)).elsewhere).toEqual([
      { layer: 'synapses', source: 'precomputed://gs://bucket/synapses' },
    ]);
    expect(failure(state(elsewhere))).toMatchObject({ code: 'UNSUPPORTED', layer: 'synapses' });
  });

  test('refuses a link that only names where its state is', () => {
    const error = failure('https://viewer.example/#!middleauth+https://g.example/nglstate/api/v1/5');
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.message).toContain('https://g.example/nglstate/api/v1/5');
  });

  test.each<[string, unknown, object]>([
    ['no object', 5, { annotation: '1' }],
    ['no type', { id: 'q', point: [1, 2, 3] }, { annotation: 'q' }],
    ['an unknown type', { type: 'mesh', id: 'q' }, { annotation: 'q' }],
    ['two coordinates', point([1, 2]), { annotation: 'a1' }],
    ['four coordinates', point([1, 2, 3, 4]), {}],
    ['no place', { type: 'point', id: 'q' }, {}],
    ['a text', point(['x', 2, 3]), {}],
    ['null', point([null, 2, 3]), {}],
    ['no end', { type: 'line', id: 'q', pointA: [1, 2, 3] }, { annotation: 'q' }],
    ['a rounded segment', point([1, 2, 3], { segments: [648518346349538700] }), {}],
    ['a segment that is no ID', point([1, 2, 3], { segments: ['18446744073709551616'] }), {}],
    ['an unknown tag', point([1, 2, 3], { tagIds: [3] }), {}],
    ['a number as description', point([1, 2, 3], { description: 5 }), {}],
  ])('refuses an annotation with %s, and names it', (_, annotation, more) => {
    const error = failure(state(layer([annotation])));
    expect(error).toMatchObject({ code: 'BAD_ANNOTATION', layer: 'spines', ...more });
    expect(error.message).toContain('spines');
  });

  test.each<[string, object]>([
    ['a matrix of the wrong size', { outputDimensions: NM_4_4_40, matrix: [[1, 0, 0, 0]] }],
    [
      'a row of the wrong size',
      {
        outputDimensions: NM_4_4_40,
        matrix: [
          [1, 0, 0, 0],
          [0, 1, 0, 0],
          [0, 0, 1],
        ],
      },
    ],
    [
      'a matrix with a text',
      {
        outputDimensions: NM_4_4_40,
        matrix: [
          [1, 0, 0, 'a'],
          [0, 1, 0, 0],
          [0, 0, 1, 0],
        ],
      },
    ],
    ['no dimensions', {}],
    ['no z', { outputDimensions: { x: [1, 'nm'], y: [1, 'nm'] } }],
    ['local dimensions', { outputDimensions: { "x'": [1, 'nm'], y: [1, 'nm'], z: [1, 'nm'] } }],
    [
      'a name that is none',
      { outputDimensions: JSON.parse('{"__proto__":[1,"nm"],"x":[1,"nm"]}') as unknown },
    ],
    ['a unit that is none', { outputDimensions: { ...NM_4_4_40, x: [1, 'parsec'] } }],
    ['no unit', { outputDimensions: { ...NM_4_4_40, x: [1, ''] } }],
    ['seconds', { outputDimensions: { ...NM_4_4_40, x: [1, 's'] } }],
    ['a scale of 0', { outputDimensions: { ...NM_4_4_40, x: [0, 'm'] } }],
    ['a scale that is no length', { outputDimensions: { ...NM_4_4_40, x: [1e300, 'Ym'] } }],
    [
      'more input dimensions',
      { outputDimensions: NM_4_4_40, inputDimensions: { ...NM_4_4_40, t: [1, 's'] } },
    ],
    ['a rank that is none', { outputDimensions: NM_4_4_40, sourceRank: 4 }],
  ])('refuses a layer with %s', (_, transform) => {
    expect(failure(state(placed(transform, [point([1, 2, 3])])))).toMatchObject({
      code: 'BAD_LAYER',
      layer: 'spines',
    });
  });

  test('refuses a layer without any dimensions', () => {
    expect(failure({ layers: [layer([point([1, 2, 3])])] })).toMatchObject({
      code: 'BAD_LAYER',
      layer: 'spines',
    });
  });

  test('keeps huge coordinates finite, or names them', () => {
    expect(read(state(layer([point([1e300, -1e300, 0])])), { resolution: [1, 1, 1] })).toEqual([
      4e300, -4e300, 0,
    ]);
    const away = {
      outputDimensions: NM_4_4_40,
      matrix: [
        [1e300, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ],
    };
    expect(failure(state(placed(away, [point([1e300, 0, 0])])))).toMatchObject({
      code: 'BAD_ANNOTATION',
      annotation: 'a1',
    });
  });

  test('hides control characters of names in messages', () => {
    const error = failure(state(layer([point([1])], { name: 'a\u001b[31mb\u202ec' })));
    expect(error.message).not.toMatch(/[\u001b\u202e]/);
  });
});
