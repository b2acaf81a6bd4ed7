/** Converts between voxels of the graph's mip and the grid of graph chunks, by the graph's info. */
import type { MockGraphInfo } from './node-id-layout.ts';

type Triple = readonly [number, number, number];

interface Scale {
  /** Nanometres per voxel, xyz. */
  resolution: readonly number[];
  /** Size in voxels, xyz. */
  size: readonly number[];
  voxelOffset: readonly number[];
}

/** A half-open box in graph chunks: `min` is inside, `max` is outside. */
export interface ChunkBox {
  min: Triple;
  max: Triple;
}

const WITHOUT_SCALES = {
  resolution: [1, 1, 1],
  size: [Infinity, Infinity, Infinity],
  voxel_offset: [0, 0, 0],
};

/** The graph's mip; without scales in the info, an unbounded one of 1 nm voxels. */
export function scaleOf(info: MockGraphInfo): Scale {
  const scales = info.scales as (Omit<Scale, 'voxelOffset'> & { voxel_offset?: number[] })[] | undefined;
  const { voxel_offset: voxelOffset = [0, 0, 0], ...scale } = scales?.[0] ?? WITHOUT_SCALES;
  return { ...scale, voxelOffset };
}

/** The graph chunk of a voxel. `round` rounds each coordinate to a chunk. */
export function chunkAt(
  info: MockGraphInfo,
  voxel: readonly number[],
  round: (value: number) => number,
): Triple {
  const { voxelOffset } = scaleOf(info);
  const along = (axis: number): number =>
    round((voxel[axis] - voxelOffset[axis]) / info.graph.chunk_size[axis]);
  return [along(0), along(1), along(2)];
}

/** The graph chunks that overlap a box of voxels. */
export const chunkBox = (info: MockGraphInfo, min: readonly number[], max: readonly number[]): ChunkBox => ({
  min: chunkAt(info, min, Math.floor),
  max: chunkAt(info, max, Math.ceil),
});

/** The middle of a graph chunk in nanometres. */
export function chunkMiddleNm(info: MockGraphInfo, chunk: readonly number[]): number[] {
  const { resolution, voxelOffset } = scaleOf(info);
  return chunk.map((value, axis) => {
    const voxel = (value + 0.5) * info.graph.chunk_size[axis] + voxelOffset[axis];
    return voxel * resolution[axis];
  });
}
