/**
 * Finds known edges near an edit, active or not. Source: PyChunkedGraph, pychunkedgraph/graph/edits.py,
 * merge_preprocess, and edges/utils.py.
 */
import type { Edge } from './edge-table.ts';
import { Neighbours } from './neighbours.ts';
import type { TimedGraph } from './timed-graph.ts';

/**
 * Visits edges as the server lists them: an edge within a graph chunk once, an edge between two chunks from
 * both ends.
 */
export function forEachDirected(
  graph: TimedGraph,
  supervoxels: Iterable<number>,
  visit: (from: number, to: number, handle: number) => void,
): void {
  for (const from of supervoxels)
    graph.edges.forEach(from, (to, handle) => {
      if (graph.edges.isFirst(handle) || graph.crossingLayer(from, to) > 1) visit(from, to, handle);
    });
}

/** Whether the edge is known. Within a graph chunk its direction matters. */
export function isKnown(graph: TimedGraph, [from, to]: Edge): boolean {
  let found = false;
  forEachDirected(graph, [from], (_, other) => (found ||= other === to));
  return found;
}

/** Whether both ends have the same parent at the lowest layer at which that is possible. */
export function isActive(graph: TimedGraph, [a, b]: Edge, timeMs = Infinity): boolean {
  const layer = graph.crossingLayer(a, b) + 1;
  return graph.ancestorAt(a, layer, timeMs) === graph.ancestorAt(b, layer, timeMs);
}

/** The directions of an edge that are known. */
export const knownDirections = (graph: TimedGraph, [a, b]: Edge): Edge[] =>
  (
    [
      [a, b],
      [b, a],
    ] as Edge[]
  ).filter((edge) => isKnown(graph, edge));

/**
 * Inactive edges at a timestamp, among `supervoxels`, between those connected to `a` and those connected to
 * `b`.
 *
 * @returns undefined when a and b are connected.
 */
export function edgesToActivate(
  graph: TimedGraph,
  supervoxels: readonly number[],
  [a, b]: Edge,
  timeMs: number,
): Edge[] | undefined {
  const here = new Set(supervoxels);
  const inactive: Edge[] = [];
  const neighbours = new Neighbours();
  forEachDirected(graph, here, (from, to) => {
    if (!here.has(to)) return;
    if (!isActive(graph, [from, to], timeMs)) return void inactive.push([from, to]);
    neighbours.link(from, to);
  });
  const ofA = neighbours.reachableFrom(a);
  if (ofA.has(b)) return undefined;
  const ofB = neighbours.reachableFrom(b);
  return inactive.filter(([from, to]) => (ofA.has(from) && ofB.has(to)) || (ofB.has(from) && ofA.has(to)));
}
