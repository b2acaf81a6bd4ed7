/** The log of merges, splits, undos and redos. Source: PyChunkedGraph, pychunkedgraph/graph/operation.py. */
import { EditError } from './edit-error.ts';
import type { Edge } from './edge-table.ts';
import type { ChooseRootId } from './build-ancestors.ts';

export const STATUS = { success: 0, created: 1, exception: 2 } as const;

/** Where an edit was asked for: voxels of the graph's mip, xyz. */
export interface EditCoords {
  /** The source points. */
  sourceCoords?: readonly (readonly number[])[];
  /** The sink points. */
  sinkCoords?: readonly (readonly number[])[];
}

/** One entry of the mocked graph's operation log. */
export interface MockOperation extends EditCoords {
  /** The ID of the operation, from 1. */
  id: number;
  /** What kind of edit it is. */
  kind: 'merge' | 'split' | 'multicut' | 'undo' | 'redo';
  /** The operation undone or redone. */
  of?: number;
  /** The ID of the user. */
  user: string;
  /** Of the lock: since when its nodes are valid. */
  timeMs: number;
  /** When the log entry got its result. */
  writtenMs: number;
  /** 0 for success, 1 while the edit runs, 2 for an exception. */
  status: (typeof STATUS)[keyof typeof STATUS];
  /** The message of the exception; empty for none. */
  exception: string;
  /** The edges that the edit added, by node number. */
  added?: readonly Edge[];
  /** The edges that the edit removed, by node number. */
  removed?: readonly Edge[];
  /** The sources of a multicut, by node number. */
  sources?: readonly number[];
  /** The sinks of a multicut, by node number. */
  sinks?: readonly number[];
  /** New roots, as nodes. */
  roots: readonly number[];
}

export interface EditContext extends EditCoords {
  user: string;
  timeMs: number;
  nameRoot?: ChooseRootId;
}

export class OperationLog {
  /** By ID, from 1 up. */
  readonly operations: MockOperation[] = [];

  /** @throws EditError FAILED for an unknown one. */
  find(id: number): MockOperation {
    const operation = this.operations[id - 1] as MockOperation | undefined;
    if (!operation) throw new EditError('FAILED', 'Could not determine graph operation type.');
    return operation;
  }

  /** An entry for what has begun: it takes the next ID, whatever becomes of it. */
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
