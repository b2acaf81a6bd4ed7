/**
 * Groups the supervoxels of the layer-2 nodes that an edit touches into new layer-2 nodes. Source:
 * PyChunkedGraph, pychunkedgraph/graph/edits.py.
 */
import { DisjointSets } from './disjoint-sets.ts';
import type { Edge, Edges } from './edge-table.ts';
import type { GraphView } from './graph-view.ts';

/** The supervoxels and edges of a new layer-2 node. */
export interface Group {
  /** Supervoxels in ascending order. */
  members: number[];
  edges: Edges;
}

/** The groups that replace the `touched` layer-2 nodes, in the order in which the server numbers them. */
export function regroup(
  graph: GraphView,
  touched: readonly number[],
  added: readonly Edge[],
  removed: readonly Edge[],
): Group[] {
  const { nodes } = graph;
  const active = activeEdges(graph, touched, added, removed);
  const members = touched.flatMap((node) => Array.from(nodes.childrenOf(node))).sort((a, b) => a - b);
  const place = new Map(members.map((member, k) => [member, k]));
  const sets = new DisjointSets(members.length);
  const layers = active.map(([a, b]) => graph.crossingLayer(a, b));
  active.forEach(([a, b], e) => {
    if (layers[e] === 1) sets.join(place.get(a)!, place.get(b)!);
  });

  const groups = new Map<number, { members: number[]; edges: number[][]; oldest: number }>();
  const groupOf = (member: number): { members: number[]; edges: number[][]; oldest: number } => {
    const set = sets.find(place.get(member)!);
    let group = groups.get(set);
    if (!group) {
      const edges: number[][] = Array.from({ length: graph.layout.layers }, () => []);
      groups.set(set, (group = { members: [], edges, oldest: nodes.parentNow(member) }));
    }
    return group;
  };
  for (const member of members) {
    const group = groupOf(member);
    group.members.push(member);
    if (nodes.compare(nodes.parentNow(member), group.oldest) < 0) group.oldest = nodes.parentNow(member);
  }
  active.forEach(([own, other], e) => groupOf(own).edges[layers[e]].push(own, other));
  return [...groups.values()].sort(
    (a, b) => nodes.compare(a.oldest, b.oldest) || a.members[0] - b.members[0],
  );
}

/** Edges of the `touched` nodes after the edit, as [own supervoxel, other supervoxel]. */
function activeEdges(
  graph: GraphView,
  touched: readonly number[],
  added: readonly Edge[],
  removed: readonly Edge[],
): Edge[] {
  const key = (a: number, b: number): number => a * graph.nodes.count + b;
  const removedKeys = new Set(removed.flatMap(([a, b]) => [key(a, b), key(b, a)]));
  const active: Edge[] = [];
  const keep = (a: number, b: number): void => {
    if (!removedKeys.has(key(a, b))) active.push([a, b]);
  };
  const { exact } = graph.options;
  for (const node of touched) {
    for (const edges of graph.edgesOf(node).slice(exact ? 1 : 2))
      for (let e = 0; e < edges.length; e += 2) keep(edges[e], edges[e + 1]);
    if (exact) continue;
    for (const own of graph.nodes.childrenOf(node))
      graph.edges.forEach(own, (other) => {
        if (graph.nodes.parentNow(other) === node) keep(own, other);
      });
  }
  for (const [a, b] of added) {
    keep(a, b);
    keep(b, a);
  }
  return active;
}
