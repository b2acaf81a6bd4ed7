/** Points anywhere in a volume, to try it out. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { PastedPoints } from './pasted-points.ts';
import type { Grid } from './units.ts';

/**
 * Returns points in the middle of random voxels of a volume.
 *
 * @param unit Nanometres per unit of the points.
 * @param random Numbers from 0 to below 1.
 */
export function randomPoints(
  { resolution, size, offset }: Grid,
  unit: Vec3,
  count: number,
  random: () => number = Math.random,
): PastedPoints {
  const coordinates = Float64Array.from({ length: 3 * count }, (_, k) => {
    const axis = k % 3,
      voxel = offset[axis] + Math.floor(random() * size[axis]) + 0.5;
    return Number(((voxel * resolution[axis]) / unit[axis]).toFixed(2));
  });
  return { form: 'coordinates', coordinates, columns: [], notes: [] };
}
