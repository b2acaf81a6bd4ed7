/**
 * Decides which neighbour chunks to search for a point on background, and in which order, before anything is
 * read. Pure.
 */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import { cellBounds, gridShape } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { Ball } from './ball.ts';
import type { SearchTask, SnapPoint } from './ball-search.ts';

/**
 * Chunks up to twice as far as the nearest one are read in the same round. Twice as far is 8 times the rank.
 */
const TOGETHER = 8;

/** Bounds of a cell in voxels, counted from the volume's first voxel. */
export const cellBoundsFromZero = ({ size, chunkSize }: Scale, cell: number): { min: Vec3; max: Vec3 } =>
  cellBounds({ size, chunkSize, voxelOffset: [0, 0, 0] }, cell);

/**
 * Whether another chunk has a voxel of a rank below `limit`. It is enough to test the voxels just beyond each
 * face.
 * @param limit Only a label of a lower rank can improve the point.
 */
export function canReachNeighbour(
  { voxel }: SnapPoint,
  ownCell: number,
  scale: Scale,
  ball: Ball,
  limit: number,
): boolean {
  const { min, max } = cellBoundsFromZero(scale, ownCell);
  const to: [number, number, number] = [0, 0, 0];
  for (const axis of [0, 1, 2] as const)
    for (const distance of [min[axis] - 1 - voxel[axis], max[axis] - voxel[axis]]) {
      const at = voxel[axis] + distance;
      if (at < 0 || at >= scale.size[axis]) continue;
      to[axis] = distance;
      if (ball.rankOf(...to) < limit) return true;
      to[axis] = 0;
    }
  return false;
}

/**
 * Appends one task for each neighbour chunk that may hold a nearer label for a point.
 * @param limit Only a label of a lower rank can improve the point.
 */
export function addNeighbourSearches(
  snapPoint: SnapPoint,
  ownCell: number,
  scale: Scale,
  ball: Ball,
  limit: number,
  tasks: SearchTask[],
): void {
  const { voxel } = snapPoint;
  const reach = limit < ball.size ? ball.reachOf(limit) : ball.reach;
  const grid = gridShape(scale);
  const cellsAlong = (axis: 0 | 1 | 2): { cell: number; distance: number }[] => {
    const size = scale.chunkSize[axis],
      at = voxel[axis];
    const first = Math.max(0, Math.floor((at - reach[axis]) / size)),
      last = Math.min(grid[axis] - 1, Math.floor((at + reach[axis]) / size));
    return Array.from({ length: last - first + 1 }, (_, k) => {
      const start = (first + k) * size;
      return { cell: first + k, distance: start > at ? start - at : Math.min(0, start + size - 1 - at) };
    });
  };
  const xs = cellsAlong(0),
    ys = cellsAlong(1),
    zs = cellsAlong(2);
  if (xs.length * ys.length * zs.length === 1) return;
  for (const z of zs)
    for (const y of ys)
      for (const x of xs) {
        const cell = x.cell + grid[0] * (y.cell + grid[1] * z.cell);
        if (cell === ownCell) continue;
        const first = ball.rankOf(x.distance, y.distance, z.distance);
        if (first < limit) tasks.push({ snapPoint, cell, firstRank: first });
      }
}

/**
 * Splits the tasks that can still improve a point: `now` holds the tasks of the next round, by chunk; `later`
 * the rest. A chunk is in the next round if it is among the nearest chunks of at least one point.
 * @param limitOf Only a label of a lower rank can improve the point with this index.
 */
export function* selectNextSearches(
  tasks: readonly SearchTask[],
  limitOf: (point: number) => number,
): PausableWork<{ now: Map<number, SearchTask[]>; later: SearchTask[] }> {
  const nearest = new Map<SnapPoint, number>(),
    now = new Map<number, SearchTask[]>(),
    pending: SearchTask[] = [],
    later: SearchTask[] = [];
  yield* inStretches(tasks.length, (from, end) => {
    for (let k = from; k < end; k++) {
      const { snapPoint, firstRank: first } = tasks[k];
      if (first >= limitOf(snapPoint.pointIndex)) continue;
      pending.push(tasks[k]);
      nearest.set(snapPoint, Math.min(first, nearest.get(snapPoint) ?? first));
    }
  });
  yield* inStretches(pending.length, (from, end) => {
    for (let k = from; k < end; k++)
      if (pending[k].firstRank <= TOGETHER * nearest.get(pending[k].snapPoint)!) now.set(pending[k].cell, []);
  });
  yield* inStretches(pending.length, (from, end) => {
    for (let k = from; k < end; k++) (now.get(pending[k].cell) ?? later).push(pending[k]);
  });
  return { now, later };
}
