/**
 * Which chunks around its own a point that looks for a label looks into, and in which order: decided before anything is read. Pure.
 */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import { cellBounds, gridShape } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { Ball } from './ball.ts';
import type { SearchTask, SnapPoint } from './ball-search.ts';

/** Chunks up to twice as far as the nearest one are read together: eight times its rank. */
const TOGETHER = 8;

/** Voxels of a cell, counted from the volume's first. */
export const cellBoundsFromZero = ({ size, chunkSize }: Scale, cell: number): { min: Vec3; max: Vec3 } =>
  cellBounds({ size, chunkSize, voxelOffset: [0, 0, 0] }, cell);

/**
 * Whether a voxel of another chunk is near enough: then one of those beyond the faces is.
 * @param limit Only a label of a lower rank is of use.
 */
export function canReachNeighbour(
  { voxel }: SnapPoint,
  own: number,
  scale: Scale,
  ball: Ball,
  limit: number,
): boolean {
  const { min, max } = cellBoundsFromZero(scale, own);
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
 * Adds the neighbours of its own chunk that could hold something nearer than what a seeker has.
 * @param limit Only a label of a lower rank is of use.
 */
export function addNeighbourSearches(
  seeker: SnapPoint,
  own: number,
  scale: Scale,
  ball: Ball,
  limit: number,
  looks: SearchTask[],
): void {
  const { voxel } = seeker;
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
        if (cell === own) continue;
        const first = ball.rankOf(x.distance, y.distance, z.distance);
        if (first < limit) looks.push({ snapPoint: seeker, cell, firstRank: first });
      }
}

/**
 * Looks that are still of use: those into chunks that are next for some seeker, by chunk, and the rest.
 * @param limitOf Only a label of a lower rank is of use to a point.
 */
export function* selectNextSearches(
  looks: readonly SearchTask[],
  limitOf: (point: number) => number,
): PausableWork<{ now: Map<number, SearchTask[]>; later: SearchTask[] }> {
  const nearest = new Map<SnapPoint, number>(),
    now = new Map<number, SearchTask[]>(),
    open: SearchTask[] = [],
    later: SearchTask[] = [];
  yield* inStretches(looks.length, (from, end) => {
    for (let k = from; k < end; k++) {
      const { snapPoint: seeker, firstRank: first } = looks[k];
      if (first >= limitOf(seeker.pointIndex)) continue;
      open.push(looks[k]);
      nearest.set(seeker, Math.min(first, nearest.get(seeker) ?? first));
    }
  });
  yield* inStretches(open.length, (from, end) => {
    for (let k = from; k < end; k++)
      if (open[k].firstRank <= TOGETHER * nearest.get(open[k].snapPoint)!) now.set(open[k].cell, []);
  });
  yield* inStretches(open.length, (from, end) => {
    for (let k = from; k < end; k++) (now.get(open[k].cell) ?? later).push(open[k]);
  });
  return { now, later };
}
