/**
 * Merges, splits, undos and redos with their log, as the real server carries them out: what they add and remove, what they refuse,
 * which of them use up an operation ID.
 * Source: PyChunkedGraph, pychunkedgraph/graph/operation.py.
 */
import type { GraphInfo } from './id-layout.ts';
import { edgesToActivate, isActive, isKnown, knownDirections } from './local-edges.ts';
import { chunkBox, supervoxelsOf, type ChunkBox } from './subtree.ts';
import type { Edge } from './edge-table.ts';
import type { AppliedEdit, NameRoot, TimedGraph } from './timed-graph.ts';

/** REFUSED: what the server answers with status 400; FAILED: with 500. */
export class EditError extends Error {
  override readonly name = 'EditError';
  constructor(
    readonly code: 'REFUSED' | 'FAILED',
    message: string,
  ) {
    super(message);
  }
}

export const STATUS = { success: 0, created: 1, exception: 2 } as const;

/** Padding of the box in which an edit looks for edges, voxels. */
export const BOX_OFFSET = [240, 240, 24] as const;

export interface Operation {
  id: number;
  kind: 'merge' | 'split' | 'multicut' | 'undo' | 'redo';
  /** The operation undone or redone. */
  of?: number;
  user: string;
  /** Of the lock: since when its nodes are valid. */
  timeMs: number;
  /** When the log entry got its result. */
  writtenMs: number;
  status: (typeof STATUS)[keyof typeof STATUS];
  exception: string;
  added?: readonly Edge[];
  removed?: readonly Edge[];
  sources?: readonly number[];
  sinks?: readonly number[];
  /** Voxels of the graph's mip, xyz. */
  sourceCoords?: readonly (readonly number[])[];
  sinkCoords?: readonly (readonly number[])[];
  /** New roots, as nodes. */
  roots: readonly number[];
}

/** Edges to remove between sources and sinks; undefined when nobody has said which. */
export type Multicut = (sources: readonly number[], sinks: readonly number[]) => Edge[] | undefined;

export interface EditContext {
  user: string;
  /** At which moment. */
  timeMs: number;
  sourceCoords?: readonly (readonly number[])[];
  sinkCoords?: readonly (readonly number[])[];
  nameRoot?: NameRoot;
}

/** `operation` is null for an undo of what is undone already, which changes nothing. */
export interface Edited extends AppliedEdit {
  operation: Operation | null;
}

const NOTHING: Edited = { operation: null, oldRoots: [], newRoots: [], newLayer2: [] };

export class Editor {
  /** By ID, from 1 up. */
  readonly operations: Operation[] = [];

  constructor(
    readonly graph: TimedGraph,
    readonly info: GraphInfo,
    readonly multicut: Multicut,
  ) {}

  /** One edge between two objects, or in its place those that are known between them nearby. */
  merge(edge: Edge, context: EditContext): Edited {
    if (edge[0] === edge[1]) throw new EditError('REFUSED', 'Requested merge contains at least 1 self-loop.');
    this.#rootsOf(edge);
    const operation = this.#open('merge', context, { added: [edge] });
    return this.#close(operation, context, { added: this.#edgesOfMerge(operation) });
  }

  /** Removes exactly the edges between sources and sinks, pair by pair. */
  split(sources: readonly number[], sinks: readonly number[], context: EditContext): Edited {
    if (sources.length !== sinks.length)
      throw new EditError('REFUSED', 'Split operation require the same number of source and sink IDs');
    if (sources.length === 0)
      throw new EditError('FAILED', 'index 1 is out of bounds for axis 1 with size 0');
    const removed = sources.map((source, k) => [source, sinks[k]] as const);
    this.#wantOneObject(removed);
    return this.#close(this.#open('split', context, { removed }), context, { removed });
  }

