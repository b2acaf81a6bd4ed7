/** Which scale is read where a call names none. */
import { scaleAt, type VolumeInfo } from '../../precomputed/volume-info.ts';

/**
 * @param other Used unless one is named. One that nobody named is refused when it is read.
 * @throws as `scaleAt`.
 */
export function chooseMip({ scales }: VolumeInfo, named: number | undefined, other: number): number {
  const chosen = named ?? other;
  if (named !== undefined || !scales[chosen]?.error) scaleAt(scales, chosen);
  return chosen;
}

/** @returns `mip`. @throws RangeError when it is finer than the graph's. */
export function checkMip(mip: number, cvMip: number): number {
  if (mip < cvMip)
    throw new RangeError(
      `mip ${mip} is finer than the graph's own, ${cvMip}: it holds no supervoxels of this graph`,
    );
  return mip;
}
