/**
 * Distances from one voxel to the voxels around it, sorted, with equal lengths as one distance. Pure.
 * Resolutions and radius are taken as decimal numbers, so squared lengths are whole multiples of a common
 * unit and can be compared exactly.
 */
import { toDecimal, greatestCommonDivisor, powerOfTen } from '../base/unit-ratio.ts';
import type { Vec3 } from '../base/vec3.ts';

/** Distance index of a voxel beyond the radius. */
export const OUTSIDE_RADIUS = 0xffffffff;

/** Relative error of squared lengths past 2^53: two doubles closer than this may be equal squares. */
const ROUNDING = 2 ** -49;

/** The distances within a radius. */
export interface Distances {
  /** Distance index of each voxel from 0, 0, 0 to `reach`, x fastest; or OUTSIDE_RADIUS. */
  distances: Uint32Array;
  /** Nanometres by distance index, ascending. */
  nm: Float64Array;
}

export function computeDistances(resolution: Vec3, radiusNm: number, reach: Vec3): Distances {
  const decimals = resolution.map(toDecimal),
    least = Math.min(0, ...decimals.map(({ exponent }) => exponent));
  const steps = decimals.map(({ digits, exponent }) => digits * powerOfTen(exponent - least));
  const divisor = steps.reduce(greatestCommonDivisor);
  // One unit is divisor × 10^least nm.
  const units = steps.map((step) => step / divisor);
  const radius = toDecimal(radiusNm),
    shift = 2 * (radius.exponent - least);
  const most =
    (radius.digits ** 2n * powerOfTen(Math.max(shift, 0))) /
    (divisor ** 2n * powerOfTen(Math.max(-shift, 0)));
  const isExact =
    units.reduce((sum, unit, axis) => sum + (BigInt(reach[axis]) * unit) ** 2n, 0n) <=
    Number.MAX_SAFE_INTEGER;
  const [xs, ys, zs] = units.map((unit, axis) => {
    const step = Number(unit);
    return Float64Array.from({ length: reach[axis] + 1 }, (_, v) =>
      isExact ? (v * step) ** 2 : Number((BigInt(v) * unit) ** 2n),
    );
  });
  const sums = new Float64Array(xs.length * ys.length * zs.length);
  for (let z = 0, at = 0; z < zs.length; z++)
    for (let y = 0; y < ys.length; y++)
      for (let x = 0; x < xs.length; x++) sums[at++] = xs[x] + ys[y] + zs[z];
  const exact = (at: number): bigint => {
    const x = at % xs.length,
      row = (at - x) / xs.length,
      y = row % ys.length;
    return [x, y, (row - y) / ys.length].reduce((sum, v, axis) => sum + (BigInt(v) * units[axis]) ** 2n, 0n);
  };
  const { distances, squares } = isExact ? ordered(sums, Number(most)) : orderedExactly(sums, exact, most);
  const nmPerUnit = Number(divisor),
    perNm = Number(powerOfTen(-least));
  return {
    distances,
    nm: squares.map((square) => (square === 0 ? 0 : Math.sqrt(square * nmPerUnit * nmPerUnit) / perNm)),
  };
}

interface Ordered {
  distances: Uint32Array;
  squares: Float64Array;
}

function ordered(sums: Float64Array, most: number): Ordered {
  const sorted = sums.filter((square) => square <= most).sort();
  let count = 0;
  for (let k = 0; k < sorted.length; k++)
    if (k === 0 || sorted[k] !== sorted[k - 1]) sorted[count++] = sorted[k];
  const squares = sorted.slice(0, count),
    distances = new Uint32Array(sums.length);
  for (let at = 0; at < sums.length; at++)
    distances[at] = sums[at] <= most ? indexOf(squares, sums[at]) : OUTSIDE_RADIUS;
  return { distances, squares };
}

/**
 * Sorts squares that doubles cannot hold exactly: close neighbours are compared as bigints. Slow and rare.
 */
function orderedExactly(sums: Float64Array, exact: (at: number) => bigint, most: bigint): Ordered {
  const mostly = Number(most) * (1 + ROUNDING);
  const near = Uint32Array.from(sums.keys())
    .filter((at) => sums[at] <= mostly)
    .sort((a, b) => sums[a] - sums[b]);
  const distances = new Uint32Array(sums.length).fill(OUTSIDE_RADIUS),
    squares: number[] = [];
  for (let from = 0, to = 1; from < near.length; from = to++) {
    while (to < near.length && sums[near[to]] - sums[near[to - 1]] <= sums[near[to]] * ROUNDING) to++;
    const alike = Array.from(near.subarray(from, to), (at) => ({ at, square: exact(at) })).sort((a, b) =>
      a.square < b.square ? -1 : Number(a.square > b.square),
    );
    for (const [k, { at, square }] of alike.entries()) {
      if (square > most) break;
      if (k === 0 || square !== alike[k - 1].square) squares.push(Number(square));
      distances[at] = squares.length - 1;
    }
  }
  return { distances, squares: Float64Array.from(squares) };
}

function indexOf(ascending: Float64Array, value: number): number {
  let low = 0,
    high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
