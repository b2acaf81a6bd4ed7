/**
 * Builds the nodes above new layer-2 nodes, layer by layer up to the roots. Source: PyChunkedGraph,
 * pychunkedgraph/graph/edits.py.
 */
import type { GraphView } from './graph-view.ts';
import { reachableFrom } from './neighbours.ts';

/** Chooses the ID of a new root by its smallest supervoxel. With undefined the root gets the next free ID. */
export type ChooseRootId = (supervoxel: number) => bigint | undefined;

/**
 * Adds a node.
 * @param supervoxel Any supervoxel below it: it determines the graph chunk.
 * @param name The ID; by default the next free one.
 */
export type AddNode = (
  layer: number,
  supervoxel: number,
  children: readonly number[],
  name?: bigint,
) => number;

/** Adds the ancestors of new layer-2 nodes. @returns The new roots. */
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

/** Chooses the IDs of new roots, in the order of the objects' smallest supervoxels. */
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

/**
 * The connected components of a layer that contain new nodes, in ascending order. Edges that cross at the
 * layer connect.
 */
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

/** The neighbours of a node at a layer, by the edges that cross at that layer. */
function neighboursAt(graph: GraphView, node: number, layer: number): number[] {
  const edges = graph.edgesOf(node)[layer];
  const found: number[] = [];
  for (let e = 1; e < edges.length; e += 2) found.push(climb(graph, edges[e], layer));
  return found;
}

/** The highest current ancestor that is not above `layer`. */
function climb(graph: GraphView, node: number, layer: number): number {
  for (;;) {
    const parent = graph.nodes.parentNow(node);
    if (parent < 0 || graph.layerOf(parent) > layer) return node;
    node = parent;
  }
}

/**
 * The layer of the parent of a node without neighbours: the next layer at which an edge leaves the node, else
 * the top.
 */
function nextLayer(graph: GraphView, node: number, layer: number): number {
  const edges = graph.edgesOf(node);
  for (let next = layer + 1; next < graph.layout.layers; next++) if (edges[next].length > 0) return next;
  return graph.layout.layers;
}

function someSupervoxel(graph: GraphView, node: number): number {
  while (!graph.isSupervoxel(node)) node = graph.nodes.childrenOf(node)[0];
  return node;
}

function firstSupervoxel(graph: GraphView, node: number): number {
  return graph.isSupervoxel(node)
    ? node
    : Math.min(...Array.from(graph.nodes.childrenOf(node), (child) => firstSupervoxel(graph, child)));
}
