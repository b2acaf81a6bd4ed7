/**
 * The forms in which a caller may pass points, and their conversion to one form for the rest of the package.
 */
import { isTypedArray, borrowOrCopy, holdsIntegers, type TypedArray } from '../base/typed-array.ts';

/** A flat typed array of coordinates, xyz interleaved. The BigInt arrays are Arrow's int64 columns. */
export type FlatPoints = Exclude<TypedArray, Uint8ClampedArray>;
/** One coordinate. A bigint must be a safe integer. */
export type Coordinate = number | bigint;
/** One coordinate of all points. */
type Column = readonly Coordinate[] | FlatPoints;

/**
 * One point: `[x, y, z]`, a typed array of three values, or `{ x, y, z }`. Each coordinate is a number or a
 * bigint.
 */
export type Point =
  | readonly Coordinate[]
  | FlatPoints
  | {
      /** The coordinate along x. */
      readonly x: Coordinate;
      /** The coordinate along y. */
      readonly y: Coordinate;
      /** The coordinate along z. */
      readonly z: Coordinate;
    };

/**
 * Many points: a list of points (`[x, y, z]` or `{ x, y, z }`), one flat typed array (xyz interleaved), or
 * `{ x, y, z }` columns of equal length. The unit is one voxel of mip 0, unless `resolution` sets another.
 */
export type PointInput =
  | readonly Point[]
  | FlatPoints
  | {
      /** The coordinates along x. */
      x: Column;
      /** The coordinates along y. */
      y: Column;
      /** The coordinates along z. */
      z: Column;
    };

/** Points that cannot change during a call: copied from the caller's input, or lent with `borrow`. */
export abstract class PointSource {
  /** Number of points. */
  abstract readonly count: number;
  /**
   * Which coordinates have an integer type: one entry for each axis, or one for each coordinate of each point.
   */
  protected readonly integers: ArrayLike<unknown> = NO_INTEGERS;

  /** Writes x, y, z of the points from `first` on, until `out` is full or the points end. */
  abstract read(first: number, out: Float64Array): void;

  /**
   * Writes the places of the points, as `read` does. A coordinate of an integer type names a voxel, and its
   * place is the centre of that voxel, half a unit further.
   */
  readPlaces(first: number, out: Float64Array): void {
    this.read(first, out);
    const { integers } = this,
      count = Math.min(out.length, 3 * (this.count - first));
    if (integers === NO_INTEGERS) return;
    for (let k = 0, at = (3 * first) % integers.length; k < count; k++) {
      if (integers[at]) out[k] += 0.5;
      if (++at === integers.length) at = 0;
    }
  }
}

const NO_INTEGERS = [false, false, false],
  ALL_INTEGERS = [true, true, true];

export interface BorrowOptions {
  /** Do not copy typed arrays. The caller promises not to write to them during the call. @default false */
  borrow?: boolean;
}

/**
 * Reads the caller's points: flattens lists and copies typed arrays. A PointSource is returned as it is.
 * @throws TypeError when `points` has none of the forms (a bare `[x, y, z]` of numbers has none), with the
 *   index of the first wrong point; when the length of a flat array is not a multiple of 3; when columns
 *   differ in length.
 */
export function toPointSource(
  points: PointInput | PointSource,
  { borrow = false }: BorrowOptions = {},
): PointSource {
  if (points instanceof PointSource) return points;
  if (Array.isArray(points)) return flattened(points);
  if (isTypedArray(points)) {
    const flat = borrowOrCopy(points, borrow, 'the points');
    if (flat.length % 3 !== 0)
      throw new TypeError(
        `a flat array of points holds x, y, z of each point in turn; ${flat.length} values are not a whole number of points`,
      );
    return new Interleaved(flat, holdsIntegers(flat) ? ALL_INTEGERS : NO_INTEGERS);
  }
  if (typeof points === 'object' && points !== null) {
    const { x, y, z } = points as Record<'x' | 'y' | 'z', unknown>;
    if (isColumn(x) && isColumn(y) && isColumn(z)) return columnSource([x, y, z], borrow);
  }
  throw new TypeError(
    'points must be [[x, y, z], …], [{ x, y, z }, …], a flat typed array (xyz interleaved) or { x, y, z } columns',
  );
}

/**
 * Lends points, xyz interleaved, whose types are known.
 * @param integers Which coordinates have an integer type: one entry per coordinate, 0 or 1. @default none
 */
export const pointsOfTypes = (
  flat: Int32Array | Float64Array,
  integers: ArrayLike<unknown> = NO_INTEGERS,
): PointSource => new Interleaved(flat, integers);

class Interleaved extends PointSource {
  readonly count: number;
  protected override readonly integers: ArrayLike<unknown>;
  readonly #flat: FlatPoints;

  constructor(flat: FlatPoints, integers: ArrayLike<unknown>) {
    super();
    this.count = flat.length / 3;
    this.integers = integers;
    this.#flat = flat;
  }

  read(first: number, out: Float64Array): void {
    const flat = this.#flat;
    checkLength(flat, 3 * this.count);
    const part = flat.subarray(3 * first, 3 * first + out.length);
    if (typeof part[0] !== 'bigint') out.set(part as Float64Array);
    else for (let k = 0; k < part.length; k++) out[k] = Number(part[k]);
  }
}

