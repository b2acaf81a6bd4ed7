/**
 * The storage grid of one scale. A cell holds one chunk: `chunkSize` voxels, counted from the voxel offset
 * and clipped at the volume's far edge. A cell is named by its linear number, x fastest, below 2^53.
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "Unsharded chunk storage".
 */
import type { Vec3 } from '../base/vec3.ts';
import type { Scale } from './volume-info.ts';

type Geometry = Pick<Scale, 'size' | 'chunkSize' | 'voxelOffset'>;

/** Returns the number of cells along x, y, z. */
export const gridShape = ({ size, chunkSize }: Pick<Scale, 'size' | 'chunkSize'>): Vec3 => [
  Math.ceil(size[0] / chunkSize[0]),
  Math.ceil(size[1] / chunkSize[1]),
  Math.ceil(size[2] / chunkSize[2]),
];

/** Converts a linear cell number to a position in the grid. */
export function cellPosition(scale: Geometry, cell: number): Vec3 {
  const [nx, ny] = gridShape(scale);
  // Each division is exact, so the result is exact up to 2^53.
  const x = cell % nx,
    row = (cell - x) / nx,
    y = row % ny;
  return [x, y, (row - y) / ny];
}

/** Returns the bounding box of a cell in voxels of this mip, clipped at the volume's edge. */
export function cellBounds(scale: Geometry, cell: number): { min: Vec3; max: Vec3 } {
  const position = cellPosition(scale, cell);
  const along = (axis: 0 | 1 | 2): [number, number] => {
    const start = position[axis] * scale.chunkSize[axis];
    const end = Math.min(start + scale.chunkSize[axis], scale.size[axis]);
    return [scale.voxelOffset[axis] + start, scale.voxelOffset[axis] + end];
  };
  const [x, y, z] = [along(0), along(1), along(2)];
  return { min: [x[0], y[0], z[0]], max: [x[1], y[1], z[1]] };
}

/** Returns the size of a cell's chunk in voxels, clipped at the volume's edge. */
export function cellSize(scale: Geometry, cell: number): Vec3 {
  const { min, max } = cellBounds(scale, cell);
  return [max[0] - min[0], max[1] - min[1], max[2] - min[2]];
}

/** Returns the key of an unsharded chunk, such as `8_8_40/64-128_0-64_0-32`. */
export function chunkKey(scale: Geometry & Pick<Scale, 'key'>, cell: number): string {
  const { min, max } = cellBounds(scale, cell);
  return `${scale.key}/${min[0]}-${max[0]}_${min[1]}-${max[1]}_${min[2]}-${max[2]}`;
}
