/**
 * Merges, splits, undos and redos with their log, as the real server carries them out: what they add and remove, what they refuse,
 * which of them use up an operation ID.
 * Source: PyChunkedGraph, pychunkedgraph/graph/operation.py.
 */
import { EditError } from './edit-error.ts';
import type { Edge } from './edge-table.ts';
import type { MockGraphInfo } from './node-id-layout.ts';
import { isActive, isKnown, knownDirections } from './local-edges.ts';
import { edgesAddedBy, edgesToAdd } from './merge-edges.ts';
import { OperationLog, STATUS, type EditContext, type MockOperation } from './operation-log.ts';
import type { AppliedEdit, TimedGraph } from './timed-graph.ts';

/** Edges to remove between sources and sinks; undefined when nobody has said which. */
export type Multicut = (sources: readonly number[], sinks: readonly number[]) => Edge[] | undefined;

/** `operation` is null for an undo of what is undone already, which changes nothing. */
export interface EditOutcome extends AppliedEdit {
  operation: MockOperation | null;
}

const NOTHING: EditOutcome = { operation: null, oldRoots: [], newRoots: [], newLayer2: [] };

export class Editor {
  readonly #log = new OperationLog();

  constructor(
    readonly graph: TimedGraph,
    readonly info: MockGraphInfo,
    readonly multicut: Multicut,
  ) {}

  /** By ID, from 1 up. */
  get operations(): readonly MockOperation[] {
    return this.#log.operations;
  }

  /** One edge between two objects, or in its place those that are known between them nearby. */
  merge(edge: Edge, context: EditContext): EditOutcome {
    if (edge[0] === edge[1]) throw new EditError('REFUSED', 'Requested merge contains at least 1 self-loop.');
    const operation = this.#log.open('merge', context, { added: [edge] });
    return this.#close(operation, context, { added: edgesToAdd(this.graph, this.info, [edge], context) });
  }

  /** Removes exactly the edges between sources and sinks, pair by pair. */
  split(sources: readonly number[], sinks: readonly number[], context: EditContext): EditOutcome {
    if (sources.length !== sinks.length)
      throw new EditError('REFUSED', 'Split operation require the same number of source and sink IDs');
    if (sources.length === 0)
      throw new EditError('FAILED', 'index 1 is out of bounds for axis 1 with size 0');
    const removed = sources.map((source, k) => [source, sinks[k]] as const);
    this.#wantOneObject(removed);
    return this.#close(this.#log.open('split', context, { removed }), context, { removed });
  }

  /** Removes what the given multicut says. */
  cut(sources: readonly number[], sinks: readonly number[], context: EditContext): EditOutcome {
    if (sources.some((source) => sinks.includes(source)))
      throw new EditError(
        'REFUSED',
        'Supervoxels exist in both sink and source, try placing the points further apart.',
      );
    if (this.graph.rootsNow([...sources, ...sinks]).size > 1)
      throw new EditError('REFUSED', 'Supervoxels must belong to the same segment.');
    const operation = this.#log.open('multicut', context, { sources, sinks, removed: [] });
    const removed = (this.multicut(sources, sinks) ?? this.#noMulticut(operation)).flatMap((edge) =>
      this.#multicutRows(edge),
    );
    if (removed.length === 0) throw new EditError('FAILED', 'Mincut could not find any edges to remove.');
    operation.removed = removed;
    return this.#close(operation, context, { removed });
  }

  undo(id: number, context: EditContext): EditOutcome {
    return this.#revisit(id, true, context);
  }

  redo(id: number, context: EditContext): EditOutcome {
    return this.#revisit(id, false, context);
  }

  /** What a graph's maker says was done: exactly these edges. */
  replay(
    kind: MockOperation['kind'],
    change: { added: readonly Edge[]; removed: readonly Edge[] },
    details: Pick<MockOperation, 'of' | 'sources' | 'sinks'>,
    context: EditContext,
  ): EditOutcome {
    const multicut =
      kind === 'multicut' || (details.of !== undefined && this.#log.find(details.of).kind === 'multicut');
    const rows = (edges: readonly Edge[]): readonly Edge[] =>
      multicut ? edges.flatMap((edge) => this.#multicutRows(edge)) : edges;
    const added = rows(change.added),
      removed = rows(change.removed);
    const operation = this.#log.open(kind, context, {
      ...details,
      ...(added.length > 0 ? { added } : {}),
      ...(removed.length > 0 || added.length === 0 ? { removed } : {}),
    });
    return this.#close(operation, context, change);
  }

  #revisit(id: number, isUndo: boolean, context: EditContext): EditOutcome {
    let operation = this.#log.find(id);
    while (operation.kind === 'undo' || operation.kind === 'redo') {
      if (operation.kind === 'undo') isUndo = !isUndo;
      operation = this.#log.find(operation.of!);
    }
    if (operation.status !== STATUS.success) return NOTHING;
    return isUndo ? this.#undo(operation, context) : this.#redo(operation, context);
  }

  #undo(undone: MockOperation, context: EditContext): EditOutcome {
    const added = undone.added ? [] : (undone.removed ?? []);
    const removed = undone.added ? edgesAddedBy(this.graph, this.info, undone.added, undone) : [];
    const edges = [...added, ...removed];
    if (!edges.every((edge) => isKnown(this.graph, edge)))
      throw new EditError('REFUSED', 'All edges must exist.');
    if (edges.every((edge) => isActive(this.graph, edge) === added.length > 0)) return NOTHING;
    if (removed.length > 0) this.#wantOneObject(removed);
    return this.#close(
      this.#log.open('undo', context, { of: undone.id, ...(undone.added ? { removed } : { added }) }),
      context,
      { added, removed },
    );
  }

  #redo(redone: MockOperation, context: EditContext): EditOutcome {
    const { id, added, removed = [] } = redone;
    if (!added) this.#wantOneObject(removed);
    const operation = this.#log.open('redo', context, { of: id, ...(added ? { added } : { removed }) });
    const change = added ? { added: edgesToAdd(this.graph, this.info, added, redone) } : { removed };
    return this.#close(operation, context, change);
  }

  #wantOneObject(edges: readonly Edge[]): void {
    if (edges.some(([a, b]) => a === b))
      throw new EditError('REFUSED', 'Requested split contains at least 1 self-loop.');
    if (this.graph.rootsNow(edges.flat()).size > 1)
      throw new EditError('REFUSED', 'Supervoxels must belong to the same object.');
  }

  /** The real server's mincut names an edge within a graph chunk twice, one between two chunks four times from each end. */
  #multicutRows(edge: Edge): Edge[] {
    const known = knownDirections(this.graph, edge);
    return known.flatMap((direction) => Array<Edge>(2 * known.length).fill(direction));
  }

  #noMulticut(operation: MockOperation): never {
    const ids = (nodes: readonly number[]): string => [...this.graph.nodes.idsOf(nodes)].join(', ');
    operation.status = STATUS.exception;
    operation.exception = `the mock has no multicut between ${ids(operation.sources!)} and ${ids(operation.sinks!)}: say which edges it removes in the option multicuts`;
    throw new EditError('FAILED', operation.exception);
  }

  #close(
    operation: MockOperation,
    { timeMs, nameRoot }: EditContext,
    { added = [], removed = [] }: { added?: readonly Edge[]; removed?: readonly Edge[] },
  ): EditOutcome {
    const applied = this.graph.apply({ timeMs, added, removed, operation: operation.id, nameRoot });
    operation.roots = applied.newRoots;
    operation.status = STATUS.success;
    return { operation, ...applied };
  }
}