  /** Removes what the given multicut says. */
  cut(sources: readonly number[], sinks: readonly number[], context: EditContext): Edited {
    if (sources.some((source) => sinks.includes(source)))
      throw new EditError(
        'REFUSED',
        'Supervoxels exist in both sink and source, try placing the points further apart.',
      );
    if (this.#rootsOf([...sources, ...sinks]).size > 1)
      throw new EditError('REFUSED', 'Supervoxels must belong to the same segment.');
    const operation = this.#open('multicut', context, { sources, sinks, removed: [] });
    const removed = (this.multicut(sources, sinks) ?? this.#noMulticut(operation)).flatMap((edge) =>
      this.#multicutRows(edge),
    );
    if (removed.length === 0) throw new EditError('FAILED', 'Mincut could not find any edges to remove.');
    operation.removed = removed;
    return this.#close(operation, context, { removed });
  }

  undo(id: number, context: EditContext): Edited {
    return this.#revisit(id, true, context);
  }

  redo(id: number, context: EditContext): Edited {
    return this.#revisit(id, false, context);
  }

  /** What a graph's maker says was done: exactly these edges. */
  replay(
    kind: Operation['kind'],
    change: { added: readonly Edge[]; removed: readonly Edge[] },
    details: Pick<Operation, 'of' | 'sources' | 'sinks'>,
    context: EditContext,
  ): Edited {
    const multicut =
      kind === 'multicut' || (details.of !== undefined && this.#operation(details.of).kind === 'multicut');
    const rows = (edges: readonly Edge[]): readonly Edge[] =>
      multicut ? edges.flatMap((edge) => this.#multicutRows(edge)) : edges;
    const added = rows(change.added),
      removed = rows(change.removed);
    const operation = this.#open(kind, context, {
      ...details,
      ...(added.length > 0 ? { added } : {}),
      ...(removed.length > 0 || added.length === 0 ? { removed } : {}),
    });
    return this.#close(operation, context, change);
  }

  #revisit(id: number, isUndo: boolean, context: EditContext): Edited {
    let operation = this.#operation(id);
    while (operation.kind === 'undo' || operation.kind === 'redo') {
      if (operation.kind === 'undo') isUndo = !isUndo;
      operation = this.#operation(operation.of!);
    }
    if (operation.status !== STATUS.success) return NOTHING;
    return isUndo ? this.#undo(operation, context) : this.#redo(operation, context);
  }

