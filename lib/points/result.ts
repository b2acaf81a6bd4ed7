/** The shapes of the results of point and root look-ups, and statistics of nothing. */
import type { ValueArray } from '../precomputed/data-type.ts';

/** What one call read and requested, and how long it took. */
export interface LookupStats {
  /** Number of points or IDs of the call. */
  points: number;
  /** Number of distinct chunks of the points. With `snap`, each search of a neighbour chunk counts too. */
  chunks: number;
  /** Storage requests of this call. A read that several calls share counts for the call that started it. */
  requests: number;
  /** Stored bytes that those requests returned. */
  bytes: number;
  /** Chunks that came from the memory cache, or from a read that another call had in flight. */
  cacheHits: number;
  /** Chunks of a public bucket that were treated as absent because the answer was 403. */
  absentBy403: number;
  /** Root requests that this call shared in. */
  rootRequests: number;
  /** Number of distinct supervoxels whose root was looked up. */
  distinctSupervoxels: number;
  /** Number of IDs whose root came from the root cache. Present only with a root cache. */
  rootCacheHits?: number;
  /** Wall time in milliseconds, by stage. */
  ms: {
    /** Grouping the points by chunk. */
    plan: number;
    /** Reading chunks and decoding values. */
    chunks: number;
    /** Looking up roots. */
    roots: number;
    /** The whole call. */
    total: number;
  };
}

/** Returns statistics with all numbers 0. */
export const emptyStats = (): LookupStats => ({
  points: 0,
  chunks: 0,
  requests: 0,
  bytes: 0,
  cacheHits: 0,
  absentBy403: 0,
  rootRequests: 0,
  distinctSupervoxels: 0,
  ms: { plan: 0, chunks: 0, roots: 0, total: 0 },
});

/** The fields of every row. */
export interface Row {
  /** Index of the point or ID in the caller's order. */
  index: number;
  /** The status as text: `ok`, `out_of_bounds`, … */
  status: string;
  /** The cause of `failed` and `root_failed`; undefined for every other status. */
  error?: Error;
  /**
   * Distance in nanometres from the point's voxel to the voxel whose label it has; 0 for its own label, NaN
   * without a label. Present only with `snap`.
   */
  snappedNm?: number;
}

/** The supervoxel at one point. */
export interface SupervoxelRow extends Row {
  /** 0n where there is none. */
  supervoxelId: bigint;
}

/** The supervoxel and the root of one point or ID. */
export interface RootRow extends SupervoxelRow {
  /** 0n where there is none. With `stopLayer`, the ID at that layer. */
  rootId: bigint;
}

/** The values at one point. */
export interface ValueRow extends Row {
  /** One value per channel: a bigint in volumes of 64-bit values, else a number. */
  values: (number | bigint)[];
}

/** Results in the caller's order, one per point or ID; 0 wherever there is no answer. */
interface Answers<R extends Row> {
  /** One {@link PointStatus} code per point or ID. */
  status: Uint8Array;
  /** What the call read and requested, and how long it took. */
  stats: LookupStats;
  /**
   * Distance in nanometres from each point's voxel to the voxel whose label it has; 0 for its own label, NaN
   * without a label. Present only with `snap`.
   */
  snappedNm?: Float32Array;
  /** Iterates over the same results row by row, for display and small loops. */
  rows(): IterableIterator<R>;
}

/** Supervoxels at points: what `scatteredPoints` returns with `agglomerate: false`. */
export interface SupervoxelResult extends Answers<SupervoxelRow> {
  /** One supervoxel ID per point; 0 where there is none. */
  supervoxelIds: BigUint64Array;
  /**
   * The version of the voxels that was read; `voxelsAt` reads it again. Present only where supervoxels can split.
   */
  generation?: number;
}

/** Supervoxels and roots at points: what `scatteredPoints` of a graphene volume returns. */
export interface PointsResult extends Answers<RootRow> {
  /** One supervoxel ID per point; 0 where there is none. */
  supervoxelIds: BigUint64Array;
  /** One root ID per point, or with `stopLayer` the ID at that layer; 0 where there is none. */
  rootIds: BigUint64Array;
  /** The timestamp of all roots. */
  timestamp: Date;
  /**
   * Whether the roots are final. An edit may still appear at a timestamp younger than the volume's
   * `settleMs`.
   */
  settled: boolean;
  /**
   * The version of the voxels that was read; `voxelsAt` reads it again. Present only where supervoxels can split.
   */
  generation?: number;
}

/** Roots of IDs: what `roots` of a graphene volume returns. */
export interface RootsResult extends Answers<RootRow> {
  /** One root ID per supervoxel ID, or with `stopLayer` the ID at that layer; 0 where there is none. */
  rootIds: BigUint64Array;
  /** The timestamp of all roots. */
  timestamp: Date;
  /**
   * Whether the roots are final. An edit may still appear at a timestamp younger than the volume's
   * `settleMs`.
   */
  settled: boolean;
}

/** Values at points: what `scatteredPoints` of a Precomputed volume returns. */
export interface ValuesResult extends Answers<ValueRow> {
  /**
   * Channel `c` of point `i` is `values[i * numChannels + c]`. The array has the volume's data type; with
   * `interpolate: 'linear'` it is a Float64Array.
   */
  values: ValueArray;
}
