/**
 * Decides which neighbour chunks to search for a point on background, before anything is read. Pure.
 */
import { cellBounds, gridShape } from '../precomputed/grid.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { Ball } from './ball.ts';
import type { SearchTasks } from './search-tasks.ts';

/** Bounds of a cell in voxels, counted from the volume's first voxel. */
export const cellBoundsFromZero = ({ size, chunkSize }: Scale, cell: number): { min: Vec3; max: Vec3 } =>
  cellBounds({ size, chunkSize, voxelOffset: [0, 0, 0] }, cell);

/** The chunks around one point after another that may hold a label for it. */
export class NeighbourChunks {
  readonly #scale: Scale;
  readonly #ball: Ball;
  readonly #grid: Vec3;
  readonly #voxel = new Float64Array(3);
  readonly #reach = new Int32Array(3);
  /** The first and last chunk in reach along x, y, z. */
  readonly #first = new Float64Array(3);
  readonly #last = new Float64Array(3);
  #limit = 0;

  constructor(scale: Scale, ball: Ball) {
    this.#scale = scale;
    this.#ball = ball;
    this.#grid = gridShape(scale);
  }

  /**
   * Turns to a point.
   * @param x The point's voxel, counted from the volume's first voxel.
   * @param limit Only a label of a lower rank can improve the point.
   * @returns How many chunks are in reach, the point's own among them.
   */
  moveTo(x: number, y: number, z: number, limit: number): number {
    const { size: volume, chunkSize } = this.#scale,
      reach = this.#reach,
      voxel = this.#voxel;
    voxel[0] = x;
    voxel[1] = y;
    voxel[2] = z;
    this.#limit = limit;
    this.#ball.reachOf(limit, reach);
    let chunks = 1;
    for (let axis = 0; axis < 3; axis++) {
      const size = chunkSize[axis];
      this.#first[axis] = Math.floor(Math.max(0, voxel[axis] - reach[axis]) / size);
      this.#last[axis] = Math.floor(Math.min(volume[axis] - 1, voxel[axis] + reach[axis]) / size);
      chunks *= this.#last[axis] - this.#first[axis] + 1;
    }
    return chunks;
  }

  /** Number of rows of chunks in reach. A row runs along x. */
  get rows(): number {
    return this.#along(1) * this.#along(2);
  }

  /** Number of chunks of each row. */
  get rowLength(): number {
    return this.#along(0);
  }

  /** Adds a task for each chunk of a row, except `ownCell`, that may hold a nearer label for the point. */
  addRow(row: number, ownCell: number, tasks: SearchTasks): void {
    const grid = this.#grid,
      limit = this.#limit,
      ball = this.#ball;
    const gy = this.#first[1] + (row % this.#along(1)),
      gz = this.#first[2] + Math.floor(row / this.#along(1));
    const y = this.#distance(1, gy),
      z = this.#distance(2, gz);
    for (let gx = this.#first[0]; gx <= this.#last[0]; gx++) {
      const cell = gx + grid[0] * (gy + grid[1] * gz);
      if (cell === ownCell) continue;
      const firstRank = ball.rankOf(this.#distance(0, gx), y, z);
      if (firstRank < limit) tasks.add(cell, firstRank);
    }
  }

  /** Whether another chunk than `ownCell` may hold a nearer label for the point. */
  hasNearer({ min, max }: { min: Vec3; max: Vec3 }): boolean {
    // It is enough to test the voxels just beyond each face of its own chunk.
    const voxel = this.#voxel;
    for (const axis of [0, 1, 2] as const)
      for (const beyond of [min[axis] - 1, max[axis]]) {
        if (beyond < 0 || beyond >= this.#scale.size[axis]) continue;
        const to: [number, number, number] = [0, 0, 0];
        to[axis] = beyond - voxel[axis];
        if (this.#ball.rankOf(...to) < this.#limit) return true;
      }
    return false;
  }

  #along(axis: 0 | 1 | 2): number {
    return this.#last[axis] - this.#first[axis] + 1;
  }

  /** Voxels from the point to the nearest voxel of a chunk along an axis: 0 in the point's own row. */
  #distance(axis: 0 | 1 | 2, position: number): number {
    const size = this.#scale.chunkSize[axis],
      at = this.#voxel[axis],
      start = position * size;
    return start > at ? start - at : Math.min(0, start + size - 1 - at);
  }
}
