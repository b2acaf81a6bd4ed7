/** Splits a supervoxel: its voxels first, then the rows of the graph, as a server of version 3 does. */
import type { SplitSupervoxel } from './endpoints/endpoint.ts';
import type { TimedGraph } from './graph/timed-graph.ts';

/** A split of voxels that has been planned. */
export interface PlannedSplit {
  /** How many parts the supervoxel has: at least two. */
  count: number;
  /** The part that keeps the edges to another supervoxel. */
  partBeside: (other: bigint) => number;
  /** Writes the IDs of the parts into the voxels. */
  write: (ids: readonly bigint[], timeMs: number) => void;
}

/**
 * Plans the split of a supervoxel's voxels.
 * @param partOf The part of a voxel: 0, 1 and so on.
 */
export type SplitVoxels = (id: bigint, partOf: (x: number, y: number, z: number) => number) => PlannedSplit;

/** Connects the split of voxels with that of the graph. */
export const splitterOf =
  (graph: TimedGraph, splitVoxels: SplitVoxels): SplitSupervoxel =>
  (id, partOf, timeMs) => {
    const old = graph.supervoxel(id),
      { count, partBeside, write } = splitVoxels(id, partOf);
    const parts = graph.splitSupervoxel(old, count, (other) => partBeside(graph.nodes.idOf(other)));
    const ids = [...graph.nodes.idsOf(parts)];
    write(ids, timeMs);
    return ids;
  };
