/** Cuts points into requests, so that each request reads few chunks and few chunks are read twice. */
import type { Vec3 } from '../../lib/base/vec3.ts';

/** Points of the first request. It is small, so that the table fills at once. */
const FIRST = 500;
/** Bits of one axis of a cell's place on the curve. Three of them fit in a double. */
const BITS = 16;

export interface GroupOptions {
  /** Size of a cell in the unit of the points: that of a few chunks. */
  readonly cell: Vec3;
  /** The most points of a request. @default 4000 */
  readonly most?: number;
  /** Rows to group. @default all */
  readonly rows?: Uint32Array;
}

/** Returns the rows of each request. Points without numbers come last. */
export function groupPoints(
  coordinates: Float64Array,
  { cell, most = 4000, rows: given }: GroupOptions,
): Uint32Array[] {
  const rows = given ?? Uint32Array.from({ length: coordinates.length / 3 }, (_, k) => k),
    low = [Infinity, Infinity, Infinity];
  for (const row of rows)
    for (let axis = 0; axis < 3; axis++) {
      const value = coordinates[3 * row + axis];
      if (value < low[axis]) low[axis] = value;
    }
  const keys = new Float64Array(coordinates.length / 3);
  for (const row of rows) {
    const place = [0, 1, 2].map((axis) => Math.floor((coordinates[3 * row + axis] - low[axis]) / cell[axis]));
    keys[row] = place.some(Number.isNaN) ? Infinity : mortonKey(place);
  }
  // Infinity - Infinity is NaN, which counts as equal.
  const order = rows.slice().sort((a, b) => keys[a] - keys[b] || a - b);
  const groups: Uint32Array[] = [];
  for (let from = 0; from < order.length;) {
    const end = from + (from === 0 ? Math.min(FIRST, most) : most);
    groups.push(order.subarray(from, end));
    from = end;
  }
  return groups;
}

/** The place of a cell on the Z curve: the bits of x, y and z in turn. */
function mortonKey(place: readonly number[]): number {
  let value = 0;
  const [x, y, z] = place.map((v) => Math.min(v, 2 ** BITS - 1));
  for (let bit = BITS - 1; bit >= 0; bit--)
    value = value * 8 + ((x >> bit) & 1) + 2 * ((y >> bit) & 1) + 4 * ((z >> bit) & 1);
  return value;
}
