/** New nodes over new layer-2 nodes, layer by layer up to the roots. Source: PyChunkedGraph, pychunkedgraph/graph/edits.py. */
import type { GraphView } from './graph-view.ts';
import { reachableFrom } from './neighbours.ts';

/** Names a new root by its smallest supervoxel; undefined leaves the choice to the graph. */
export type ChooseRootId = (supervoxel: number) => bigint | undefined;

/** @param supervoxel Somewhere below, for the chunk. */
export type AddNode = (
  layer: number,
  supervoxel: number,
  children: readonly number[],
  name?: bigint,
) => number;

/** @returns The new roots. */
export function buildAncestors(
  graph: GraphView,
  layer2: readonly number[],
  addNode: AddNode,
  nameRoot?: ChooseRootId,
): number[] {
  const { layers } = graph.layout;
  const newAt: number[][] = Array.from({ length: layers + 1 }, () => []);
  newAt[2] = [...layer2];
  const objects: number[][] = [];
  for (let layer = 2; layer < layers; layer++)
    for (const component of components(graph, newAt[layer], layer)) {
      const parentLayer = component.length > 1 ? layer + 1 : nextLayer(graph, component[0], layer);
      if (parentLayer === layers) objects.push(component);
      else newAt[parentLayer].push(addNode(parentLayer, someSupervoxel(graph, component[0]), component));
    }
  const names = nameRoot ? namesOf(graph, objects, nameRoot) : [];
  return objects.map((children, k) => addNode(layers, 0, children, names[k]));
}

/** Names are given in the order of the objects' smallest supervoxels. */
function namesOf(
  graph: GraphView,
  objects: readonly number[][],
  nameRoot: ChooseRootId,
): (bigint | undefined)[] {
  const names: (bigint | undefined)[] = [];
  const firsts = objects.map((children, k) => ({
    k,
    first: Math.min(...children.map((child) => firstSupervoxel(graph, child))),
  }));
  for (const { k, first } of firsts.sort((a, b) => a.first - b.first)) names[k] = nameRoot(first);
  return names;
}

/** Nodes of a layer that edges crossing at that layer connect to the new ones, as components in ascending order. */
function components(graph: GraphView, news: readonly number[], layer: number): number[][] {
  const { nodes } = graph;
  const seen = new Set<number>();
  const found: number[][] = [];
  for (const start of [...news].sort((a, b) => nodes.compare(a, b))) {
    if (seen.has(start)) continue;
    const component = reachableFrom(start, (node) => neighboursAt(graph, node, layer));
    for (const node of component) seen.add(node);
    found.push([...component].sort((a, b) => nodes.compare(a, b)));
  }
  return found.sort((a, b) => nodes.compare(a[0], b[0]));
}

/** What the edges that cross at a layer lead to from a node, at that layer. */
function neighboursAt(graph: GraphView, node: number, layer: number): number[] {
  const edges = graph.edgesOf(node)[layer];
  const found: number[] = [];
  for (let e = 1; e < edges.length; e += 2) found.push(climb(graph, edges[e], layer));
  return found;
}

/** The highest ancestor that is not above `layer`, now. */
function climb(graph: GraphView, node: number, layer: number): number {
  for (;;) {
    const parent = graph.nodes.parentNow(node);
    if (parent < 0 || graph.layerOf(parent) > layer) return node;
    node = parent;
  }
}

/** Where a node with nobody to join gets its parent: at the next layer at which an edge leaves it, else at the top. */
function nextLayer(graph: GraphView, node: number, layer: number): number {
  const edges = graph.edgesOf(node);
  for (let next = layer + 1; next < graph.layout.layers; next++) if (edges[next].length > 0) return next;
  return graph.layout.layers;
}

function someSupervoxel({ nodes, supervoxels }: GraphView, node: number): number {
  while (node >= supervoxels) node = nodes.childrenOf(node)[0];
  return node;
}

function firstSupervoxel(graph: GraphView, node: number): number {
  return node < graph.supervoxels
    ? node
    : Math.min(...Array.from(graph.nodes.childrenOf(node), (child) => firstSupervoxel(graph, child)));
}
