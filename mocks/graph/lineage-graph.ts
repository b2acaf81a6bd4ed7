/** Traces which roots replaced which, as a graph. Source: PyChunkedGraph, pychunkedgraph/graph/lineage.py. */
import { reachableFrom } from './neighbours.ts';
import type { TimedGraph } from './timed-graph.ts';

function othersReachable(root: number, neighboursOf: (root: number) => number[]): Set<number> {
  const reached = reachableFrom(root, neighboursOf);
  reached.delete(root);
  return reached;
}

/**
 * Roots and the links from each to the roots that replaced it. Roots are in the order in which they were
 * found.
 */
export class RootLineage {
  /** By root, the ID of the operation that replaced it; 0 when there is none. */
  readonly operations = new Map<number, number>();
  readonly #next = new Map<number, Set<number>>();
  readonly #previous = new Map<number, Set<number>>();

  has(root: number): boolean {
    return this.#next.has(root);
  }

  add(root: number): void {
    if (this.has(root)) return;
    this.#next.set(root, new Set());
    this.#previous.set(root, new Set());
  }

  link(from: number, to: number): void {
    this.add(from);
    this.add(to);
    this.#next.get(from)!.add(to);
    this.#previous.get(to)!.add(from);
  }

  get roots(): number[] {
    return [...this.#next.keys()];
  }

  next(root: number): number[] {
    return [...this.#next.get(root)!];
  }

  previous(root: number): number[] {
    return [...this.#previous.get(root)!];
  }

  ancestors(root: number): Set<number> {
    return othersReachable(root, (other) => this.previous(other));
  }

  descendants(root: number): Set<number> {
    return othersReachable(root, (other) => this.next(other));
  }
}

/**
 * Follows roots into the past, up to and including the first roots older than `pastMs`, and into the future,
 * up to and including the first roots newer than `futureMs`.
 */
export function traceLineage(
  { nodes, lineage }: TimedGraph,
  roots: readonly number[],
  pastMs: number,
  futureMs: number,
): RootLineage {
  const graph = new RootLineage();
  const visit = (root: number): void => {
    graph.add(root);
    graph.operations.set(root, lineage.replacedBy(root)?.operation ?? 0);
  };
  let past = [...new Set(roots)],
    future = past;
  while (past.length > 0 || future.length > 0) {
    const nextPast = new Set<number>(),
      nextFuture = new Set<number>();
    for (const root of past) {
      visit(root);
      const made = lineage.madeBy(root);
      if (nodes.createdMs(root) < pastMs || !made) continue;
      for (const former of made.from) if (!graph.has(former)) nextPast.add(former);
      for (const former of made.from) graph.link(former, root);
    }
    for (const root of future) {
      visit(root);
      const replaced = lineage.replacedBy(root);
      if (nodes.createdMs(root) > futureMs || !replaced) continue;
      for (const successor of replaced.to) if (!graph.has(successor)) nextFuture.add(successor);
    }
    for (const root of future) {
      const replaced = lineage.replacedBy(root);
      if (nodes.createdMs(root) <= futureMs && replaced)
        for (const successor of replaced.to) graph.link(root, successor);
    }
    past = [...nextPast].sort((a, b) => nodes.compare(a, b));
    future = [...nextFuture].sort((a, b) => nodes.compare(a, b));
  }
  return graph;
}

/**
 * Maps each root to its earliest ancestors (`past`), and each of those ancestors to the root that it is in
 * now (`future`) if its object was never split.
 */
export function mapIds(
  graph: RootLineage,
  roots: readonly number[],
): { past: Map<number, number[]>; future: Map<number, number> } {
  const past = new Map<number, number[]>(),
    future = new Map<number, number>();
  for (const root of roots) {
    const ancestors = [...graph.ancestors(root)];
    past.set(
      root,
      ancestors.length === 0 ? [root] : ancestors.filter((ancestor) => graph.previous(ancestor).length === 0),
    );
  }
  for (const old of new Set([...past.values()].flat())) {
    const family = [...graph.descendants(old), old];
    const ends = family.filter((root) => graph.next(root).length === 0);
    if (ends.length > 1 || family.some((root) => graph.next(root).length === 2)) continue;
    const single = family.filter((root) => graph.next(root).length === 1);
    if (single.some((root) => graph.previous(graph.next(root)[0]).length === 1)) continue;
    future.set(old, ends[0]);
  }
  return { past, future };
}
