/** Three numbers along x, y and z. */

/**
 * x, y and z, always in that order. Each use states the unit: voxels of a mip, nanometres, chunks of a grid.
 */
export type Vec3 = readonly [number, number, number];

/** Multiplies the three numbers: the voxels of a box, the cells of a grid. */
export const product = ([x, y, z]: Vec3): number => x * y * z;

/** Formats a vector for a message: `[4, 4, 40]` gives `4,4,40`. */
export const formatVec3 = (v: ArrayLike<number>): string => Array.from(v).join(',');