  #undo(undone: Operation, context: EditContext): Edited {
    const added = undone.added ? [] : (undone.removed ?? []);
    const removed = undone.added ? this.#activatedBy(undone, undone.added) : [];
    const edges = [...added, ...removed];
    this.#rootsOf(edges.flat());
    if (!edges.every((edge) => isKnown(this.graph, edge)))
      throw new EditError('REFUSED', 'All edges must exist.');
    if (edges.every((edge) => isActive(this.graph, edge) === added.length > 0)) return NOTHING;
    if (removed.length > 0) this.#wantOneObject(removed);
    return this.#close(
      this.#open('undo', context, { of: undone.id, ...(undone.added ? { removed } : { added }) }),
      context,
      { added, removed },
    );
  }

  #redo({ id, added, removed = [], sourceCoords, sinkCoords }: Operation, context: EditContext): Edited {
    if (!added) this.#wantOneObject(removed);
    const operation = this.#open('redo', context, { of: id, ...(added ? { added } : { removed }) });
    return this.#close(
      operation,
      context,
      added ? { added: this.#edgesOfMerge({ ...operation, sourceCoords, sinkCoords }) } : { removed },
    );
  }

  /** Edges that make a merge, once it has its operation ID. */
  #edgesOfMerge(operation: Pick<Operation, 'id' | 'added' | 'sourceCoords' | 'sinkCoords'>): readonly Edge[] {
    const added = operation.added!;
    if (this.#rootsOf(added.flat()).size < 2)
      throw new EditError('REFUSED', 'Supervoxels must belong to different objects.');
    if (added.length > 1 || this.graph.options.exact) return added;
    const nearby = this.#nearby(this.#rootsOf(added.flat()), operation);
    const known = edgesToActivate(this.graph, nearby, added[0], Infinity)!;
    return known.length > 0 ? known : added;
  }

  /** Edges that a merge made active, as things were just before it. */
  #activatedBy(merge: Operation, added: readonly Edge[]): readonly Edge[] {
    if (added.length !== 1 || this.graph.options.exact) return added;
    const beforeMs = merge.timeMs - 100;
    const roots = new Set(
      added[0].map((end) => this.graph.ancestorAt(end, this.graph.layout.layers, beforeMs)),
    );
    if (roots.has(-1)) throw new EditError('FAILED', 'roots not found for some IDs');
    if (roots.size < 2) throw new EditError('FAILED', 'More than one segment is required for merge.');
    const known = edgesToActivate(this.graph, this.#nearby(roots, merge), added[0], beforeMs) ?? [];
    return known.length > 0 ? known : added;
  }

  #nearby(roots: Iterable<number>, coords: Pick<Operation, 'sourceCoords' | 'sinkCoords'>): number[] {
    const box = this.boxAround(coords);
    return [...roots].flatMap((root) => supervoxelsOf(this.graph, root, box));
  }

  /** Where an edit looks for edges; everywhere when it has no coordinates. */
  boxAround({
    sourceCoords,
    sinkCoords,
  }: Pick<Operation, 'sourceCoords' | 'sinkCoords'>): ChunkBox | undefined {
    if (!sourceCoords || !sinkCoords) return undefined;
    const coords = [...sourceCoords, ...sinkCoords];
    const side = (pick: (...values: number[]) => number, sign: number): number[] =>
      [0, 1, 2].map((axis) => pick(...coords.map((voxel) => voxel[axis])) + sign * BOX_OFFSET[axis]);
    return chunkBox(this.info, side(Math.min, -1), side(Math.max, 1));
  }

  #wantOneObject(edges: readonly Edge[]): void {
    if (edges.some(([a, b]) => a === b))
      throw new EditError('REFUSED', 'Requested split contains at least 1 self-loop.');
    if (this.#rootsOf(edges.flat()).size > 1)
      throw new EditError('REFUSED', 'Supervoxels must belong to the same object.');
  }

  #rootsOf(supervoxels: readonly number[]): Set<number> {
    return new Set(supervoxels.map((supervoxel) => this.graph.rootNow(supervoxel)));
  }

  /** The real server's mincut names an edge within a graph chunk twice, one between two chunks four times from each end. */
  #multicutRows(edge: Edge): Edge[] {
    const known = knownDirections(this.graph, edge);
    return known.flatMap((direction) => Array<Edge>(2 * known.length).fill(direction));
  }

  #operation(id: number): Operation {
    const operation = this.operations[id - 1] as Operation | undefined;
    if (!operation) throw new EditError('FAILED', 'Could not determine graph operation type.');
    return operation;
  }

  #noMulticut(operation: Operation): never {
    const ids = (nodes: readonly number[]): string => [...this.graph.nodes.idsOf(nodes)].join(', ');
    operation.status = STATUS.exception;
    operation.exception = `the mock has no multicut between ${ids(operation.sources!)} and ${ids(operation.sinks!)}: say which edges it removes in the option multicuts`;
    throw new EditError('FAILED', operation.exception);
  }

  #open(
    kind: Operation['kind'],
    { user, timeMs, sourceCoords, sinkCoords }: EditContext,
    details: Partial<Operation>,
  ): Operation {
    const isFresh = kind !== 'undo' && kind !== 'redo';
    const coords = isFresh
      ? { ...(sourceCoords ? { sourceCoords } : {}), ...(sinkCoords ? { sinkCoords } : {}) }
      : {};
    const operation: Operation = {
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

  #close(
    operation: Operation,
    { timeMs, nameRoot }: EditContext,
    { added = [], removed = [] }: { added?: readonly Edge[]; removed?: readonly Edge[] },
  ): Edited {
    const applied = this.graph.apply({ timeMs, added, removed, operation: operation.id, nameRoot });
    operation.roots = applied.newRoots;
    operation.status = STATUS.success;
    return { operation, ...applied };
  }
}
