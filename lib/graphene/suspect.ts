/**
 * Supervoxel IDs carry the graph chunk they lie in. One that was read elsewhere is a wrong ID, however it came about.
 * Graph chunks are counted in voxels of the graph's mip, from its voxel offset or from voxel 0, and need not be storage chunks.
 */
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import { cellBounds } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { PointPlan } from '../points/plan.ts';
import { PointStatus } from '../points/status.ts';

/** Marks some points of one chunk of a plan: `from` to `end` are places in its order. @returns how many were marked. */
export type SuspectMarker = (ordinal: number, from: number, end: number) => number;

/**
 * What turns `ok` into `suspect` where the supervoxel is not of layer 1 and the graph chunk of its point.
 *
 * @param scale The scale at the graph's own mip.
 * @param words Supervoxel IDs as uint32 pairs, one a point.
 * @returns undefined when the graph does not say how its IDs are made.
 */
export function createSuspectMarker(
  plan: PointPlan,
  scale: Scale,
  graph: GraphInfo,
  words: Uint32Array,
  status: Uint8Array,
): SuspectMarker | undefined {
  if (graph.ids.spatialBits(1) === undefined) return undefined;
  const mask = graph.ids.prefixMask(1);
  const origin = graph.chunksStartAtVoxelOffset ? scale.voxelOffset : ([0, 0, 0] as const);
  const [gx, gy, gz] = graph.chunkSize;
  return (ordinal, from, end) => {
    const { min, max } = cellBounds(scale, plan.cells[ordinal]);
    const x0 = min[0] - origin[0],
      y0 = min[1] - origin[1],
      z0 = min[2] - origin[2];
    const sx = max[0] - min[0],
      sy = max[1] - min[1];
    let at: Vec3 = [NaN, NaN, NaN],
      prefix = graph.ids.chunkPrefix(1, at);
    let suspects = 0;
    for (let k = from; k < end; k++) {
      const point = plan.order[k];
      if (status[point] !== PointStatus.ok) continue;
      const offset = plan.offsets[k],
        plane = Math.floor(offset / sx);
      const x = Math.floor((x0 + (offset % sx)) / gx),
        y = Math.floor((y0 + (plane % sy)) / gy),
        z = Math.floor((z0 + Math.floor(plane / sy)) / gz);
      if (x !== at[0] || y !== at[1] || z !== at[2]) {
        at = [x, y, z];
        prefix = graph.ids.chunkPrefix(1, at);
      }
      if (
        prefix &&
        (words[2 * point] & mask.low) >>> 0 === prefix.low &&
        (words[2 * point + 1] & mask.high) >>> 0 === prefix.high
      )
        continue;
      status[point] = PointStatus.suspect;
      suspects++;
    }
    return suspects;
  };
}

/** All points of a plan. @returns how many were marked. */
export function* markSuspects(plan: PointPlan, mark: SuspectMarker | undefined): PausableWork<number> {
  let suspects = 0;
  for (let c = 0; mark && c < plan.cells.length; c++) {
    const first = plan.starts[c];
    yield;
    yield* inStretches(
      plan.starts[c + 1] - first,
      (from, end) => (suspects += mark(c, first + from, first + end)),
    );
  }
  return suspects;
}
