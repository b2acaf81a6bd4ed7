/** The ways to hand over points, taken at once and seen as one. */
import { isTypedArray, borrowOrCopy, type TypedArray } from '../base/typed-array.ts';

/** xyz interleaved; BigInt64Array and BigUint64Array are Arrow's int64 columns. */
export type FlatPoints = Exclude<TypedArray, Uint8ClampedArray>;
type Coordinate = number | bigint;
type Column = readonly Coordinate[] | FlatPoints;

/** One point. */
export type Point =
  | readonly Coordinate[]
  | FlatPoints
  | { readonly x: Coordinate; readonly y: Coordinate; readonly z: Coordinate };

/** A list of points (`[x, y, z]` or `{ x, y, z }`), one flat typed array (xyz interleaved), or columns of equal length. */
export type PointInput = readonly Point[] | FlatPoints | { x: Column; y: Column; z: Column };

/** Points that no caller changes any more. */
export abstract class PointSource {
  abstract readonly count: number;
  /** Writes x, y, z of the points from `first` on, as many as there are and `out` has room for. */
  abstract read(first: number, out: Float64Array): void;
}

export interface BorrowOptions {
  /** Typed arrays are not copied: the caller does not write to them. @default false */
  borrow?: boolean;
}

/**
 * Takes points at once: lists are flattened, typed arrays copied. Points that were taken already are given back.
 * @throws TypeError when `points` is not of one of the forms (a bare `[x, y, z]` of numbers is not), naming the first point that is not
 *   one; when the length of a flat array is not a multiple of 3, or columns differ in length.
 */
export function toPointSource(
  points: PointInput | PointSource,
  { borrow = false }: BorrowOptions = {},
): PointSource {
  if (points instanceof PointSource) return points;
  if (Array.isArray(points)) return new Interleaved(flattened(points));
  if (isTypedArray(points)) {
    const flat = borrowOrCopy(points, borrow, 'the points');
    if (flat.length % 3 !== 0)
      throw new TypeError(
        `a flat array of points holds x, y, z of each in turn: ${flat.length} values are not a whole number of points`,
      );
    return new Interleaved(flat);
  }
  if (typeof points === 'object' && points !== null) {
    const { x, y, z } = points as Record<'x' | 'y' | 'z', unknown>;
    if (isColumn(x) && isColumn(y) && isColumn(z)) return columnSource([x, y, z], borrow);
  }
  throw new TypeError(
    'points must be [[x, y, z], …], [{ x, y, z }, …], a flat typed array (xyz interleaved) or { x, y, z } columns',
  );
}

class Interleaved extends PointSource {
  readonly count: number;
  readonly #flat: FlatPoints;

  constructor(flat: FlatPoints) {
    super();
    this.count = flat.length / 3;
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

/** Borrowed. */
class Columns extends PointSource {
  readonly count: number;
  readonly #columns: readonly FlatPoints[];

  constructor(columns: readonly FlatPoints[]) {
    super();
    this.count = columns[0].length;
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

/** Memory that was lent can be taken away. */
function checkLength({ length }: FlatPoints, taken: number): void {
  if (length !== taken)
    throw new TypeError(
      `an array of points had ${taken} values when it was lent with borrow, and has ${length} now`,
    );
}

const AXES = ['x', 'y', 'z'] as const;
const A_POINT = 'a point is [x, y, z] or { x, y, z }, each a number or a bigint';

const isColumn = (value: unknown): value is Column => Array.isArray(value) || isTypedArray(value);

/** What a value is, in an error. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Array.isArray(value) ? 'a list' : 'an object';
}

const advice = (value: unknown): string =>
  typeof value === 'string' ? '; Number(text) makes a number of text' : '';

function flattened(list: readonly unknown[]): Float64Array {
  const count = list.length,
    flat = new Float64Array(3 * count);
  for (let index = 0, to = 0; index < count; index++, to += 3) {
    const point = list[index];
    if (index === 0 && (typeof point === 'number' || typeof point === 'bigint'))
      throw new TypeError(
        'points must be a list of points: [[x, y, z], …]; for one point use [[x, y, z]] or supervoxelAt([x, y, z])',
      );
    const of =
      Array.isArray(point) && point.length === 3 ? (point as unknown[]) : coordinatesOf(point, index);
    for (let axis = 0; axis < 3; axis++) {
      const value = of[axis];
      flat[to + axis] = typeof value === 'number' ? value : coordinate(value, axis, index);
    }
  }
  return flat;
}

/** Of a point that is not a list of three. @throws TypeError naming the index. */
function coordinatesOf(point: unknown, index: number): readonly unknown[] {
  if (isColumn(point)) {
    const values = Array.from(point as ArrayLike<unknown>);
    return values.length === 3
      ? values
      : notAPoint(point, index, `has ${values.length} coordinate${values.length === 1 ? '' : 's'}`);
  }
  if (typeof point !== 'object' || point === null) return notAPoint(point, index, `is ${kindOf(point)}`);
  const { x, y, z } = point as Record<'x' | 'y' | 'z', unknown>;
  return x === undefined && y === undefined && z === undefined
    ? notAPoint(point, index, 'is an object without x, y and z')
    : [x, y, z];
}

function notAPoint(point: unknown, index: number, why: string): never {
  throw new TypeError(`the point at index ${index} ${why}; ${A_POINT}${advice(point)}`);
}

/** @throws TypeError naming the index and the axis. */
function coordinate(value: unknown, axis: number, index: number): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw new TypeError(
    `the point at index ${index}: its ${AXES[axis]} is ${kindOf(value)}; ${A_POINT}${advice(value)}`,
  );
}

function columnSource(given: readonly Column[], borrow: boolean): PointSource {
  const [x, y, z] = given,
    count = x.length;
  if (count !== y.length || count !== z.length)
    throw new TypeError(`columns x, y, z differ in length: ${count}, ${y.length}, ${z.length}`);
  const columns = given.map((column, axis) =>
    isTypedArray(column) ? borrowOrCopy(column, true, `the column ${AXES[axis]}`) : column,
  );
  if (borrow && columns.every(isTypedArray)) return new Columns(columns as FlatPoints[]);
  const flat = new Float64Array(3 * count);
  columns.forEach((column, axis) => {
    for (let index = 0, to = axis; index < count; index++, to += 3) {
      const value = column[index];
      flat[to] = typeof value === 'number' ? value : coordinate(value, axis, index);
    }
  });
  return new Interleaved(flat);
}
