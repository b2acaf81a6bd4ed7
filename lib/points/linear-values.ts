/**
 * Computes values between voxels from the values of the voxels around each point. Pure. All arithmetic is in
 * doubles; a voxel of weight 0 does not take part.
 */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import type { ValueArray } from '../precomputed/data-type.ts';
import type { LinearPlan } from './linear-plan.ts';
import type { ChunkFailure } from './read-points.ts';
import { PointStatus } from './status.ts';

/** The voxels that were read, and where the values of the points go. */
export interface LinearValues {
  plan: LinearPlan;
  /** The values of all voxels, one per channel, in the order of the plan. */
  values: ValueArray;
  /** The status of each voxel. */
  voxelStatus: Uint8Array;
  channels: number;
  /** Receives one value per point and channel; 0 where there is none. */
  out: Float64Array;
  /** Receives the status of each point that has voxels. */
  status: Uint8Array;
}

/** Number of points between two pauses. A point takes about 0.1 microseconds per channel. */
const STRETCH = 2048;
/** How long it takes to compute the value of a point. A call with a deadline stops reading that much earlier. */
export const COMBINE_NS_PER_POINT = 200;

/** Writes the value and the status of every point. */
export function* combineLinear(request: LinearValues): PausableWork {
  const { plan, values, voxelStatus, channels, out, status } = request,
    { counts, fractions } = plan;
  const read = createValueReader(values),
    corners = new Float64Array(8);
  let voxel = 0;
  yield* inStretches(
    counts.length,
    (from, end) => {
      for (let i = from; i < end; i++) {
        const count = counts[i],
          first = voxel;
        voxel += count;
        if (count === 0) continue;
        const code = statusOf(voxelStatus, first, voxel);
        status[i] = code;
        if (code !== PointStatus.ok) continue;
        for (let channel = 0; channel < channels; channel++) {
          for (let k = 0; k < count; k++) corners[k] = read((first + k) * channels + channel);
          out[i * channels + channel] = interpolate(corners, count, fractions, 3 * i);
        }
      }
    },
    STRETCH,
  );
}

/** A point has a value if all of its voxels have one. A voxel that failed may be there after all. */
function statusOf(voxelStatus: Uint8Array, first: number, end: number): number {
  let code: number = PointStatus.ok;
  for (let k = first; k < end; k++) {
    if (voxelStatus[k] === PointStatus.ok) continue;
    code = voxelStatus[k];
    if (code === PointStatus.failed) break;
  }
  return code;
}

/** Interpolates along x, then y, then z, in place. `corners` holds the values of the voxels, x fastest. */
function interpolate(corners: Float64Array, count: number, fractions: Float64Array, at: number): number {
  let left = count;
  for (let axis = 0; left > 1; axis++) {
    const fraction = fractions[at + axis];
    if (fraction === 0) continue;
    left /= 2;
    for (let k = 0; k < left; k++) {
      const a = corners[2 * k],
        b = corners[2 * k + 1];
      // Between equal values nothing is rounded.
      corners[k] = a === b ? a : a * (1 - fraction) + b * fraction;
    }
  }
  return corners[0];
}

/** Returns a function that reads a value as a double. A 64-bit integer is rounded to the nearest double. */
function createValueReader(values: ValueArray): (at: number) => number {
  if (!(values instanceof BigUint64Array || values instanceof BigInt64Array)) return (at) => values[at];
  const { buffer, byteOffset, length } = values,
    low = new Uint32Array(buffer, byteOffset, 2 * length),
    high = values instanceof BigInt64Array ? new Int32Array(buffer, byteOffset, 2 * length) : low;
  return (at) => high[2 * at + 1] * 2 ** 32 + low[2 * at];
}

/** Replaces the voxels of failures by the points that needed them. */
export function* failuresOfPoints(
  { counts }: LinearPlan,
  failures: readonly ChunkFailure[],
): PausableWork<ChunkFailure[]> {
  if (!failures.some(({ points }) => points)) return [...failures];
  const pointOf = new Uint32Array(counts.reduce((sum, count) => sum + count, 0));
  let voxel = 0;
  yield* inStretches(counts.length, (from, end) => {
    for (let i = from; i < end; i++) for (let k = 0; k < counts[i]; k++) pointOf[voxel++] = i;
  });
  const mapped: ChunkFailure[] = [];
  for (const { error, points: voxels } of failures) {
    if (!voxels) {
      mapped.push({ error, points: undefined });
      continue;
    }
    const points = new Uint32Array(voxels.length);
    let count = 0;
    yield* inStretches(voxels.length, (from, end) => {
      // Ascending, so the voxels of a point follow each other.
      for (let k = from; k < end; k++) {
        const point = pointOf[voxels[k]];
        if (count === 0 || points[count - 1] !== point) points[count++] = point;
      }
    });
    mapped.push({ error, points: points.slice(0, count) });
  }
  return mapped;
}
