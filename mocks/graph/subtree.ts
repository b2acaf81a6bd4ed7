/** What is below a node, and within a box of graph chunks. Source: PyChunkedGraph, pychunkedgraph/graph/subgraph.py. */
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

/** The children that lie in the box, which no one asks of supervoxels. */
function childrenIn(graph: TimedGraph, parent: number, box: ChunkBox | undefined): Int32Array {
  const children = graph.nodes.childrenOf(parent);
  return box !== undefined && graph.layerOf(parent) > 2
    ? children.filter((child) => isWithin(graph, child, box))
    : children;
}

/** Descendants that are exactly at `layer`, and the node itself when it is. Those that skip the layer are not among them. */
export function nodesAt(graph: TimedGraph, node: number, layer: number, box?: ChunkBox): number[] {
  return node < 0 ? [] : nodesBelow(graph, [node], layer, box).get(node)!;
}

/**
 * {@link nodesAt} of many nodes, all walked down together as the real server does: of what several reach after equally many steps, only
 * the last in line goes on, so that the others are given less than is theirs.
 */
export function nodesBelow(
  graph: TimedGraph,
  asked: readonly number[],
  layer: number,
  box?: ChunkBox,
): Map<number, number[]> {
  const found = new Map(asked.map((node) => [node, graph.layerOf(node) === layer ? [node] : []]));
  // Node to which of `asked` it was reached from; a node that is set again keeps its place in the line.
  for (let line = new Map(asked.map((node) => [node, node])); line.size > 0;) {
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

/** Supervoxels below a node, those of whole graph chunks of the box; none for a supervoxel and for -1. */
export const supervoxelsOf = (graph: TimedGraph, node: number, box?: ChunkBox): number[] =>
  nodesAt(graph, node, 2, box).flatMap((layer2) => Array.from(graph.nodes.childrenOf(layer2)));
