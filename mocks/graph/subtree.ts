/**
 * Finds the nodes below a node, optionally within a box of graph chunks. Source: PyChunkedGraph,
 * pychunkedgraph/graph/subgraph.py.
 */
import type { ChunkBox } from './chunk-grid.ts';
import type { TimedGraph } from './timed-graph.ts';

function isWithin({ nodes, layout }: TimedGraph, node: number, { min, max }: ChunkBox): boolean {
  const low = nodes.lowWord(node),
    high = nodes.highWord(node);
  const scale = 2 ** Math.max(0, layout.layerOf(high) - 2);
  return layout
    .chunkOf(low, high)
    .every((chunk, axis) => chunk < max[axis] / scale && chunk + 1 > min[axis] / scale);
}

/** The children in the box. Supervoxels are not checked, as on the real server. */
function childrenIn(graph: TimedGraph, parent: number, box: ChunkBox | undefined): Int32Array {
  const children = graph.nodes.childrenOf(parent);
  return box !== undefined && graph.layerOf(parent) > 2
    ? children.filter((child) => isWithin(graph, child, box))
    : children;
}

/**
 * The descendants at exactly `layer`, or the node itself if it is at `layer`. Nodes that skip the layer are
 * left out.
 */
export function nodesAt(graph: TimedGraph, node: number, layer: number, box?: ChunkBox): number[] {
  return node < 0 ? [] : nodesBelow(graph, [node], layer, box).get(node)!;
}

/**
 * {@link nodesAt} of many nodes in one walk, as the real server does it. When several nodes reach the same
 * node after the same number of steps, only the last of them continues from there: the others get fewer
 * descendants.
 */
export function nodesBelow(
  graph: TimedGraph,
  given: readonly number[],
  layer: number,
  box?: ChunkBox,
): Map<number, number[]> {
  const found = new Map(given.map((node) => [node, graph.layerOf(node) === layer ? [node] : []]));
  // By node, the given node that it was reached from. A node that is set again keeps its place in the order.
  for (let line = new Map(given.map((node) => [node, node])); line.size > 0;) {
    const next = new Map<number, number>();
    for (const [parent, from] of line)
      for (const child of childrenIn(graph, parent, box)) {
        const at = graph.layerOf(child);
        if (at === layer) found.get(from)!.push(child);
        else if (at > layer) next.set(child, from);
      }
    line = next;
  }
  return found;
}

/** The supervoxels below a node, in the graph chunks of the box; none for a supervoxel or -1. */
export const supervoxelsOf = (graph: TimedGraph, node: number, box?: ChunkBox): number[] =>
  nodesAt(graph, node, 2, box).flatMap((layer2) => Array.from(graph.nodes.childrenOf(layer2)));
