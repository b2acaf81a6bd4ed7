/**
 * Where the coordinates of an annotation layer lie in space.
 * Source: Neuroglancer, src/coordinate_transform.ts (`coordinateTransformSpecificationFromJson`, and its
 * legacy form), src/render_coordinate_transform.ts (the matrix acts on lengths; its last column is in units of
 * the output), src/datasource/local.ts (without a transform, the dimensions of the state) and
 * src/layer/annotation/index.ts (`voxelSize`).
 */
import { StateError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import { UnitRatio } from '../base/unit-ratio.ts';
import type { Vec3 } from '../base/vec3.ts';
import { type Dimension, isSameSize, readDimensions, toNumber } from './dimensions.ts';

/** Where the coordinates of a layer lie. */
export interface LayerPlacement {
  /** How many coordinates each place has. */
  rank: number;
  /** Nanometres per unit of each coordinate; undefined where it is not a length. */
  inputNm: readonly (number | undefined)[];
  /** Nanometres per unit of x, y and z of the layer. */
  outputNm: Vec3;
  /** For x, y and z: the factor of each coordinate, as a ratio of lengths. */
  linear: readonly (readonly number[])[];
  /** For x, y and z: what is added, in units of the layer. */
  translation: Vec3;
}

const AXES = ['x', 'y', 'z'] as const;

/** The dimensions and the matrix of a transform. */
interface Transform {
  input: readonly Dimension[];
  output: readonly Dimension[];
  sourceRank: number;
  /** Rows of the output, columns of the input and the translation; undefined for the identity. */
  matrix: readonly (readonly number[])[] | undefined;
}

/**
 * Reads where the coordinates of a layer lie.
 *
 * @param source The entry of the layer's source; undefined in old states, which have none.
 * @param layer The whole layer.
 * @param stateDimensions The dimensions of the state; undefined if it has none.
 * @throws StateError BAD_LAYER.
 */
export function readPlacement(
  source: unknown,
  layer: Readonly<Record<string, unknown>>,
  name: string,
  stateDimensions: readonly Dimension[] | undefined,
): LayerPlacement {
  const own =
    typeof source === 'object' && source !== null ? (source as Record<string, unknown>).transform : undefined;
  const transform = own === undefined ? undefined : readTransform(own, name);
  return toPlacement(transform ?? readLegacy(source, layer, name, stateDimensions), name);
}

function readTransform(json: unknown, layer: string): Transform {
  const refuse = (reason: string): StateError =>
    new StateError('BAD_LAYER', `the transform of layer ${toPrintable(layer, 80)} ${reason}`, { layer });
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refuse('is not an object');
  const { outputDimensions, inputDimensions, sourceRank, matrix } = json as Record<string, unknown>;
  if (outputDimensions === undefined) throw refuse('has no outputDimensions');
  const where = (which: string): string => `the ${which} of layer ${toPrintable(layer, 80)}`;
  const output = readDimensions(outputDimensions, where('outputDimensions'), layer),
    rank = output.length;
  const input =
    inputDimensions === undefined
      ? output
      : readDimensions(inputDimensions, where('inputDimensions'), layer, true);
  if (input.length !== rank) throw refuse(`has ${rank} output and ${input.length} input dimensions`);
  const source = sourceRank === undefined ? rank : sourceRank;
  if (typeof source !== 'number' || !Number.isInteger(source) || source < 0 || source > rank)
    throw refuse(`has a sourceRank that is not a whole number from 0 to ${rank}`);
  return {
    input,
    output,
    sourceRank: source,
    matrix: matrix === undefined ? undefined : readMatrix(matrix, rank, rank + 1, refuse),
  };
}

function readMatrix(
  json: unknown,
  rows: number,
  columns: number,
  refuse: (reason: string) => StateError,
): number[][] {
  const isRow = (row: unknown): row is unknown[] => Array.isArray(row) && row.length === columns;
  if (!Array.isArray(json) || json.length !== rows || !json.every(isRow))
    throw refuse(`has a matrix that is not ${rows} rows of ${columns} numbers`);
  return json.map((row) =>
    row.map((value: unknown) => {
      const number = toNumber(value);
      if (number === undefined) throw refuse('has a matrix with a value that is not a finite number');
      return number;
    }),
  );
}

const nanometres = (sizes: readonly number[]): Dimension[] =>
  AXES.map((name, axis) => ({ name, nm: sizes[axis] }));

/** Reads the placement of a layer whose source has no transform: that of older versions, or of the state. */
function readLegacy(
  source: unknown,
  layer: Readonly<Record<string, unknown>>,
  name: string,
  stateDimensions: readonly Dimension[] | undefined,
): Transform {
  const refuse = (reason: string): StateError =>
    new StateError('BAD_LAYER', `layer ${toPrintable(name, 80)} ${reason}`, { layer: name });
  // Only a layer without a source has a voxelSize, and only a source that is a text goes with `transform`.
  const { voxelSize, transform: given } = layer,
    sizes = source === undefined && voxelSize !== undefined ? readVoxelSize(voxelSize, refuse) : undefined;
  const matrix =
    given === undefined || given === null || typeof source === 'object'
      ? undefined
      : readLegacyMatrix(given, refuse);
  if (matrix) {
    if (source === undefined && !sizes)
      throw refuse(
        'has a transform, but no voxelSize: versions of Neuroglancer read its coordinates differently',
      );
    return { input: nanometres(sizes ?? [1, 1, 1]), output: nanometres([1, 1, 1]), sourceRank: 3, matrix };
  }
  if (sizes) return identity(nanometres(sizes));
  if (!stateDimensions?.length)
    throw refuse('has no transform, and the state has no dimensions: the size of its voxels is unknown');
  return identity(stateDimensions);
}

const identity = (dimensions: readonly Dimension[]): Transform => ({
  input: dimensions,
  output: dimensions,
  sourceRank: dimensions.length,
  matrix: undefined,
});

/** Reads the size of voxels in nanometres, of a state or a layer of older versions. */
export function readVoxelSize(
  json: unknown,
  refuse: (reason: string) => StateError,
): [number, number, number] {
  const sizes = Array.isArray(json) ? json.map((value) => toNumber(value)) : [];
  if (sizes.length !== 3 || !sizes.every((size) => size !== undefined && size > 0))
    throw refuse('has a voxelSize that is not three positive numbers');
  return sizes as [number, number, number];
}

/** Reads a transform of older versions: 16 numbers, four rows, or rotation, translation and scale; in nanometres. */
function readLegacyMatrix(json: unknown, refuse: (reason: string) => StateError): number[][] {
  const rows =
    Array.isArray(json) && json.length === 16
      ? [0, 4, 8, 12].map((at) => (json as unknown[]).slice(at, at + 4))
      : json;
  if (Array.isArray(rows))
    return readMatrix(rows, 4, 4, (reason) => refuse(`has a transform that ${reason}`)).slice(0, 3);
  if (typeof json !== 'object' || json === null) throw refuse('has a transform that is not a matrix');
  const member = (name: string, fallback: readonly number[]): number[] => {
    const value = (json as Record<string, unknown>)[name];
    const numbers =
      value === undefined ? fallback : Array.isArray(value) ? value.map((part) => toNumber(part)) : [];
    if (numbers.length !== fallback.length || numbers.some((part) => part === undefined))
      throw refuse(`has a transform whose ${name} is not ${fallback.length} numbers`);
    return numbers as number[];
  };
  const quaternion = member('rotation', [0, 0, 0, 1]),
    length = Math.hypot(...quaternion);
  if (!(length > 0)) throw refuse('has a transform whose rotation has no direction');
  const [x, y, z, w] = quaternion.map((part) => part / length),
    scale = member('scale', [1, 1, 1]),
    translation = member('translation', [0, 0, 0]);
  const rotation = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
  ];
  return rotation.map((row, axis) => [
    ...row.map((value, column) => value * scale[column]),
    translation[axis],
  ]);
}

