/** Chooses and checks the scale that a volume reads. */
import { scaleAt, type VolumeInfo } from '../../precomputed/volume-info.ts';

/**
 * Returns the mip that the user named, else `other`. A default scale that cannot be read is refused when it
 * is read.
 * @throws As `scaleAt`.
 */
export function chooseMip({ scales }: VolumeInfo, named: number | undefined, other: number): number {
  const chosen = named ?? other;
  if (named !== undefined || !scales[chosen]?.error) scaleAt(scales, chosen);
  return chosen;
}

/** Returns `mip`. @throws RangeError when it is finer than the graph's mip. */
export function checkMip(mip: number, cvMip: number): number {
  if (mip < cvMip)
    throw new RangeError(
      `mip ${mip} is finer than the graph's own mip, ${cvMip}: it holds no supervoxels of this graph`,
    );
  return mip;
}
