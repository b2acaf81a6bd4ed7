/**
 * The endpoint that finds a path between two points of an object. Source: PyChunkedGraph,
 * pychunkedgraph/graph/analysis/pathing.py.
 */
import { chunkMiddleNm } from '../graph/chunk-grid.ts';
import { layer2Edges } from '../graph/layer2-edges.ts';
import { Neighbours } from '../graph/neighbours.ts';
import { nodesAt } from '../graph/subtree.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import type { MockResponse } from '../message.ts';
import { jsonReply, nodesToJson } from './endpoint-replies.ts';
import { locatePoints, supervoxelNodes, twoPoints } from './edit-points.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { ServerCrash } from './python-values.ts';

/**
 * Layer-2 nodes from one point to the other. Their centroids are the middles of their graph chunks in
 * nanometres, because a mock has no meshes.
 */
export function findPathEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const { graph, info } = context;
  const { nodes, layout } = graph;
  const points = twoPoints(context, body);
  const start = nodes.findId(points.ids[0]);
  const [{ ids }] = locatePoints(context, points);
  const [from, to] = supervoxelNodes(graph, ids).map((supervoxel) => nodes.parentNow(supervoxel));
  if (start < 0 || graph.isSupervoxel(start)) throw new ServerCrash('list index out of range');
  const shared = sharedAncestor(graph, from, to, nodes.createdMs(start));
  if (shared < 0) throw new ServerCrash("'NoneType' object is not iterable");
  const neighbours = new Neighbours();
  for (const [a, b] of layer2Edges(graph, nodesAt(graph, shared, 2))) neighbours.link(a, b);
  if (!neighbours.has(from) || !neighbours.has(to))
    throw new ServerCrash('index 0 is out of bounds for axis 0 with size 0');
  const path = neighbours.path(from, to);
  const middle = (node: number): number[] =>
    chunkMiddleNm(info, layout.chunkOf(nodes.lowWord(node), nodes.highWord(node))).map(Math.fround);
  return jsonReply({
    centroids_list: path.map(middle),
    failed_l2_ids: [],
    l2_path: nodesToJson(context, query, path),
  });
}

/** The lowest common ancestor of two nodes at a timestamp; -1 when there is none. */
function sharedAncestor({ nodes }: TimedGraph, a: number, b: number, timeMs: number): number {
  const above = new Set<number>();
  for (let node = a; node >= 0; node = nodes.parentAt(node, timeMs)) above.add(node);
  let node = b;
  while (node >= 0 && !above.has(node)) node = nodes.parentAt(node, timeMs);
  return node;
}
