/** What a mocked chunkedgraph is described with. */
import type { MockGraphInfo } from './graph/node-id-layout.ts';
import type { MockOperation } from './graph/operation-log.ts';

/** Decimal text or a bigint; a number would already be rounded. */
export type Id = string | bigint;

/** Unix seconds, ISO 8601 (no zone is UTC) or a Date; whole milliseconds count. */
export type MockTimestamp = number | string | Date;

/** One edit of a described graph: one of `merge`, `split` and `edges`. */
export interface GraphEdit {
  /** When the edit takes effect. */
  timestamp: MockTimestamp;
  /** One new edge between two supervoxels. */
  merge?: readonly [Id, Id];
  /**
   * Supervoxels that end up apart: every edge between two of the groups is removed, and each group is held together by new
   * edges. What is not named stays with what it touches.
   */
  split?: readonly (readonly Id[])[];
  /** Exactly what is added and removed. */
  edges?: {
    /** Edges that appear, as pairs of supervoxels. */
    added?: readonly (readonly Id[])[];
    /** Edges that disappear, as pairs of supervoxels. */
    removed?: readonly (readonly Id[])[];
  };
  /** Names of the new roots, in the order of their smallest supervoxels. @default the next free IDs */
  new_root_ids?: readonly Id[];
  /** For the operation log. @default 'merge' when edges are added, else 'split' */
  type?: MockOperation['kind'];
  /** The operation that this one undoes or redoes; operations count from 1. */
  of?: number;
  /** ID of the user, for the operation log. @default '0' */
  user?: string;
  /** Where the edit was asked for, voxels of the graph's mip, xyz. */
  source_coords?: readonly (readonly number[])[];
  /** The sinks of the edit, as `source_coords`. */
  sink_coords?: readonly (readonly number[])[];
  /** What a multicut was to take apart. */
  source_ids?: readonly Id[];
  /** The sinks of the multicut, as `source_ids`. */
  sink_ids?: readonly Id[];
}

/** `active: false` is an edge that is known and does not stand: merges and undos may use it. */
export interface DescribedEdge {
  /** The two supervoxels. */
  between: readonly Id[];
  /** @default true */
  active?: boolean;
  /** @default 1 */
  affinity?: number;
  /** In voxels. @default 1 */
  area?: number;
}

/**
 * A graph, described by its supervoxels, its edges and its edits: what `createMockChunkedGraph` and
 * `graphene-points mock --graph` read.
 */
export interface GraphDescription {
  /** As the server would answer it; `{DATA_DIR}` in `data_dir` stands for the option `dataDir`. */
  info: MockGraphInfo;
  /** Root ID at base by supervoxel: the whole graph in one table. */
  supervoxel_to_root?: Readonly<Record<string, Id>>;
  /** In place of the table: all supervoxels. A BigUint64Array is by far the quickest. */
  supervoxels?: Iterable<Id>;
  /** Root IDs at base, parallel to `supervoxels`. @default the next free IDs */
  roots?: Iterable<Id>;
  /**
   * Edges at base; a BigUint64Array holds pairs, flat.
   * @default each root's supervoxels in a row, so that those in one graph chunk are one layer-2 node
   */
  edges?: BigUint64Array | readonly (readonly Id[] | DescribedEdge)[];
  /** Before this moment there is no graph. @default 0 (1970) */
  base_timestamp?: MockTimestamp;
  /** In the order of their times. */
  edits?: readonly GraphEdit[];
  /** Names: the root of every supervoxel (parallel lists) at base and right after edits. Goes before `roots` and `new_root_ids`. */
  epochs?: readonly {
    /** From when on the roots have these names. */
    timestamp: MockTimestamp;
    /** The root of each supervoxel. */
    root: readonly Id[];
  }[];
}

export function toMs(moment: MockTimestamp): number {
  const ms =
    typeof moment === 'number'
      ? Math.floor(Math.round(moment * 1e6) / 1e3)
      : new Date(
          typeof moment === 'string' && !/(Z|[+-]\d\d:?\d\d)$/.test(moment) ? `${moment}Z` : moment,
        ).getTime();
  if (!Number.isFinite(ms)) throw new RangeError(`${String(moment)} is no moment`);
  return ms;
}
