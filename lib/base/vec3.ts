/** Three numbers along x, y and z. */

/**
 * x, y and z, always in that order. Each use states the unit: voxels of a mip, nanometres, chunks of a grid.
 */
export type Vec3 = readonly [number, number, number];

/** Multiplies the three numbers: the voxels of a box, the cells of a grid. */
export const product = ([x, y, z]: Vec3): number => x * y * z;

/** Formats a vector for a message: `[4, 4, 40]` gives `4,4,40`. */
export const formatVec3 = (v: ArrayLike<number>): string => Array.from(v).join(',');

/** Parses three positive numbers: `4,4,40`. Returns undefined for any other text. */
export function parsePositiveVec3(text: string): [number, number, number] | undefined {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  return numbers.length === 3 && numbers.every((number) => number > 0 && Number.isFinite(number))
    ? (numbers as [number, number, number])
    : undefined;
}
