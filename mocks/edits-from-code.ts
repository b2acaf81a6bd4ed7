/** Edits that a test makes by calling the mock, without HTTP. */
import type { TableContext } from './endpoints/endpoint.ts';
import { toMs, type Id, type MockTimestamp } from './graph-description.ts';
import type { EditContext } from './graph/operation-log.ts';
import type { EditOutcome } from './graph/editor.ts';

/** Options of an edit that a test makes. */
export interface MockEditOptions {
  /** Not before the newest edit. @default the server's now */
  at?: MockTimestamp;
  /** ID of the user. @default '0' */
  user?: string;
}

/** What an edit changed. */
export interface MockEditResult {
  /** null for an undo or redo of what is so already. */
  operationId: number | null;
  /** The roots before the edit. */
  oldRootIds: bigint[];
  /** The roots after the edit. */
  newRootIds: bigint[];
  /** The layer-2 nodes that the edit made. */
  newLayer2Ids: bigint[];
}

/** Edits that a test makes by a call, without HTTP. */
export interface EditsFromCode {
  /**
   * Joins the objects of two supervoxels.
   * @throws EditError REFUSED for two of one object.
   * @throws RangeError for what is no supervoxel, or a moment before the newest edit.
   */
  merge(supervoxels: readonly [Id, Id], options?: MockEditOptions): MockEditResult;
  /**
   * Takes away edges, or, when given sources and sinks, what the option `multicuts` says for them.
   * @throws EditError REFUSED for supervoxels of several objects, FAILED without a multicut.
   */
  split(
    cut: { edges: readonly (readonly [Id, Id])[] } | { sources: readonly Id[]; sinks: readonly Id[] },
    options?: MockEditOptions,
  ): MockEditResult;
  /** @throws EditError FAILED for an unknown operation. */
  undo(operationId: number, options?: MockEditOptions): MockEditResult;
  /** Redoes an operation that was undone. @throws EditError FAILED for an unknown operation. */
  redo(operationId: number, options?: MockEditOptions): MockEditResult;
}

export function editsFromCode({ graph, editor, nextEditMs: nextMs }: TableContext): EditsFromCode {
  const supervoxel = (id: Id): number => graph.supervoxel(BigInt(id));
  const ids = (nodes: readonly number[]): bigint[] => [...graph.nodes.idsOf(nodes)];
  const edit = (
    { at, user = '0' }: MockEditOptions,
    carryOut: (context: EditContext) => EditOutcome,
  ): MockEditResult => {
    const timeMs = at === undefined ? nextMs() : toMs(at);
    if (timeMs < graph.newestMs) throw new RangeError('edits must be given in the order of their times');
    const { operation, oldRoots, newRoots, newLayer2 } = carryOut({ user, timeMs });
    return {
      operationId: operation && operation.id,
      oldRootIds: ids(oldRoots),
      newRootIds: ids(newRoots),
      newLayer2Ids: ids(newLayer2),
    };
  };
  return {
    merge: ([a, b], how = {}) =>
      edit(how, (context) => editor.merge([supervoxel(a), supervoxel(b)], context)),
    split: (cut, how = {}) =>
      edit(how, (context) => {
        if (!('edges' in cut))
          return editor.cut(cut.sources.map(supervoxel), cut.sinks.map(supervoxel), context);
        const [from, to] = [0, 1].map((end) => cut.edges.map((edge) => supervoxel(edge[end])));
        return editor.split(from, to, context);
      }),
    undo: (id, how = {}) => edit(how, (context) => editor.undo(id, context)),
    redo: (id, how = {}) => edit(how, (context) => editor.redo(id, context)),
  };
}
