/** What an estimate of a look-up needs, and what it tells. */
import type { ChunkSample } from '../chunks/sample-chunks.ts';
import type { PointLookup } from './point-lookup.ts';

/** A volume whose chunks can be counted and sampled. */
export interface SurveyedVolume {
  /** The name of another volume than the main one. */
  name: string | undefined;
  /** Where its chunks are. */
  url: string;
  kind: PointLookup['kind'];
  snaps: boolean;
  isSharded: boolean;
  /**
   * Finds the chunks of points, part by part.
   * @param points Three coordinates per point, NaN if there is no point.
   * @param status One status per point: `invalidPoint` and `outOfBounds` are written.
   * @param integers Which coordinates name voxels, one byte for each.
   */
  cellsOf(points: Float64Array, status: Uint8Array, integers: Uint8Array | undefined): Iterable<Float64Array>;
  /** Finds the minishard of each cell of a sharded volume. */
  minishardsOf(cells: ArrayLike<number>): Float64Array;
  sample(cells: readonly number[], options: { atOnce: number; signal: AbortSignal }): Promise<ChunkSample>;
}

/** What a look-up in one volume is expected to cost. */
export interface VolumeEstimate {
  name: string | null;
  url: string;
  /** The number of points that are in the volume, and of those that are not looked up, by status. */
  inside: number;
  statuses: Record<string, number>;
  /** The distinct chunks of its points. */
  chunks: number;
  /** Whether `chunks` is an estimate: there are more than two million. */
  chunksAreEstimated: boolean;
  sample: {
    /** The chunks that were read: how many are stored, are not, are in the disk cache, and failed. */
    stored: number;
    missing: number;
    cached: number;
    failed: number;
    requests: number;
    bytes: number;
    /** The mean stored bytes of a chunk, 0 for one that is missing; null if none could be read. */
    meanBytes: number | null;
    /** The mean time of a chunk, and how many were read at once. */
    meanMs: number | null;
    atOnce: number;
    errors: readonly string[];
  };
  /** Requests for chunks and the indices of shards. Of a sharded volume, an upper bound. */
  requests: number;
  /** The bytes of those requests; null if no chunk could be sampled. */
  bytes: number | null;
  /** The seconds of those requests, as fast as the sample; null if no chunk could be sampled. */
  seconds: number | null;
  /** Upper bounds; null if no roots are looked up. `requestsAtMost` is null if rows have their own timestamps. */
  roots: { distinctSupervoxelsAtMost: number; requestsAtMost: number | null } | null;
}

/** What a look-up of a table is expected to cost. */
export interface LookupEstimate {
  rows: number;
  /** The points of all rows. */
  points: number;
  volumes: VolumeEstimate[];
  /** The sums over all volumes; null if one is not known. */
  total: {
    chunks: number;
    requests: number;
    bytes: number | null;
    rootRequestsAtMost: number | null;
    seconds: number | null;
  };
  /** The seconds that reading the table took. */
  tableSeconds: number;
  /** The names of the fields that are estimates, and of those that are upper bounds. */
  estimates: string[];
  upperBounds: string[];
  /** What the figures assume, as sentences. */
  assumptions: string[];
}
