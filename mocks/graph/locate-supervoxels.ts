/**
 * Finds the supervoxel of a node at a point. Source: PyChunkedGraph, pychunkedgraph/app/app_utils.py and
 * graph/utils/id_helpers.py.
 */
import { chunkAt, scaleOf } from './chunk-grid.ts';
import { EditError } from './edit-error.ts';
import type { MockGraphInfo } from './node-id-layout.ts';
import { supervoxelsOf } from './subtree.ts';
import type { TimedGraph } from './timed-graph.ts';

/** Reads the watershed: the supervoxel ID at a voxel of the graph's mip, 0n for background. */
export type LabelAt = (x: number, y: number, z: number) => bigint;

export interface LocateOptions {
  /**
   * Reads the watershed. Without it, the first of the node's supervoxels in the point's graph chunk is used.
   */
  labelAt?: LabelAt;
  /**
   * Whether the search stops at the volume's edge. Otherwise a search that leaves the volume fails, as on the
   * real server.
   */
  clampsToVolume: boolean;
}

/** Search radii, in mean side lengths of a voxel. */
const SEARCH_RADII = [4, 8, 14, 28];
/** Points of one node that are closer than this are searched together. */
const TOGETHER_NM = 1000;

/**
 * The supervoxel IDs of points, in their order. A supervoxel's ID stays as it is. For any other node the
 * nearest of its supervoxels is found, as of the node's creation.
 *
 * @param nodes The node ID of each point.
 * @param points The points in voxels, xyz.
 * @throws EditError REFUSED when no supervoxel of the node is near, FAILED when the search leaves the volume.
 */
export function locateSupervoxels(
  graph: TimedGraph,
  info: MockGraphInfo,
  nodes: readonly bigint[],
  points: readonly (readonly number[])[],
  { labelAt, clampsToVolume }: LocateOptions,
): bigint[] {
  const found = [...nodes];
  const voxels = points.map((point) => point.map(Math.trunc));
  for (const id of new Set(nodes)) {
    const node = graph.nodes.findId(id);
    if (graph.layout.layerOfId(id) === 1) continue;
    if (node < 0) throw new EditError('FAILED', 'list index out of range');
    const here = nodes.flatMap((other, k) => (other === id ? [k] : []));
    for (const group of groupNearby(here, voxels, scaleOf(info).resolution)) {
      const groupPoints = group.map((k) => voxels[k]);
      const supervoxels = labelAt
        ? nearest(graph, info, node, groupPoints, { labelAt, clampsToVolume })
        : firstInChunks(graph, info, node, groupPoints);
      if (!supervoxels)
        throw new EditError(
          'REFUSED',
          `Could not determine supervoxel ID for coordinates ${JSON.stringify(voxels)} - Lookup stage.`,
        );
      group.forEach((k, g) => (found[k] = supervoxels[g]));
    }
  }
  return found;
}

const distanceNm = (a: readonly number[], b: readonly number[], resolution: readonly number[]): number =>
  Math.hypot(...a.map((value, axis) => (value - b[axis]) * resolution[axis]));

function groupNearby(
  indices: readonly number[],
  voxels: readonly number[][],
  resolution: readonly number[],
): number[][] {
  const groups: number[][] = [];
  const left = new Set(indices);
  for (const start of indices) {
    if (!left.delete(start)) continue;
    const group = [start];
    for (const member of group)
      for (const other of left)
        if (distanceNm(voxels[member], voxels[other], resolution) < TOGETHER_NM) {
          left.delete(other);
          group.push(other);
        }
    groups.push(group);
  }
  return groups;
}

function nearest(
  graph: TimedGraph,
  info: MockGraphInfo,
  node: number,
  points: readonly number[][],
  { labelAt, clampsToVolume }: Required<LocateOptions>,
): bigint[] | undefined {
  const { resolution, size, voxelOffset: offset } = scaleOf(info);
  const mean = (resolution[0] + resolution[1] + resolution[2]) / 3;
  const layer = graph.layerOf(node),
    timeMs = graph.nodes.createdMs(node);
  const isBelow = new Map<bigint, boolean>();
  const belongs = (label: bigint): boolean => {
    let known = isBelow.get(label);
    if (known === undefined) {
      const supervoxel = graph.nodes.findId(label);
      isBelow.set(label, (known = supervoxel >= 0 && graph.ancestorAt(supervoxel, layer, timeMs) === node));
    }
    return known;
  };
  for (const radius of SEARCH_RADII) {
    const radiusNm = radius * mean;
    const reach = resolution.map((side) => Math.ceil(radiusNm / side));
    const { min, max } = searchBox(points, reach, { offset, size, clampsToVolume });
    const best = points.map(() => ({ distance: Infinity, label: 0n }));
    for (let x = min[0]; x < max[0]; x++)
      for (let y = min[1]; y < max[1]; y++)
        for (let z = min[2]; z < max[2]; z++) {
          const label = labelAt(x, y, z);
          if (!belongs(label)) continue;
          for (let k = 0; k < points.length; k++) {
            const distance = distanceNm([x, y, z], points[k], resolution);
            if (distance < best[k].distance) best[k] = { distance, label };
          }
        }
    if (best.every(({ distance }) => distance <= radiusNm)) return best.map(({ label }) => label);
  }
  return undefined;
}

/** The box to search. @throws EditError FAILED when it leaves the volume, unless `clampsToVolume`. */
function searchBox(
  points: readonly number[][],
  reach: readonly number[],
  {
    offset,
    size,
    clampsToVolume,
  }: { offset: readonly number[]; size: readonly number[]; clampsToVolume: boolean },
): { min: number[]; max: number[] } {
  const min: number[] = [],
    max: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    const along = points.map((point) => point[axis]),
      start = offset[axis],
      end = start + size[axis];
    for (const [side, value] of [
      [min, Math.min(...along) - reach[axis]],
      [max, Math.max(...along) + reach[axis] + 1],
    ] as const) {
      if (!clampsToVolume && (value < start || value > end))
        throw new EditError(
          'FAILED',
          `Value ${value} cannot be outside of inclusive range ${start} to ${end}`,
        );
      side.push(Math.min(Math.max(value, start), end));
    }
  }
  return { min, max };
}

function firstInChunks(
  graph: TimedGraph,
  info: MockGraphInfo,
  node: number,
  points: readonly number[][],
): bigint[] | undefined {
  const supervoxels = supervoxelsOf(graph, node).sort((a, b) => a - b);
  const found = points.map((point) => {
    const chunk = chunkAt(info, point, Math.floor);
    return supervoxels.find((supervoxel) =>
      graph.chunkOf(supervoxel).every((value, axis) => value === chunk[axis]),
    );
  });
  return found.every((supervoxel) => supervoxel !== undefined)
    ? found.map((supervoxel) => graph.nodes.idOf(supervoxel))
    : undefined;
}
