/**
 * Makes merges, splits, undos and redos, and logs them, as the real server does: which edges they add and
 * remove, what they refuse, and which of them use an operation ID. Source: PyChunkedGraph,
 * pychunkedgraph/graph/operation.py.
 */
import { EditError } from './edit-error.ts';
import type { Edge } from './edge-table.ts';
import type { MockGraphInfo } from './node-id-layout.ts';
import { isActive, isKnown, knownDirections } from './local-edges.ts';
import { edgesAddedBy, edgesToAdd } from './merge-edges.ts';
import { OperationLog, STATUS, type EditContext, type MockOperation } from './operation-log.ts';
import type { AppliedEdit, TimedGraph } from './timed-graph.ts';

/** Finds the edges to remove between sources and sinks; undefined when they are not known. */
export type Multicut = (sources: readonly number[], sinks: readonly number[]) => Edge[] | undefined;

/** What an edit changed. `operation` is null for an undo or redo that had nothing to change. */
export interface EditOutcome extends AppliedEdit {
  operation: MockOperation | null;
}

/** The outcome of an edit that had nothing to change. */
export const NOTHING: EditOutcome = { operation: null, oldRoots: [], newRoots: [], newLayer2: [] };

/** Edits one graph and keeps its operation log. */
export class Editor {
  readonly #log = new OperationLog();

  constructor(
    readonly graph: TimedGraph,
    readonly info: MockGraphInfo,
    readonly multicut: Multicut,
  ) {}

  /** The operations so far, in the order of their IDs, which count from 1. */
  get operations(): readonly MockOperation[] {
    return this.#log.operations;
  }

  /**
   * Adds an edge between two objects. Known edges between them nearby replace it, unless the graph is exact.
   */
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
    this.#requireOneObject(removed);
    return this.#close(this.#log.open('split', context, { removed }), context, { removed });
  }

  /** Removes the edges of the multicut between sources and sinks. */
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

  /** Makes an edit of the graph's description: adds and removes exactly these edges. */
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
    if (removed.length > 0) this.#requireOneObject(removed);
    return this.#close(
      this.#log.open('undo', context, { of: undone.id, ...(undone.added ? { removed } : { added }) }),
      context,
      { added, removed },
    );
  }

  #redo(redone: MockOperation, context: EditContext): EditOutcome {
    const { id, added, removed = [] } = redone;
    if (!added) this.#requireOneObject(removed);
    const operation = this.#log.open('redo', context, { of: id, ...(added ? { added } : { removed }) });
    const change = added ? { added: edgesToAdd(this.graph, this.info, added, redone) } : { removed };
    return this.#close(operation, context, change);
  }

  #requireOneObject(edges: readonly Edge[]): void {
    if (edges.some(([a, b]) => a === b))
      throw new EditError('REFUSED', 'Requested split contains at least 1 self-loop.');
    if (this.graph.rootsNow(edges.flat()).size > 1)
      throw new EditError('REFUSED', 'Supervoxels must belong to the same object.');
  }

  /**
   * The real server's mincut lists an edge within a graph chunk twice, and an edge between two chunks four
   * times from each end.
   */
  #multicutRows(edge: Edge): Edge[] {
    const known = knownDirections(this.graph, edge);
    return known.flatMap((direction) => Array<Edge>(2 * known.length).fill(direction));
  }

  #noMulticut(operation: MockOperation): never {
    const ids = (nodes: readonly number[]): string => [...this.graph.nodes.idsOf(nodes)].join(', ');
    operation.status = STATUS.exception;
    operation.exception = `the mock has no multicut between ${ids(operation.sources!)} and ${ids(operation.sinks!)}: list the edges it removes in the option multicuts`;
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
