/** Warnings about calls whose points hit nothing: the resolution, the path or a drive may be wrong. */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import { formatVec3, type Vec3 } from '../base/vec3.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { PointPlan } from './plan.ts';
import { PointStatus } from './status.ts';

/** Number of points between two pauses. */
const STRETCH = 2 ** 14;

/**
 * Warns when most points hit nothing. A wrong resolution is the most common silent error, and it looks like
 * this.
 */
export function* warnOfMisses(
  status: Uint8Array,
  scale: Scale,
  resolution: Vec3,
  warn: (message: string) => void,
): PausableWork {
  let outside = 0,
    background = 0;
  yield* inStretches(status.length, (from, end) => {
    for (let i = from; i < end; i++) {
      if (status[i] === PointStatus.outOfBounds) outside++;
      else if (status[i] === PointStatus.background) background++;
    }
  });
  const message = describeMisses({ outside, background, points: status.length }, scale, resolution);
  if (message !== undefined) warn(message);
}

/** Describes that most points hit nothing; undefined if they do not. */
export function describeMisses(
  { outside, background, points }: { outside: number; background: number; points: number },
  scale: Scale,
  resolution: Vec3,
): string | undefined {
  if (2 * (outside + background) <= points) return undefined;
  const toGivenUnits = (voxel: readonly number[]): string =>
    formatVec3(voxel.map((v, axis) => Number(((v * scale.resolution[axis]) / resolution[axis]).toFixed(3))));
  const end = scale.voxelOffset.map((v, axis) => v + scale.size[axis]);
  return (
    `${outside} of ${points} points are outside the volume and ${background} on background: is the resolution right? ` +
    `In units of ${formatVec3(resolution)} nm the volume goes from ${toGivenUnits(scale.voxelOffset)} to ${toGivenUnits(end)} (exclusive)`
  );
}

/** Warns when none of several chunks is stored: the path may be wrong, or a drive may not be mounted. */
export function* warnOfMissingChunks(
  status: Uint8Array,
  { cells, order }: PointPlan,
  url: string,
  warn: (message: string) => void,
): PausableWork {
  if (cells.length < 2) return;
  for (let k = 0; k < order.length; k++) {
    if (status[order[k]] !== PointStatus.missingChunk) return;
    if (k % STRETCH === STRETCH - 1) yield;
  }
  warn(describeMissingChunks(cells.length, url));
}

/** Describes that none of the chunks of some points is stored. */
export const describeMissingChunks = (chunks: number, url: string): string =>
  `none of the ${chunks} chunks of these points is stored at ${url}: is the path right?`;
