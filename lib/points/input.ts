/** The three ways to hand over points, seen as one. */

/** xyz interleaved; BigInt64Array and BigUint64Array are Arrow's int64 columns. */
export type FlatPoints = Exclude<NumericArray, readonly number[]>;
type NumericArray =
  | readonly number[]
  | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array
  | Float32Array | Float64Array | BigInt64Array | BigUint64Array;

/** `[x, y, z][]`, one flat typed array (xyz interleaved), or columns of equal length. */
export type PointInput = readonly (readonly number[])[] | FlatPoints | { x: NumericArray; y: NumericArray; z: NumericArray };

export interface PointSource {
  readonly count: number;
  /** Writes x, y, z of the points from `first` on, as many as there are and `out` has room for; NaN where a coordinate is no number. */
  read(first: number, out: Float64Array): void;
}

const number = (value: unknown): number => (typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : NaN);

const isColumn = (value: unknown): value is NumericArray => Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/**
 * @throws TypeError when `points` is none of the three forms (a bare `[x, y, z]` of numbers is not), or when a flat array's length
 *   is no multiple of 3, or columns differ in length.
 */
export function pointSource(points: PointInput): PointSource {
  if (Array.isArray(points)) {
    const list = points as readonly unknown[];
    if (typeof list[0] === 'number' || typeof list[0] === 'bigint')
      throw new TypeError('points must be a list of points: [[x, y, z], …]; for one point use [[x, y, z]] or supervoxelAt([x, y, z])');
    return {
      count: list.length,
      read(first, out) {
        for (let index = first, to = 0; index < list.length && to < out.length; index++) {
          const point = list[index];
          const whole = (Array.isArray(point) || ArrayBuffer.isView(point)) && (point as unknown as ArrayLike<unknown>).length === 3;
          for (let axis = 0; axis < 3; axis++) out[to++] = whole ? number((point as unknown as ArrayLike<unknown>)[axis]) : NaN;
        }
      },
    };
  }
  if (ArrayBuffer.isView(points) && !((points as unknown) instanceof DataView)) {
    const flat = points;
    if (flat.length % 3 !== 0) throw new TypeError(`a flat array of points holds x, y, z of each in turn: ${flat.length} values are no whole number of points`);
    return {
      count: flat.length / 3,
      read(first, out) {
        const part = flat.subarray(3 * first, 3 * first + out.length);
        if (typeof part[0] !== 'bigint') out.set(part as Float64Array);
        else for (let k = 0; k < part.length; k++) out[k] = Number(part[k]);
      },
    };
  }
  const columns = points as { x?: unknown; y?: unknown; z?: unknown } | null | undefined;
  if (columns && isColumn(columns.x) && isColumn(columns.y) && isColumn(columns.z)) {
    const { x, y, z } = columns;
    if (x.length !== y.length || x.length !== z.length) throw new TypeError(`columns x, y, z differ in length: ${x.length}, ${y.length}, ${z.length}`);
    return {
      count: x.length,
      read(first, out) {
        for (let index = first, to = 0; index < x.length && to < out.length; index++) {
          out[to++] = number(x[index]);
          out[to++] = number(y[index]);
          out[to++] = number(z[index]);
        }
      },
    };
  }
  throw new TypeError('points must be [[x, y, z], …], a flat typed array (xyz interleaved) or { x, y, z } columns');
}
