/**
 * The operation log: merges, splits, undos and redos. Source: PyChunkedGraph,
 * pychunkedgraph/graph/operation.py.
 */
import { EditError } from './edit-error.ts';
import type { Edge } from './edge-table.ts';
import type { ChooseRootId } from './build-ancestors.ts';

/** The states of an operation, as the real server stores them. */
export const STATUS = { success: 0, created: 1, exception: 2 } as const;

/** The points of an edit, as the user gave them: xyz each, in voxels of the graph's mip. */
export interface EditCoords {
  /** Points of the sources. @default none */
  sourceCoords?: readonly (readonly number[])[];
  /** Points of the sinks. @default none */
  sinkCoords?: readonly (readonly number[])[];
}

/**
 * An entry of the operation log. Supervoxels and roots are nodes of the graph: `graph.nodes.idOf(node)` is
 * their ID.
 */
export interface MockOperation extends EditCoords {
  /** Operation ID, from 1. */
  id: number;
  /** A split by points is a `multicut`; a `split` names its edges. */
  kind: 'merge' | 'split' | 'multicut' | 'undo' | 'redo';
  /** ID of the operation that was undone or redone. */
  of?: number;
  /** ID of the user. */
  user: string;
  /** Timestamp of the edit in milliseconds since 1970: its nodes are valid from then on. */
  timeMs: number;
  /** When the edit was done, in milliseconds since 1970. */
  writtenMs: number;
  /** 0 success, 1 created, 2 exception. */
  status: (typeof STATUS)[keyof typeof STATUS];
  /** Message of the exception; empty when there was none. */
  exception: string;
  /** Edges that the operation was to add. */
  added?: readonly Edge[];
  /** Edges that the operation was to remove. */
  removed?: readonly Edge[];
  /** Source supervoxels of a multicut. */
  sources?: readonly number[];
  /** Sink supervoxels of a multicut. */
  sinks?: readonly number[];
  /** The roots that the operation made. */
  roots: readonly number[];
}

/** Who makes an edit, when, and where. */
export interface EditContext extends EditCoords {
  user: string;
  timeMs: number;
  nameRoot?: ChooseRootId;
}

/** The operations of a graph. */
export class OperationLog {
  /** In the order of their IDs, which count from 1. */
  readonly operations: MockOperation[] = [];

  /** The operation with an ID. @throws EditError FAILED for an unknown ID. */
  find(id: number): MockOperation {
    const operation = this.operations[id - 1] as MockOperation | undefined;
    if (!operation) throw new EditError('FAILED', 'Could not determine graph operation type.');
    return operation;
  }

  /** Adds an entry for an operation that begins. It keeps its ID even if it fails. */
  open(
    kind: MockOperation['kind'],
    { user, timeMs, sourceCoords, sinkCoords }: EditContext,
    details: Partial<MockOperation>,
  ): MockOperation {
    const isFresh = kind !== 'undo' && kind !== 'redo';
    const coords = isFresh
      ? { ...(sourceCoords ? { sourceCoords } : {}), ...(sinkCoords ? { sinkCoords } : {}) }
      : {};
    const operation: MockOperation = {
      id: this.operations.length + 1,
      kind,
      user,
      timeMs,
      writtenMs: timeMs,
      status: STATUS.created,
      exception: '',
      roots: [],
      ...coords,
      ...details,
    };
    this.operations.push(operation);
    return operation;
  }
}
