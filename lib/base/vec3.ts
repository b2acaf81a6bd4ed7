/** x, y, z; always in that order. The unit is the owner's to name: voxels of a mip, nanometres, chunks of a grid. */
export type Vec3 = readonly [number, number, number];

export const product = ([x, y, z]: Vec3): number => x * y * z;

/** `[4, 4, 40]` → `4,4,40`: for messages. */
export const formatVec3 = (v: ArrayLike<number>): string => Array.from(v).join(',');