function toPlacement({ input, output, sourceRank, matrix }: Transform, layer: string): LayerPlacement {
  const refuse = (reason: string): StateError =>
    new StateError('BAD_LAYER', `layer ${toPrintable(layer, 80)} ${reason}`, { layer });
  const rows = AXES.map((axis) => {
    const row = output.findIndex(({ name }) => name === axis);
    if (row < 0)
      throw refuse(
        `has no dimension ${axis}: its dimensions are ${toPrintable(output.map(({ name }) => name).join(', '), 80)}`,
      );
    return row;
  });
  const outputNm = rows.map((row, axis) => {
    const { nm } = output[row];
    if (nm === undefined)
      throw refuse(`has a dimension ${AXES[axis]} whose unit is not a length, such as m or nm`);
    return nm;
  }) as [number, number, number];
  const linear = rows.map((row, axis) =>
    input.map((dimension, column) => {
      const factor = matrix ? matrix[row][column] : row === column ? 1 : 0;
      if (factor !== 0 && column >= sourceRank)
        throw refuse(
          `has a ${AXES[axis]} that depends on dimension ${column + 1}, which its annotations have no coordinate of`,
        );
      if (factor !== 0 && dimension.nm === undefined)
        throw refuse(`has a ${AXES[axis]} that depends on a dimension whose unit is not a length`);
      return factor;
    }),
  );
  const translation = rows.map((row) => (matrix ? matrix[row][input.length] : 0)) as [number, number, number];
  return { rank: sourceRank, inputNm: input.map(({ nm }) => nm), outputNm, linear, translation };
}

/**
 * Places coordinates in space. A multiple of half a unit, by its decimals, stays exactly that.
 *
 * @param coordinates Those of each place, one place after the other.
 * @param resolutionNm Nanometres per unit of the result, xyz.
 * @param out Receives x, y and z of each place.
 */
export function placeCoordinates(
  { rank, inputNm, outputNm, linear, translation }: LayerPlacement,
  coordinates: Float64Array,
  resolutionNm: Vec3,
  out: Float64Array,
): void {
  const count = out.length / 3,
    column = new Float64Array(out.length);
  for (let axis = 0; axis < 3; axis++) {
    const to = resolutionNm[axis];
    const offset = new Float64Array([translation[axis], 0, 0]);
    if (!isSameSize(outputNm[axis], to)) new UnitRatio(outputNm[axis], to).convertPlaces(offset, 0, 1);
    for (let k = 0; k < count; k++) out[3 * k + axis] = offset[0];
    for (const [dimension, factor] of linear[axis].entries()) {
      if (factor === 0) continue;
      for (let k = 0; k < count; k++) column[3 * k] = coordinates[rank * k + dimension];
      if (!isSameSize(inputNm[dimension]!, to))
        new UnitRatio(inputNm[dimension]!, to).convertPlaces(column, 0, column.length);
      for (let k = 0; k < count; k++) out[3 * k + axis] += factor * column[3 * k];
    }
  }
}
