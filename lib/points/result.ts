/** The shapes of answers. */
import type { ValueArray } from '../precomputed/data-type.ts';

export interface LookupStats {
  /** Points or IDs asked for. */
  points: number;
  /** Distinct chunks those points touch, and with `snap` each time one more was looked into for a nearer label. */
  chunks: number;
  /** Storage requests this call caused; a read shared with another call counts where it was asked first. */
  requests: number;
  /** Stored bytes those requests brought. */
  bytes: number;
  /** Chunks answered from the LRU, or by joining a read another call had under way. */
  cacheHits: number;
  /** 403 answers taken for absent chunks of a public bucket. */
  absentBy403: number;
  /** Root look-up requests this call took part in. */
  rootRequests: number;
  /** Distinct supervoxels whose root was asked. */
  distinctSupervoxels: number;
  /** With a root cache only: IDs whose root it gave. */
  rootCacheHits?: number;
  /** Wall time in milliseconds by stage. */
  ms: { plan: number; chunks: number; roots: number; total: number };
}

export interface Row {
  index: number;
  /** Text form: `ok`, `out_of_bounds`, … */
  status: string;
  /** Why, for `failed` and `root_failed`. */
  error?: Error;
  /** With `snap` only: nanometres to the voxel whose label this is; 0 for the point's own voxel, NaN where there is no label. */
  snappedNm?: number;
}

export interface SupervoxelRow extends Row {
  supervoxelId: bigint;
}

export interface RootRow extends SupervoxelRow {
  rootId: bigint;
}

export interface ValueRow extends Row {
  /** One value a channel. */
  values: (number | bigint)[];
}

/** Answers in the order asked, one a point; 0 wherever there is none. */
interface Answers<R extends Row> {
  /** {@link PointStatus} codes. */
  status: Uint8Array;
  stats: LookupStats;
  /** With `snap` only: nanometres to the voxel whose label this is; 0 for the point's own voxel, NaN where there is no label. */
  snappedNm?: Float32Array;
  /** The same, a row at a time, for people and small loops. */
  rows(): IterableIterator<R>;
}

export interface SupervoxelResult extends Answers<SupervoxelRow> {
  supervoxelIds: BigUint64Array;
}

export interface PointsResult extends Answers<RootRow> {
  supervoxelIds: BigUint64Array;
  rootIds: BigUint64Array;
  /** The one instant all roots are of. */
  timestamp: Date;
  /** Whether they are final: edits may still appear at moments younger than the volume's `settleMs`. */
  settled: boolean;
}

export interface RootsResult extends Answers<RootRow> {
  rootIds: BigUint64Array;
  timestamp: Date;
  /** Whether they are final: edits may still appear at moments younger than the volume's `settleMs`. */
  settled: boolean;
}

export interface ValuesResult extends Answers<ValueRow> {
  /** `values[i * channels + c]`, in the volume's type. */
  values: ValueArray;
}
