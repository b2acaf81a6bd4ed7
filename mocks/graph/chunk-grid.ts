/** The grid of graph chunks over the voxels of the graph's mip, as the graph's info tells it. */
import type { MockGraphInfo } from './node-id-layout.ts';

type Triple = readonly [number, number, number];

interface Scale {
  /** Nanometres a voxel, xyz. */
  resolution: readonly number[];
  /** Voxels, xyz. */
  size: readonly number[];
  voxelOffset: readonly number[];
}

/** Half-open, in graph chunks. */
export interface ChunkBox {
  min: Triple;
  max: Triple;
}

const WITHOUT_SCALES = {
  resolution: [1, 1, 1],
  size: [Infinity, Infinity, Infinity],
  voxel_offset: [0, 0, 0],
};

export function scaleOf(info: MockGraphInfo): Scale {
  const scales = info.scales as (Omit<Scale, 'voxelOffset'> & { voxel_offset?: number[] })[] | undefined;
  const { voxel_offset: voxelOffset = [0, 0, 0], ...scale } = scales?.[0] ?? WITHOUT_SCALES;
  return { ...scale, voxelOffset };
}

/** Where a voxel is, in graph chunks; each coordinate rounded to a chunk as `round` does. */
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

/** The graph chunks that a box of voxels touches. */
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
