/**
 * Plans a read: finds the chunk and the voxel of each point, and groups the points by chunk, before anything
 * is read. Pure. Planning takes 16 bytes per point; the plan takes 8.
 */
import { runWithoutPause, inStretches, type PausableWork } from '../base/cooperative-work.ts';
import { ratiosOfOtherUnits } from '../base/unit-ratio.ts';
import type { Vec3 } from '../base/vec3.ts';
import { gridShape } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import { CellIndex } from './cell-index.ts';
import type { PointSource } from './point-input.ts';
import { PointStatus } from './status.ts';

/** Points grouped by chunk. A cell is the number of a chunk in the scale's grid, x fastest. */
export interface PointPlan {
  /** Cells that hold at least one point, in order of their first point. */
  cells: Float64Array;
  /** The points of `cells[c]` are entries `starts[c]` to `starts[c + 1]` of the two arrays below. */
  starts: Uint32Array;
  /** Linear voxel offset of each point in its (clipped) chunk, x fastest. */
  offsets: Uint32Array;
  /** Index of each point in the caller's order; ascending within a cell. */
  order: Uint32Array;
}

/** In place of the ordinal of a cell: the voxel is not read. */
export const NO_CELL = 0xffffffff;
const BLOCK_POINTS = 1024;
/** Number of blocks between two pauses. */
const BLOCKS_PER_STRETCH = 2;

/**
 * Plans the read of points from one scale, without a pause.
 * @param resolution Nanometres per unit of the coordinates, xyz.
 * @param status One status per point. `invalidPoint` and `outOfBounds` are written; the rest is left as it
 *   is.
 */
export const planPoints = (
  points: PointSource,
  scale: Scale,
  resolution: Vec3,
  status: Uint8Array,
): PointPlan => runWithoutPause(planPointsInSteps(points, scale, resolution, status));

/**
 * As {@link planPoints}, with pauses.
 * @param onCells Receives the number of cells found so far, before each pause.
 */
export function* planPointsInSteps(
  points: PointSource,
  scale: Scale,
  resolution: Vec3,
  status: Uint8Array,
  onCells?: (count: number) => void,
): PausableWork<PointPlan> {
  const [sizeX, sizeY, sizeZ] = scale.size,
    [chunkX, chunkY, chunkZ] = scale.chunkSize,
    [offsetX, offsetY, offsetZ] = scale.voxelOffset;
  const [gridX, gridY] = gridShape(scale);
  const n = points.count;
  const index = new CellIndex();
  const ordinals = new Uint32Array(n),
    unordered = new Uint32Array(n);
  const coordinates = new Float64Array(3 * Math.min(n, BLOCK_POINTS));
  const otherUnits = ratiosOfOtherUnits(resolution, scale.resolution);
  let inside = 0;

  // One call per block: the engine compiles a function that is called often sooner than a long loop.
  const planBlock = (first: number, end: number): number => {
    let lastOrdinal = 0,
      placed = 0,
      // The box of the chunk of the last point, and its size along x and y.
      x0 = 0,
      y0 = 0,
      z0 = 0,
      x1 = -1,
      y1 = -1,
      z1 = -1,
      sx = 0,
      sy = 0;
    for (let i = first, at = 0; i < end; i++, at += 3) {
      ordinals[i] = NO_CELL;
      const x = Math.floor(coordinates[at]) - offsetX,
        y = Math.floor(coordinates[at + 1]) - offsetY,
        z = Math.floor(coordinates[at + 2]) - offsetZ;
      if (!(x >= x0 && y >= y0 && z >= z0 && x < x1 && y < y1 && z < z1)) {
        if (!(x >= 0 && y >= 0 && z >= 0 && x < sizeX && y < sizeY && z < sizeZ)) {
          status[i] =
            Number.isFinite(coordinates[at]) &&
            Number.isFinite(coordinates[at + 1]) &&
            Number.isFinite(coordinates[at + 2])
              ? PointStatus.outOfBounds
              : PointStatus.invalidPoint;
          continue;
        }
        const gx = Math.floor(x / chunkX),
          gy = Math.floor(y / chunkY),
          gz = Math.floor(z / chunkZ);
        x0 = gx * chunkX;
        y0 = gy * chunkY;
        z0 = gz * chunkZ;
        x1 = Math.min(x0 + chunkX, sizeX);
        y1 = Math.min(y0 + chunkY, sizeY);
        z1 = Math.min(z0 + chunkZ, sizeZ);
        sx = x1 - x0;
        sy = y1 - y0;
        lastOrdinal = index.add(gx + gridX * (gy + gridY * gz));
      }
      unordered[i] = x - x0 + sx * (y - y0 + sy * (z - z0));
      ordinals[i] = lastOrdinal;
      placed++;
    }
    return placed;
  };
  for (let first = 0; first < n; first += BLOCK_POINTS) {
    if (first > 0 && first % (BLOCKS_PER_STRETCH * BLOCK_POINTS) === 0) {
      onCells?.(index.size);
      yield;
    }
    const end = Math.min(n, first + BLOCK_POINTS);
    points.read(first, coordinates);
    for (const { axis, ratio } of otherUnits) ratio.convert(coordinates, axis, 3 * (end - first));
    inside += planBlock(first, end);
  }
  return yield* groupByCell(index.cells.slice(), ordinals, unordered, inside);
}

function* countStarts(cells: number, ordinals: Uint32Array): PausableWork<Uint32Array> {
  const starts = new Uint32Array(cells + 1);
  yield* inStretches(ordinals.length, (from, end) => {
    for (let i = from; i < end; i++) if (ordinals[i] !== NO_CELL) starts[ordinals[i] + 1]++;
  });
  yield* inStretches(cells, (from, end) => {
    for (let c = from; c < end; c++) starts[c + 1] += starts[c];
  });
  return starts;
}

/**
 * Sorts points, or other voxels, by cell. The counting sort is stable, so the points of a cell keep their
 * order.
 * @param ordinals The ordinal of the cell of each point, or {@link NO_CELL}.
 * @param unordered The offset of each point in its chunk.
 * @param inside Number of points that have a cell.
 */
export function* groupByCell(
  cells: Float64Array,
  ordinals: Uint32Array,
  unordered: Uint32Array,
  inside: number,
): PausableWork<PointPlan> {
  const starts = yield* countStarts(cells.length, ordinals);
  const next = starts.slice(0, cells.length),
    offsets = new Uint32Array(inside),
    order = new Uint32Array(inside);
  yield* inStretches(ordinals.length, (from, end) => {
    for (let i = from; i < end; i++) {
      if (ordinals[i] === NO_CELL) continue;
      const at = next[ordinals[i]]++;
      offsets[at] = unordered[i];
      order[at] = i;
    }
  });
  return { cells, starts, offsets, order };
}
