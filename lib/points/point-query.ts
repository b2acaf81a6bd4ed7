/** What one call of a PointReader asks for, and what it returns. */
import type { Vec3 } from '../base/vec3.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { ValueArray, WordArray } from '../precomputed/data-type.ts';
import type { PausableWork } from '../base/cooperative-work.ts';
import type { PointPlan } from './plan.ts';
import type { ChunkFailure, ReadRequest } from './read-points.ts';
import type { LookupStats } from './result.ts';

/** Progress of one call. */
export interface Progress {
  /** Number of points of the call. */
  points: number;
  /** Number of chunks to read. With `snap` it can grow during the call. */
  chunks: number;
  /** Number of chunks that are read, or have failed. */
  chunksDone: number;
}

/**
 * `'none'`: a point gets the value of the voxel that it lies in. `'linear'`: it gets the mean of the values of
 * the voxels around it, weighted by how near their centres are.
 */
export type Interpolation = 'none' | 'linear';

/** How to read the points of one call. */
export interface PointQuery {
  /** Nanometres per unit of the coordinates, xyz. @default the resolution of mip 0 */
  resolution?: Vec3;
  /** Scale to read. */
  mip: number;
  /**
   * Points on background take the nearest label within this many nanometres.
   * @default points on background stay there
   */
  snapNm?: number;
  /** How values between voxels are computed; by default, each point gets the value of its voxel. */
  interpolate?: Interpolation;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Creates the check of points that were read; see {@link ReadRequest.checkPoints}. */
  createPointCheck?: (read: {
    plan: PointPlan;
    scale: Scale;
    words: WordArray;
    status: Uint8Array;
  }) => ReadRequest['checkPoints'];
  /**
   * Receives a warning when most points are outside the volume or on background, or none of the chunks is
   * stored.
   */
  warn?: (message: string) => void;
}

/** The values at the points of one call. */
export interface PointValues {
  /** One value per channel and point, in the order of the points. */
  values: ValueArray;
  /** PointStatus codes, one per point. */
  status: Uint8Array;
  /** Chunks that could not be read, with their points. */
  failures: ChunkFailure[];
  stats: LookupStats;
  plan: PointPlan;
  scale: Scale;
  /**
   * With `snapNm` only: distance to each point's label, and a plan of the voxels that the labels come from.
   */
  snapped?: { nm: Float32Array; plan: () => PausableWork<PointPlan> };
}