/** Three columns that the caller has lent with `borrow`. */
class Columns extends PointSource {
  readonly count: number;
  protected override readonly integers: readonly boolean[];
  readonly #columns: readonly FlatPoints[];

  constructor(columns: readonly FlatPoints[]) {
    super();
    this.count = columns[0].length;
    this.integers = columns.map(holdsIntegers);
    this.#columns = columns;
  }

  read(first: number, out: Float64Array): void {
    const end = Math.min(this.count, first + Math.floor(out.length / 3));
    for (let axis = 0; axis < 3; axis++) {
      const column = this.#columns[axis];
      checkLength(column, this.count);
      for (let index = first, to = axis; index < end; index++, to += 3) out[to] = Number(column[index]);
    }
  }
}

/** Checks an array that was lent: its buffer may have been detached or resized since. */
function checkLength({ length }: FlatPoints, taken: number): void {
  if (length !== taken)
    throw new TypeError(
      `an array of points had ${taken} values when the call began (borrow: true), and has ${length} now`,
    );
}

const AXES = ['x', 'y', 'z'] as const;
const POINT_FORMS = 'a point is [x, y, z] or { x, y, z }, each a number or a bigint';

const isColumn = (value: unknown): value is Column => Array.isArray(value) || isTypedArray(value);

/** Names the kind of a value for an error message. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Array.isArray(value) ? 'a list' : 'an object';
}

const conversionHint = (value: unknown): string =>
  typeof value === 'string' ? '; Number(text) converts a string to a number' : '';

function flattened(list: readonly unknown[]): PointSource {
  const count = list.length,
    flat = new Float64Array(3 * count);
  let integers: Uint8Array | undefined;
  for (let index = 0, to = 0; index < count; index++, to += 3) {
    const point = list[index];
    if (index === 0 && (typeof point === 'number' || typeof point === 'bigint'))
      throw new TypeError(
        'points must be a list of points: [[x, y, z], …]; for one point use [[x, y, z]] or supervoxelAt([x, y, z])',
      );
    const coordinates =
      Array.isArray(point) && point.length === 3 ? (point as unknown[]) : coordinatesOf(point, index);
    for (let axis = 0; axis < 3; axis++) {
      const value = coordinates[axis];
      flat[to + axis] = typeof value === 'number' ? value : coordinate(value, axis, index);
      if (typeof value === 'bigint') (integers ??= new Uint8Array(3 * count))[to + axis] = 1;
    }
    if (isTypedArray(point) && holdsIntegers(point))
      (integers ??= new Uint8Array(3 * count)).fill(1, to, to + 3);
  }
  return new Interleaved(flat, integers ?? NO_INTEGERS);
}

/** Coordinates of a point that is not an array of three. @throws TypeError with the index of the point. */
function coordinatesOf(point: unknown, index: number): readonly unknown[] {
  if (isColumn(point)) {
    const values = Array.from(point as ArrayLike<unknown>);
    return values.length === 3
      ? values
      : throwNotAPoint(point, index, `has ${values.length} coordinate${values.length === 1 ? '' : 's'}`);
  }
  if (typeof point !== 'object' || point === null) return throwNotAPoint(point, index, `is ${kindOf(point)}`);
  const { x, y, z } = point as Record<'x' | 'y' | 'z', unknown>;
  return x === undefined && y === undefined && z === undefined
    ? throwNotAPoint(point, index, 'is an object without x, y and z')
    : [x, y, z];
}

function throwNotAPoint(point: unknown, index: number, why: string): never {
  throw new TypeError(`the point at index ${index} ${why}; ${POINT_FORMS}${conversionHint(point)}`);
}

/** Converts one coordinate to a number. @throws TypeError with the index of the point and the axis. */
function coordinate(value: unknown, axis: number, index: number): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw new TypeError(
    `the point at index ${index}: its ${AXES[axis]} is ${kindOf(value)}; ${POINT_FORMS}${conversionHint(value)}`,
  );
}

function columnSource(columnsGiven: readonly Column[], borrow: boolean): PointSource {
  const [x, y, z] = columnsGiven,
    count = x.length;
  if (count !== y.length || count !== z.length)
    throw new TypeError(`columns x, y, z differ in length: ${count}, ${y.length}, ${z.length}`);
  const columns = columnsGiven.map((column, axis) =>
    isTypedArray(column) ? borrowOrCopy(column, true, `the column ${AXES[axis]}`) : column,
  );
  if (borrow && columns.every(isTypedArray)) return new Columns(columns as FlatPoints[]);
  const flat = new Float64Array(3 * count);
  const ofTypes = columns.map((column) => isTypedArray(column) && holdsIntegers(column));
  let integers: Uint8Array | undefined;
  columns.forEach((column, axis) => {
    for (let index = 0, to = axis; index < count; index++, to += 3) {
      const value = column[index];
      flat[to] = typeof value === 'number' ? value : coordinate(value, axis, index);
      if (typeof value === 'bigint' && !ofTypes[axis]) (integers ??= new Uint8Array(3 * count))[to] = 1;
    }
  });
  for (let k = 0; integers && k < integers.length; k++) if (ofTypes[k % 3]) integers[k] = 1;
  return new Interleaved(flat, integers ?? (ofTypes.includes(true) ? ofTypes : NO_INTEGERS));
}
