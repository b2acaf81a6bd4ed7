/** States with annotations in layers with all kinds of transforms, and states of older versions and forks. */
import type { Random } from '../testing/random.ts';

type Json = Record<string, unknown>;
/** A length in several spellings. */
const UNITS: readonly (readonly [number, string])[] = [
  [4e-9, 'm'],
  [8, 'nm'],
  [0.5, 'µm'],
  [3.3, 'nm'],
  [1e-3, 'um'],
  [7, 'pm'],
  [2e-12, 'km'],
];

const shuffled = <T>(items: readonly T[], random: Random): T[] => {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0]);
};

const dimensions = (names: readonly string[], random: Random): Json =>
  Object.fromEntries(names.map((name) => [name, name === 't' ? [0.5, 's'] : random.pick(UNITS)]));

/** A state with one to three annotation layers. */
export function randomState(random: Random): Json {
  const names = shuffled(random.below(3) === 0 ? ['x', 'y', 'z', 't'] : ['x', 'y', 'z'], random);
  return {
    dimensions: dimensions(names, random),
    layers: Array.from({ length: 1 + random.below(3) }, (_, k) => randomLayer(k, names, random)),
    layout: 'xy',
  };
}

function randomLayer(index: number, stateNames: readonly string[], random: Random): Json {
  const name = `layer ${index}`,
    hasTransform = random.below(4) > 0;
  const names = hasTransform
      ? shuffled(random.below(4) === 0 ? ['x', 'y', 'z', 't'] : ['x', 'y', 'z'], random)
      : stateNames,
    rank = names.length;
  const transform: Json = { outputDimensions: dimensions(names, random) };
  if (random.below(2) === 0)
    transform.inputDimensions = Object.fromEntries(
      names.map((other, k) => [String(k), other === 't' ? [0.5, 's'] : random.pick(UNITS)]),
    );
  if (random.below(2) === 0) transform.matrix = randomMatrix(names, random);
  const source = hasTransform ? { url: 'local://annotations', transform } : 'local://annotations';
  return {
    type: 'annotation',
    name,
    source: random.below(3) === 0 ? [source] : source,
    annotations: Array.from({ length: 1 + random.below(8) }, (_, k) =>
      randomAnnotation(`${index}-${k}`, rank, random),
    ),
  };
}

/** A matrix that moves, scales, turns and mirrors x, y and z; time stays apart. */
function randomMatrix(names: readonly string[], random: Random): number[][] {
  const rank = names.length,
    matrix = names.map((_, row) =>
      names.map((_, column): number => (row === column ? 1 : 0)).concat(random.below(2000) - 1000),
    );
  const space = names.flatMap((name, k) => (name === 't' ? [] : [k]));
  const columns = random.below(2) === 0 ? shuffled(space, random) : space;
  for (const [k, row] of space.entries()) {
    for (const column of space) matrix[row][column] = 0;
    matrix[row][columns[k]] = random.pick([1, -1, 2, 0.25, 1.5]);
    if (random.below(3) === 0) matrix[row][random.pick(space)] ||= random.pick([0.5, -0.125]);
  }
  for (const [row, name] of names.entries()) if (name === 't') matrix[row][rank] = 0;
  return matrix;
}

function randomAnnotation(id: string, rank: number, random: Random): Json {
  const place = (): number[] =>
    Array.from({ length: rank }, () => random.below(8000) - 2000 + random.below(8) / 8);
  const shape = random.pick<Json>([
    { type: 'point', point: place() },
    { type: 'line', pointA: place(), pointB: place() },
    { type: 'axis_aligned_bounding_box', pointA: place(), pointB: place() },
    { type: 'ellipsoid', center: place(), radii: place().map(Math.abs) },
    { type: 'polyline', points: [place(), place(), place()] },
  ]);
  return {
    ...shape,
    id,
    ...(random.below(2) === 0 && { description: `it's "${id}", & 50%_` }),
    ...(random.below(2) === 0 && { segments: [['648518346349538689', String(random.below(100))]] }),
  };
}

/**
 * States that Neuroglancer no longer writes, but still reads. Without `voxelSize`, it shows no annotations of an old
 * state; Seung-lab's fork takes that of `navigation`, as we do.
 */
export function* foreignStates(): Iterable<[name: string, state: Json]> {
  const navigation = {
    pose: { position: { voxelSize: [4, 4, 40], voxelCoordinates: [10, 20, 30] } },
    zoomFactor: 8,
  };
  const annotations = [
    { type: 'point', id: 'a', point: [10, 20.5, 30] },
    { type: 'line', id: 'b', pointA: [1, 2, 3], pointB: [4, 5, 6], description: 'line' },
    { type: 'axis_aligned_bounding_box', id: 'c', pointA: [0, 0, 0], pointB: [10, 20, 31] },
    { type: 'ellipsoid', id: 'd', center: [5, 6, 7], radii: [1, 1, 1] },
  ];
  const layer = { type: 'annotation', name: 'old', annotations };
  yield ['an old state with its own voxels', { navigation, layers: [{ ...layer, voxelSize: [8, 16, 33] }] }];
  for (const [name, transform] of [
    ['a matrix of 16', [0, 1, 0, 100, 1, 0, 0, -40, 0, 0, -1, 7, 0, 0, 0, 1]],
    [
      'four rows',
      [
        [2, 0, 0, 100],
        [0, 1, 0.5, -40],
        [0, 0, -1, 7],
        [0, 0, 0, 1],
      ],
    ],
    ['a rotation', { rotation: [0.1, -0.2, 0.3, 0.8], translation: [1000, -200, 40], scale: [1, 2, 0.5] }],
    ['a translation', { translation: [400, 0, 0] }],
  ] as const) {
    yield [
      `an old state with ${name}`,
      { navigation, layers: [{ ...layer, voxelSize: [4, 4, 40], transform }] },
    ];
    yield [
      `a source with ${name}`,
      { navigation, layers: [{ ...layer, source: 'local://annotations', transform }] },
    ];
  }
  yield [
    'a list of points',
    {
      navigation,
      layers: [
        {
          type: 'pointAnnotation',
          name: 'p',
          voxelSize: [4, 4, 40],
          points: [
            [1, 2, 3],
            [4, 5.5, 6],
          ],
        },
      ],
    },
  ];
}
