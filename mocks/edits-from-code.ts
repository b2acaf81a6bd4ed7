/** Edits that a test makes by a call of the mocked chunkedgraph, without HTTP. */
import type { TableContext } from './endpoints/endpoint.ts';
import { toMs, type Id, type MockTimestamp } from './graph-description.ts';
import type { EditContext } from './graph/operation-log.ts';
import { NOTHING, type EditOutcome } from './graph/editor.ts';

/** When an edit is made and by whom. */
export interface MockEditOptions {
  /** Timestamp of the edit, not before the newest edit. @default the server's clock */
  at?: MockTimestamp;
  /** ID of the user. @default '0' */
  user?: string;
}

/** What an edit changed. */
export interface MockEditResult {
  /** ID of the operation; null when an undo or redo had nothing to change. */
  operationId: number | null;
  /** Root IDs that the edit replaced. */
  oldRootIds: bigint[];
  /** Root IDs that the edit made. */
  newRootIds: bigint[];
  /** IDs of the layer-2 nodes that the edit made. */
  newLayer2Ids: bigint[];
}

/** What the split of a supervoxel changed. */
export interface MockSupervoxelSplit extends MockEditResult {
  /** IDs of the parts, in the order of their numbers. */
  supervoxelIds: bigint[];
}

/** How a supervoxel is split. */
export interface MockSupervoxelSplitOptions extends MockEditOptions {
  /**
   * Whether the edit that separates the parts follows at once. Without it, the voxels and the rows have changed
   * and the parts are still in one object, as after an edit that did not end.
   * @default true
   */
  separate?: boolean;
}

/** The edits of a {@link MockChunkedGraph}. Each is made at once and gets the next operation ID. */
export interface EditsFromCode {
  /**
   * Joins the objects of two supervoxels.
   * @throws EditError REFUSED when both are in one object.
   * @throws RangeError for an unknown supervoxel, or a timestamp before the newest edit.
   */
  merge(supervoxels: readonly [Id, Id], options?: MockEditOptions): MockEditResult;
  /**
   * Removes edges of one object. With sources and sinks it removes the edges that the option `multicuts`
   * lists for them.
   * @throws EditError REFUSED for supervoxels of several objects, FAILED when no multicut is listed.
   * @throws RangeError for an unknown supervoxel, or a timestamp before the newest edit.
   */
  split(
    cut: { edges: readonly (readonly [Id, Id])[] } | { sources: readonly Id[]; sinks: readonly Id[] },
    options?: MockEditOptions,
  ): MockEditResult;
  /**
   * Splits a supervoxel and separates its parts. Only with the option `splitVoxels`.
   * @param partOf The part of a voxel: 0, 1 and so on.
   * @throws RangeError for an unknown supervoxel, less than two parts, or a timestamp before the newest edit;
   *   TypeError where supervoxels cannot split.
   */
  splitSupervoxel(
    supervoxel: Id,
    partOf: (x: number, y: number, z: number) => number,
    options?: MockSupervoxelSplitOptions,
  ): MockSupervoxelSplit;
  /** Undoes an operation. @throws EditError FAILED for an unknown operation. */
  undo(operationId: number, options?: MockEditOptions): MockEditResult;
  /** Makes the changes of an operation again. @throws EditError FAILED for an unknown operation. */
  redo(operationId: number, options?: MockEditOptions): MockEditResult;
}

/** The edits as functions of one table. */
export function editsFromCode({ graph, editor, nextEditMs, splitSupervoxel }: TableContext): EditsFromCode {
  const supervoxel = (id: Id): number => graph.supervoxel(BigInt(id));
  const ids = (nodes: readonly number[]): bigint[] => [...graph.nodes.idsOf(nodes)];
  const edit = (
    { at, user = '0' }: MockEditOptions,
    carryOut: (context: EditContext) => EditOutcome,
  ): MockEditResult => {
    const timeMs = at === undefined ? nextEditMs() : toMs(at);
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
    splitSupervoxel: (id, partOf, { separate = true, ...how } = {}) => {
      if (!splitSupervoxel) throw new TypeError('supervoxels of this graph cannot split');
      let supervoxelIds: bigint[] = [];
      const edited = edit(how, (context) => {
        supervoxelIds = splitSupervoxel(BigInt(id), partOf, context.timeMs);
        const parts = supervoxelIds.map(supervoxel);
        return separate ? editor.split(parts.slice(0, -1), parts.slice(1), context) : NOTHING;
      });
      return { ...edited, supervoxelIds };
    },
    undo: (id, how = {}) => edit(how, (context) => editor.undo(id, context)),
    redo: (id, how = {}) => edit(how, (context) => editor.redo(id, context)),
  };
}
