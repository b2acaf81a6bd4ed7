/**
 * Plans the read of values between voxels: finds the voxels around each point, and groups them by chunk,
 * before anything is read. Pure. The value of voxel i stands at i + 0.5.
 */
import type { PausableWork } from '../base/cooperative-work.ts';
import { ratiosOfOtherUnits } from '../base/unit-ratio.ts';
import type { Vec3 } from '../base/vec3.ts';
import { gridShape } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import { CellIndex } from './cell-index.ts';
import { groupByCell, type PointPlan } from './plan.ts';
import type { PointSource } from './point-input.ts';
import { PointStatus } from './status.ts';

/** The voxels around each point. Voxels of weight 0 are left out. */
export interface LinearPlan {
  /**
   * The voxels of all points, grouped by chunk. They are numbered point after point; those of one point x
   * fastest, then y, then z.
   */
  voxels: PointPlan;
  /** Number of voxels of each point: 1, 2, 4 or 8; 0 for a point that gets no value. */
  counts: Uint8Array;
  /**
   * How far the place of each point is beyond the centre of its first voxel, in voxels along x, y and z: 0 or
   * more, and below 1. Where it is 0, the point has one voxel along that axis, else two.
   */
  fractions: Float64Array;
}

const BLOCK_POINTS = 512;

/**
 * Plans the read of values between the voxels of one scale.
 * @param resolution Nanometres per unit of the coordinates, xyz.
 * @param status One status per point. `invalidPoint` and `outOfBounds` are written; the rest is left as it
 * is.
 */
export function* planLinearInSteps(
  points: PointSource,
  scale: Scale,
  resolution: Vec3,
  status: Uint8Array,
): PausableWork<LinearPlan> {
  const [sizeX, sizeY, sizeZ] = scale.size,
    [chunkX, chunkY, chunkZ] = scale.chunkSize,
    [offsetX, offsetY, offsetZ] = scale.voxelOffset;
  const [gridX, gridY] = gridShape(scale);
  const n = points.count;
  const index = new CellIndex();
  // Memory that is never written takes no space, so that the arrays may be too long.
  const ordinals = new Uint32Array(8 * n),
    offsets = new Uint32Array(8 * n),
    counts = new Uint8Array(n),
    fractions = new Float64Array(3 * n);
  const places = new Float64Array(3 * Math.min(n, BLOCK_POINTS));
  const otherUnits = ratiosOfOtherUnits(resolution, scale.resolution);
  let total = 0,
    lastCell = -1,
    lastOrdinal = 0;

  const addVoxel = (x: number, y: number, z: number): void => {
    const gx = Math.floor(x / chunkX),
      gy = Math.floor(y / chunkY),
      gz = Math.floor(z / chunkZ);
    const x0 = gx * chunkX,
      y0 = gy * chunkY;
    const sx = Math.min(chunkX, sizeX - x0),
      sy = Math.min(chunkY, sizeY - y0);
    const cell = gx + gridX * (gy + gridY * gz);
    if (cell !== lastCell) {
      lastCell = cell;
      lastOrdinal = index.add(cell);
    }
    offsets[total] = x - x0 + sx * (y - y0 + sy * (z - gz * chunkZ));
    ordinals[total++] = lastOrdinal;
  };
  // One call per block: the engine compiles a function that is called often sooner than a long loop.
  const planBlock = (first: number, end: number): void => {
    for (let i = first, at = 0; i < end; i++, at += 3) {
      const placeX = places[at] - 0.5,
        placeY = places[at + 1] - 0.5,
        placeZ = places[at + 2] - 0.5;
      const floorX = Math.floor(placeX),
        floorY = Math.floor(placeY),
        floorZ = Math.floor(placeZ);
      const fractionX = placeX - floorX,
        fractionY = placeY - floorY,
        fractionZ = placeZ - floorZ;
      const x = floorX - offsetX,
        y = floorY - offsetY,
        z = floorZ - offsetZ;
      const lastX = fractionX > 0 ? x + 1 : x,
        lastY = fractionY > 0 ? y + 1 : y,
        lastZ = fractionZ > 0 ? z + 1 : z;
      if (!(x >= 0 && y >= 0 && z >= 0 && lastX < sizeX && lastY < sizeY && lastZ < sizeZ)) {
        status[i] =
          Number.isFinite(placeX) && Number.isFinite(placeY) && Number.isFinite(placeZ)
            ? PointStatus.outOfBounds
            : PointStatus.invalidPoint;
        continue;
      }
      fractions[3 * i] = fractionX;
      fractions[3 * i + 1] = fractionY;
      fractions[3 * i + 2] = fractionZ;
      const before = total;
      for (let vz = z; vz <= lastZ; vz++)
        for (let vy = y; vy <= lastY; vy++) for (let vx = x; vx <= lastX; vx++) addVoxel(vx, vy, vz);
      counts[i] = total - before;
    }
  };
  for (let first = 0; first < n; first += BLOCK_POINTS) {
    if (first > 0) yield;
    const end = Math.min(n, first + BLOCK_POINTS);
    points.readPlaces(first, places);
    for (const { axis, ratio } of otherUnits) ratio.convertPlaces(places, axis, 3 * (end - first));
    planBlock(first, end);
  }
  const voxels = yield* groupByCell(
    index.cells.slice(),
    ordinals.subarray(0, total),
    offsets.subarray(0, total),
    total,
  );
  return { voxels, counts, fractions };
}
