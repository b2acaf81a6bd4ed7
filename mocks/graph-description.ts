/** The types that describe a mocked chunkedgraph: its info, supervoxels, edges and edits. */
import type { MockGraphInfo } from './graph/node-id-layout.ts';
import type { MockOperation } from './graph/operation-log.ts';

/** A uint64 ID as decimal text or a bigint. A number would round it. */
export type Id = string | bigint;

/**
 * A timestamp: Unix seconds, an ISO 8601 text (UTC without a zone), or a Date. It is rounded down to
 * milliseconds.
 */
export type MockTimestamp = number | string | Date;

/** An edit that a graph is created with. It names its edges by `merge`, `split` or `edges`. */
export interface GraphEdit {
  /** When the edit was made, not before the edit listed before it. */
  timestamp: MockTimestamp;
  /** One new edge between two supervoxels. */
  merge?: readonly [Id, Id];
  /**
   * Groups of supervoxels to separate. Every edge between two groups is removed, and new edges connect each
   * group. Supervoxels in no group keep their edges.
   */
  split?: readonly (readonly Id[])[];
  /** Exactly the edges that the edit adds and removes, as pairs of supervoxels. A removed edge must exist. */
  edges?: {
    /** Edges to add. @default [] */
    added?: readonly (readonly Id[])[];
    /** Edges to remove. @default [] */
    removed?: readonly (readonly Id[])[];
  };
  /** IDs of the new roots, in the order of the roots' smallest supervoxels. @default the next free IDs */
  new_root_ids?: readonly Id[];
  /** Kind of the operation, for the operation log. @default 'merge' if no edges are removed, else 'split' */
  type?: MockOperation['kind'];
  /** ID of the operation that this one undoes or redoes. Operation IDs count from 1. */
  of?: number;
  /** ID of the user, for the operation log. @default '0' */
  user?: string;
  /** Points of the sources, as the user gave them: xyz each, in voxels of the graph's mip. */
  source_coords?: readonly (readonly number[])[];
  /** Points of the sinks, as the user gave them: xyz each, in voxels of the graph's mip. */
  sink_coords?: readonly (readonly number[])[];
  /** Source supervoxels of a multicut. */
  source_ids?: readonly Id[];
  /** Sink supervoxels of a multicut. */
  sink_ids?: readonly Id[];
}

/** An edge with its properties. */
export interface DescribedEdge {
  /** The two supervoxels. */
  between: readonly Id[];
  /**
   * `false`: the graph knows the edge, but it connects nothing. Merges and undos may activate it.
   * @default true
   */
  active?: boolean;
  /** Affinity, as the subgraph endpoint answers it. @default 1 */
  affinity?: number;
  /** Contact area in voxels. @default 1 */
  area?: number;
}

/**
 * A graph as plain data. It needs `info`, the supervoxels (`supervoxel_to_root` or `supervoxels`), and which
 * of them belong together (`supervoxel_to_root`, `roots` or `edges`).
 */
export interface GraphDescription {
  /** The info, as the server answers it. `{DATA_DIR}` in `data_dir` is replaced by the option `dataDir`. */
  info: MockGraphInfo;
  /** Root ID at base by supervoxel. It replaces `supervoxels` and `roots`. */
  supervoxel_to_root?: Readonly<Record<string, Id>>;
  /** All supervoxels, if there is no `supervoxel_to_root`. A BigUint64Array is by far the fastest. */
  supervoxels?: Iterable<Id>;
  /** Root IDs at base, one per entry of `supervoxels`. @default the next free IDs */
  roots?: Iterable<Id>;
  /**
   * Edges at base. A BigUint64Array holds pairs of supervoxels, flat.
   * @default a chain through each root's supervoxels, so that those in one graph chunk are one layer-2 node
   */
  edges?: BigUint64Array | readonly (readonly Id[] | DescribedEdge)[];
  /** When the graph was created. Before it, no supervoxel has a root. @default 0 (1970) */
  base_timestamp?: MockTimestamp;
  /** The edits so far, in the order of their timestamps. @default [] */
  edits?: readonly GraphEdit[];
  /**
   * Root IDs of all supervoxels at base or right after an edit, one per entry of `supervoxels`. They take
   * precedence over `roots` and `new_root_ids`.
   * @default []
   */
  epochs?: readonly {
    /** When the roots are valid: the base timestamp, or the timestamp of an edit. */
    timestamp: MockTimestamp;
    /** Root IDs, one per entry of `supervoxels`. */
    root: readonly Id[];
  }[];
}

/** A timestamp in whole milliseconds since 1970. @throws RangeError for text that is not a timestamp. */
export function toMs(timestamp: MockTimestamp): number {
  const ms =
    typeof timestamp === 'number'
      ? Math.floor(Math.round(timestamp * 1e6) / 1e3)
      : new Date(
          typeof timestamp === 'string' && !/(Z|[+-]\d\d:?\d\d)$/.test(timestamp)
            ? `${timestamp}Z`
            : timestamp,
        ).getTime();
  if (!Number.isFinite(ms)) throw new RangeError(`${String(timestamp)} is not a timestamp`);
  return ms;
}
