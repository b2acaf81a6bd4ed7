/**
 * Finds suspect supervoxels. A supervoxel ID names the graph chunk it lies in; an ID that names another graph
 * chunk than its point's is wrong. Graph chunks are counted in voxels of the graph's mip, from its voxel
 * offset or from voxel 0. They need not match the chunks of the volume.
 */
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import type { ChunkPrefix } from '../chunkedgraph/ids/id-layout.ts';
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import { cellBounds } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { PointPlan } from '../points/plan.ts';
import { PointStatus } from '../points/status.ts';

/**
 * Marks the suspect points among positions `from` to `end` of a plan, all of one chunk.
 * @returns The number marked.
 */
export type SuspectMarker = (ordinal: number, from: number, end: number) => number;

/**
 * Creates a marker that turns `ok` into `suspect` for a supervoxel that is not of layer 1 and of its point's
 * graph chunk.
 *
 * @param scale The scale at the graph's own mip.
 * @param words Supervoxel IDs as uint32 pairs, low word first, one pair per point.
 * @returns undefined when the graph's info does not say how its IDs are built.
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
  const cellsOf = (at: Vec3): Vec3 => [
    Math.floor((at[0] - origin[0]) / gx),
    Math.floor((at[1] - origin[1]) / gy),
    Math.floor((at[2] - origin[2]) / gz),
  ];
  /** Marks points that all lie in one graph chunk. */
  const markAlike = (prefix: ChunkPrefix | undefined, from: number, end: number): number => {
    const { low, high } = prefix ?? NO_PREFIX,
      { low: lowMask, high: highMask } = mask;
    let suspects = 0;
    for (let k = from; k < end; k++) {
      const point = plan.order[k];
      if (
        status[point] !== PointStatus.ok ||
        ((words[2 * point] & lowMask) >>> 0 === low && (words[2 * point + 1] & highMask) >>> 0 === high)
      )
        continue;
      status[point] = PointStatus.suspect;
      suspects++;
    }
    return suspects;
  };
  return (ordinal, from, end) => {
    const { min, max } = cellBounds(scale, plan.cells[ordinal]);
    const first = cellsOf(min),
      last = cellsOf([max[0] - 1, max[1] - 1, max[2] - 1]);
    if (first.every((cell, axis) => cell === last[axis]))
      return markAlike(graph.ids.chunkPrefix(1, first), from, end);
    const x0 = min[0] - origin[0],
      y0 = min[1] - origin[1],
      z0 = min[2] - origin[2];
    const sx = max[0] - min[0],
      sy = max[1] - min[1];
    let at: Vec3 = [NaN, NaN, NaN],
      prefix = NO_PREFIX;
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
        prefix = graph.ids.chunkPrefix(1, at) ?? NO_PREFIX;
      }
      if (
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

/** A prefix that no ID has. */
const NO_PREFIX: ChunkPrefix = { low: NaN, high: NaN };

/** Marks the suspect points of a whole plan. @returns The number marked. */
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
