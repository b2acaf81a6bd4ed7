/** The edges between layer-2 nodes, as the lvl2_graph endpoint and the path search need them. */
import type { TimedGraph } from './timed-graph.ts';

/**
 * Pairs of the given layer-2 nodes that an edge between two graph chunks connects. An edge leads to the
 * current parent of its other end.
 */
export function layer2Edges(graph: TimedGraph, layer2: readonly number[]): [number, number][] {
  const { nodes } = graph;
  const given = new Set(layer2);
  const parentOf = new Map<number, number>();
  for (const node of layer2)
    for (const edges of graph.edgesOf(node).slice(2))
      for (let e = 0; e < edges.length; e += 2) parentOf.set(edges[e], node);
  const found = new Map<string, [number, number]>();
  for (const node of layer2)
    for (const edges of graph.edgesOf(node).slice(2))
      for (let e = 1; e < edges.length; e += 2) {
        const other = parentOf.get(edges[e]) ?? nodes.parentNow(edges[e]);
        if (!given.has(other)) continue;
        const pair: [number, number] = nodes.compare(node, other) < 0 ? [node, other] : [other, node];
        found.set(pair.join(), pair);
      }
  return [...found.values()].sort(([a, b], [c, d]) => nodes.compare(a, c) || nodes.compare(b, d));
}
