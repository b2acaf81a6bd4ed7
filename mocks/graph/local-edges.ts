/** Edges near an edit, standing or not. Source: PyChunkedGraph, pychunkedgraph/graph/edits.py, merge_preprocess, and edges/utils.py. */
import type { Edge } from './edge-table.ts';
import { Neighbours } from './neighbours.ts';
import type { TimedGraph } from './timed-graph.ts';

/** Edges as the server lists them: once within a graph chunk, from both ends between two. */
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

/** Whether the edge is known, in this direction when it is within a graph chunk. */
export function isKnown(graph: TimedGraph, [from, to]: Edge): boolean {
  let found = false;
  forEachDirected(graph, [from], (_, other) => (found ||= other === to));
  return found;
}

/** Whether both ends have the same parent at the first layer at which they can. */
export function isActive(graph: TimedGraph, [a, b]: Edge, timeMs = Infinity): boolean {
  const layer = graph.crossingLayer(a, b) + 1;
  return graph.ancestorAt(a, layer, timeMs) === graph.ancestorAt(b, layer, timeMs);
}

/** Both directions of an edge, as far as they are known. */
export const knownDirections = (graph: TimedGraph, [a, b]: Edge): Edge[] =>
  (
    [
      [a, b],
      [b, a],
    ] as Edge[]
  ).filter((edge) => isKnown(graph, edge));

/**
 * Edges that do not stand at a time between what is connected to `a` and what is connected to `b` among `supervoxels`.
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
