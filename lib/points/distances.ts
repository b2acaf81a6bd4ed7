/**
 * Distances from one voxel to the voxels around it, sorted, with equal lengths as one distance. Pure.
 * Resolutions and radius are taken as decimal numbers, so squared lengths are whole multiples of a common
 * unit and can be compared exactly.
 */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
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

/** Numbers between two pauses: each is searched for, or touches fresh memory. */
const STRETCH = 4096;

/** Computes the distances, with pauses. */
export function* computeDistances(resolution: Vec3, radiusNm: number, reach: Vec3): PausableWork<Distances> {
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
  const [xs, ys, zs] = reach.map((length) => new Float64Array(length + 1));
  for (const [axis, squares] of [xs, ys, zs].entries()) {
    const unit = units[axis],
      step = Number(unit);
    yield* inStretches(
      squares.length,
      (from, end) => {
        for (let v = from; v < end; v++)
          squares[v] = isExact ? (v * step) ** 2 : Number((BigInt(v) * unit) ** 2n);
      },
      STRETCH,
    );
  }
  const sums = new Float64Array(xs.length * ys.length * zs.length);
  yield* inStretches(
    sums.length,
    (from, end) => {
      let x = from % xs.length,
        y = Math.floor(from / xs.length) % ys.length,
        z = Math.floor(from / xs.length / ys.length);
      for (let at = from; at < end; at++) {
        sums[at] = xs[x] + ys[y] + zs[z];
        if (++x < xs.length) continue;
        x = 0;
        if (++y < ys.length) continue;
        y = 0;
        z++;
      }
    },
    STRETCH,
  );
  const exact = (at: number): bigint => {
    const x = at % xs.length,
      row = (at - x) / xs.length,
      y = row % ys.length;
    return [x, y, (row - y) / ys.length].reduce((sum, v, axis) => sum + (BigInt(v) * units[axis]) ** 2n, 0n);
  };
  const { distances, squares } = yield* isExact
    ? ordered(sums, Number(most))
    : orderedExactly(sums, exact, most);
  const nmPerUnit = Number(divisor),
    perNm = Number(powerOfTen(-least));
  const nm = new Float64Array(squares.length);
  yield* inStretches(nm.length, (from, end) => {
    for (let k = from; k < end; k++)
      nm[k] = squares[k] === 0 ? 0 : Math.sqrt(squares[k] * nmPerUnit * nmPerUnit) / perNm;
  });
  return { distances, nm };
}

interface Ordered {
  distances: Uint32Array;
  squares: ArrayLike<number>;
}

function* ordered(sums: Float64Array, most: number): PausableWork<Ordered> {
  const distances = new Uint32Array(sums.length),
    squares = yield* sortDistinct(sums, most);
  yield* inStretches(
    sums.length,
    (from, end) => {
      for (let at = from; at < end; at++)
        distances[at] = sums[at] <= most ? indexOf(squares, sums[at]) : OUTSIDE_RADIUS;
    },
    STRETCH,
  );
  return { distances, squares };
}

/** Returns the values up to `most` in ascending order, each once. It merges short sorted runs. */
function* sortDistinct(values: Float64Array, most: number): PausableWork<Float64Array> {
  const runs: Float64Array[] = [];
  for (let from = 0; from < values.length; from += STRETCH) {
    if (from > 0) yield;
    const run = values
      .subarray(from, from + STRETCH)
      .filter((value) => value <= most)
      .sort();
    let count = 0;
    for (let k = 0; k < run.length; k++) if (k === 0 || run[k] !== run[k - 1]) run[count++] = run[k];
    runs.push(run.subarray(0, count));
    while (runs.length > 1 && runs[runs.length - 2].length <= 2 * runs[runs.length - 1].length)
      runs.push(yield* mergeDistinct(runs.pop()!, runs.pop()!));
  }
  while (runs.length > 1) runs.push(yield* mergeDistinct(runs.pop()!, runs.pop()!));
  return runs[0];
}

function* mergeDistinct(a: Float64Array, b: Float64Array): PausableWork<Float64Array> {
  const merged = new Float64Array(a.length + b.length);
  let i = 0,
    j = 0,
    count = 0;
  const takeNext = (): void => {
    for (let end = count + STRETCH; count < end && (i < a.length || j < b.length); count++) {
      const value = j === b.length || a[i] <= b[j] ? a[i] : b[j];
      merged[count] = value;
      if (a[i] === value) i++;
      if (b[j] === value) j++;
    }
  };
  for (takeNext(); i < a.length || j < b.length; takeNext()) yield;
  return merged.subarray(0, count);
}

/**
 * Sorts squares that doubles cannot hold exactly: close neighbours are compared as bigints. Slow and rare. The
 * sort itself does not pause.
 */
function* orderedExactly(
  sums: Float64Array,
  exact: (at: number) => bigint,
  most: bigint,
): PausableWork<Ordered> {
  const mostly = Number(most) * (1 + ROUNDING);
  const near = Uint32Array.from(sums.keys())
    .filter((at) => sums[at] <= mostly)
    .sort((a, b) => sums[a] - sums[b]);
  const distances = new Uint32Array(sums.length).fill(OUTSIDE_RADIUS),
    squares: number[] = [];
  for (let from = 0, to = 1, steps = 1; from < near.length; from = to++, steps++) {
    if (steps % 1024 === 0) yield;
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
  return { distances, squares };
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
