/** The part of space that the three projections show. They share it, so that their axes stay the same. */
import type { Vec3 } from '../../lib/base/vec3.ts';

/** First and last place along x, y and z, in the unit of the points. */
export interface ViewBox {
  readonly low: Vec3;
  readonly high: Vec3;
}

const vec3 = (values: readonly number[]): Vec3 => values as unknown as Vec3;
const AXES = [0, 1, 2] as const;

/** The box of all points with numbers, with a margin. */
export function boxAround(coordinates: Float64Array): ViewBox {
  const low = [Infinity, Infinity, Infinity],
    high = [-Infinity, -Infinity, -Infinity];
  for (let at = 0; at < coordinates.length; at += 3)
    for (const axis of AXES) {
      const value = coordinates[at + axis];
      if (value < low[axis]) low[axis] = value;
      if (value > high[axis]) high[axis] = value;
    }
  if (low.includes(Infinity)) return { low: [0, 0, 0], high: [1, 1, 1] };
  const margin = AXES.map((axis) => 0.03 * (high[axis] - low[axis]) || 1);
  return {
    low: vec3(AXES.map((axis) => low[axis] - margin[axis])),
    high: vec3(AXES.map((axis) => high[axis] + margin[axis])),
  };
}

/** Zooms about a place. A factor below 1 comes nearer. */
export function zoomBox(
  { low, high }: ViewBox,
  factor: number,
  about?: readonly (number | undefined)[],
): ViewBox {
  const fixed = AXES.map((axis) => about?.[axis] ?? (low[axis] + high[axis]) / 2);
  return {
    low: vec3(AXES.map((axis) => fixed[axis] + (low[axis] - fixed[axis]) * factor)),
    high: vec3(AXES.map((axis) => fixed[axis] + (high[axis] - fixed[axis]) * factor)),
  };
}

/** Moves the box. */
export const moveBox = ({ low, high }: ViewBox, by: Vec3): ViewBox => ({
  low: vec3(AXES.map((axis) => low[axis] + by[axis])),
  high: vec3(AXES.map((axis) => high[axis] + by[axis])),
});

/**
 * The ranges of both axes of a projection, so that a nanometre has the same length along both. The box is in the
 * middle; one of the ranges is wider than it.
 *
 * @param unitNm Nanometres per unit of the two axes.
 * @param pixels Size of the plot.
 */
export function rangesOf(
  { low, high }: ViewBox,
  [a, b]: readonly [number, number],
  unitNm: Vec3,
  pixels: readonly [number, number],
): readonly [readonly [number, number], readonly [number, number]] {
  const nmPerPixel = Math.max(
    ((high[a] - low[a]) * unitNm[a]) / Math.max(1, pixels[0]),
    ((high[b] - low[b]) * unitNm[b]) / Math.max(1, pixels[1]),
  );
  const range = (axis: number, size: number): [number, number] => {
    const half = (nmPerPixel * Math.max(1, size)) / unitNm[axis] / 2,
      middle = (low[axis] + high[axis]) / 2;
    return [middle - half, middle + half];
  };
  return [range(a, pixels[0]), range(b, pixels[1])];
}
