/** What an edit makes of the layer-2 nodes it touches. Source: PyChunkedGraph, pychunkedgraph/graph/edits.py. */
import type { Edge, Edges, EdgeTable } from './edge-table.ts';
import type { NodeTable } from './node-table.ts';

export interface Group {
  /** Supervoxels, ascending. */
  members: number[];
  edges: Edges;
}

/** The graph as it is before the edit. */
export interface GraphBefore {
  readonly nodes: NodeTable;
  readonly edges: EdgeTable;
  readonly layout: { readonly layers: number };
  /** How many. */
  readonly supervoxels: number;
  readonly options: { readonly exact: boolean };
  edgesOf(node: number): Edges;
  crossingLayer(a: number, b: number): number;
}

/** The groups of supervoxels that take the place of the `touched` layer-2 nodes, in the order in which the server numbers them. */
export function regroup(
  graph: GraphBefore,
  touched: readonly number[],
  added: readonly Edge[],
  removed: readonly Edge[],
): Group[] {
  const { nodes } = graph;
  const key = (a: number, b: number): number => a * graph.supervoxels + b;
  const gone = new Set(removed.flatMap(([a, b]) => [key(a, b), key(b, a)]));
  const members = touched.flatMap((node) => Array.from(nodes.childrenOf(node))).sort((a, b) => a - b);
  const above = new Map(members.map((member) => [member, member]));
  const find = (member: number): number => {
    let top = member;
    while (above.get(top) !== top) top = above.get(top)!;
    above.set(member, top);
    return top;
  };
  const join = (a: number, b: number): void => {
    const topA = find(a),
      topB = find(b);
    above.set(Math.max(topA, topB), Math.min(topA, topB));
  };

  const standing: Edge[] = [];
  const keep = (a: number, b: number, layer: number): void => {
    if (gone.has(key(a, b))) return;
    standing.push([a, b]);
    if (layer === 1) join(a, b);
  };
  for (const node of touched) {
    const edges = graph.edgesOf(node);
    for (let layer = graph.options.exact ? 1 : 2; layer < edges.length; layer++)
      for (let e = 0; e < edges[layer].length; e += 2) keep(edges[layer][e], edges[layer][e + 1], layer);
    if (graph.options.exact) continue;
    for (const own of nodes.childrenOf(node))
      graph.edges.forEach(own, (other) => {
        if (nodes.parentNow(other) === node) keep(own, other, 1);
      });
  }
  for (const [a, b] of added) {
    const layer = graph.crossingLayer(a, b);
    keep(a, b, layer);
    keep(b, a, layer);
  }

  const groups = new Map<number, { members: number[]; edges: number[][]; oldest: number }>();
  const groupOf = (member: number): { members: number[]; edges: number[][]; oldest: number } => {
    const first = find(member);
    let group = groups.get(first);
    if (!group)
      groups.set(
        first,
        (group = {
          members: [],
          edges: Array.from({ length: graph.layout.layers }, () => []),
          oldest: nodes.parentNow(first),
        }),
      );
    return group;
  };
  for (const member of members) {
    const group = groupOf(member);
    group.members.push(member);
    if (nodes.compare(nodes.parentNow(member), group.oldest) < 0) group.oldest = nodes.parentNow(member);
  }
  for (const [own, other] of standing) groupOf(own).edges[graph.crossingLayer(own, other)].push(own, other);
  return [...groups.values()].sort(
    (a, b) => nodes.compare(a.oldest, b.oldest) || a.members[0] - b.members[0],
  );
}
