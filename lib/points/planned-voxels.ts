/** Walks through the points of a plan, chunk by chunk, and tells the voxel of each. */
import type { PausableWork } from '../base/cooperative-work.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import { cellBoundsFromZero } from './neighbour-chunks.ts';
import type { PointPlan } from './plan.ts';

/** A position in a plan: a chunk, and one of its points. */
export interface PlanPosition {
  ordinal: number;
  at: number;
}

/** Number of points between two pauses. Each takes up to a microsecond. */
const STRETCH = 1024;

/**
 * Returns a function that writes the voxel of the point at position `k` of the plan, which must lie in this
 * chunk, to `out[at..at + 2]`. Voxels are counted from the volume's first voxel.
 */
export function createVoxelWriter(
  { cells, offsets }: PointPlan,
  scale: Scale,
  ordinal: number,
): (k: number, out: Float64Array, at: number) => void {
  const {
    min: [x0, y0, z0],
    max,
  } = cellBoundsFromZero(scale, cells[ordinal]);
  const sx = max[0] - x0,
    sy = max[1] - y0;
  return (k, out, at) => {
    const row = Math.floor(offsets[k] / sx);
    out[at] = x0 + (offsets[k] % sx);
    out[at + 1] = y0 + (row % sy);
    out[at + 2] = z0 + Math.floor(row / sy);
  };
}

/**
 * Calls `act` for the points of one chunk after the other, from a position of the plan on. Yields after every
 * few points: one chunk can have very many, and very many chunks can have one each.
 */
export function* inChunkParts(
  starts: Uint32Array,
  { ordinal, at }: PlanPosition,
  act: (ordinal: number, from: number, end: number) => void,
): PausableWork {
  let left = STRETCH;
  for (; ordinal < starts.length - 1; ordinal++)
    for (at = Math.max(at, starts[ordinal]); at < starts[ordinal + 1];) {
      const end = Math.min(starts[ordinal + 1], at + left);
      act(ordinal, at, end);
      left -= end - at;
      at = end;
      if (left > 0) continue;
      left = STRETCH;
      yield;
    }
}
