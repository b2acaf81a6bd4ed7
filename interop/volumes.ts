/** Compares every voxel of every scale of a Precomputed volume. */
import { openPrecomputed, type PrecomputedVolume } from 'graphene-points';
import type { Comparison } from './comparison.ts';
import type { Numbers, PythonClient } from './python-client.ts';

type Voxel = readonly [number, number, number];

/** Returns the centres of a box's voxels, x fastest, in the units of the box. */
export function centres(min: Voxel, max: Voxel): Float64Array {
  const points = new Float64Array(3 * (max[0] - min[0]) * (max[1] - min[1]) * (max[2] - min[2]));
  let at = 0;
  for (let z = min[2]; z < max[2]; z++)
    for (let y = min[1]; y < max[1]; y++)
      for (let x = min[0]; x < max[0]; x++) {
        points[at++] = x + 0.5;
        points[at++] = y + 0.5;
        points[at++] = z + 0.5;
      }
  return points;
}

/**
 * Compares every voxel of every scale.
 *
 * @param prefix What the client expects before the URL of a Precomputed volume.
 */
export async function compareEveryVoxel(
  client: PythonClient,
  prefix: string,
  url: string,
  what: string,
  comparison: Comparison,
): Promise<void> {
  await using volume = await openPrecomputed(url);
  for (const { mip } of volume.scales)
    try {
      const theirs = await client.call<Numbers>('whole', {
        [prefix === '' ? 'url' : 'path']: `${prefix}${url}`,
        mip,
      });
      comparison.values(`${what}, mip ${mip}`, theirs, await everyVoxel(volume, mip));
    } catch (error) {
      comparison.failed(`${what}, mip ${mip}: ${String(error)}`);
    }
}

/** Returns every voxel of a scale, x fastest and channels last, as the Python clients do. */
async function everyVoxel(volume: PrecomputedVolume, mip: number): Promise<Numbers> {
  const { min, max } = volume.bounds(mip);
  const { values } = await volume.scatteredPoints(centres(min, max), {
    mip,
    resolution: volume.scales[mip].resolution,
  });
  const { numChannels } = volume;
  if (numChannels === 1) return values;
  const planes = values.slice(),
    voxels = values.length / numChannels;
  for (let channel = 0; channel < numChannels; channel++)
    for (let voxel = 0; voxel < voxels; voxel++)
      planes[channel * voxels + voxel] = values[voxel * numChannels + channel];
  return planes;
}
