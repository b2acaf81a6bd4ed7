/**
 * Endpoints that list the nodes below a node. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/ and
 * graph/subgraph.py.
 */
import { nodesAt, nodesBelow, supervoxelsOf } from '../graph/subtree.ts';
import { reply, type MockResponse } from '../message.ts';
import { binaryReply, HTML_TYPE, idsToJson, jsonReply, nodesToJson } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { boundsOf, flag, idOfPath, idsOfBody, stopLayerOf, timestampMs } from './parameters.ts';
import { pickledArrays } from './pickle.ts';
import { ServerCrash } from './python-values.ts';

export function leavesEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const { graph } = context;
  const stopLayer = stopLayerOf(query, 1),
    box = boundsOf(context, query);
  const id = idOfPath(parts.id),
    node = graph.nodes.findId(id);
  if (node < 0)
    return jsonReply({ leaf_ids: idsToJson(query, stopLayer > 1 ? echoed(context, id, stopLayer) : []) });
  const found = stopLayer > 1 ? nodesAt(graph, node, stopLayer, box) : supervoxelsOf(graph, node, box);
  return jsonReply({ leaf_ids: idsToJson(query, graph.nodes.idsOf(found).sort()) });
}

export function leavesManyEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const { graph, strict } = context;
  const { nodes } = graph;
  const box = boundsOf(context, query),
    ids = idsOfBody(body),
    stopLayer = stopLayerOf(query, 1);
  const walk = (from: number[]): Map<number, number[]> => nodesBelow(graph, from, stopLayer, box);
  const known = Array.from(ids, (id) => nodes.findId(id)).filter((node) => node >= 0);
  const together = strict ? undefined : walk(known);
  const answer: Record<string, unknown> = {};
  for (const id of ids) {
    const node = nodes.findId(id);
    const found =
      node < 0 ? echoed(context, id, stopLayer) : nodes.idsOf((together ?? walk([node])).get(node)!).sort();
    if (String(id) in answer && !strict)
      throw new ServerCrash(
        found.length > 0
          ? 'zero-dimensional arrays cannot be concatenated'
          : `index ${stopLayer} is out of bounds for axis 0 with size 0`,
      );
    answer[String(id)] = idsToJson(query, found);
  }
  return jsonReply(answer);
}

/**
 * The real server's answer for an ID that is not a node: at the ID's own layer the ID itself, else nothing.
 */
const echoed = ({ graph, strict }: TableContext, id: bigint, layer: number): bigint[] =>
  !strict && graph.layout.layerOfId(id) === layer ? [id] : [];

export function childrenEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const { nodes } = context.graph;
  const node = nodes.findId(idOfPath(parts.id));
  return jsonReply({ children_ids: node < 0 ? [] : nodesToJson(context, query, nodes.childrenOf(node)) });
}

export function l2ChunkChildrenEndpoint(
  context: TableContext,
  { query, parts }: EndpointRequest,
): MockResponse {
  const found = chunkChildren(context, query, idOfPath(parts.chunk));
  if (!flag(query, 'as_array')) throw new ServerCrash('Object of type bytes is not JSON serializable');
  return jsonReply({ l2_chunk_children: idsToJson(query, chunkPairs(context, found)) });
}

export function l2ChunkChildrenBinaryEndpoint(
  context: TableContext,
  { query, parts }: EndpointRequest,
): MockResponse {
  const { nodes } = context.graph;
  const found = chunkChildren(context, query, idOfPath(parts.chunk));
  if (flag(query, 'as_array')) return binaryReply(context, chunkPairs(context, found));
  const arrays = found.map((node) => [nodes.idOf(node), nodes.idsOf(nodes.childrenOf(node))] as const);
  return reply(200, HTML_TYPE, pickledArrays(arrays));
}

/** The layer-2 nodes of a graph chunk, including those that an edit has replaced. */
function chunkChildren(context: TableContext, query: URLSearchParams, chunk: bigint): number[] {
  const { graph } = context;
  const { nodes, layout } = graph;
  const timeMs = timestampMs(context, query);
  const layer = layout.layerOfId(chunk);
  if (layer !== 2)
    throw new ServerCrash(
      `This function only accepts level 2 chunks, the chunk requested is a level ${layer} chunk`,
    );
  const found: number[] = [];
  for (let node = graph.supervoxels; node < nodes.count; node++)
    if (
      graph.layerOf(node) === 2 &&
      nodes.createdMs(node) <= timeMs &&
      layout.chunkIdOf(nodes.idOf(node)) === chunk
    )
      found.push(node);
  return found.sort((a, b) => nodes.compare(a, b));
}

/** Pairs of a layer-2 node and one of its supervoxels, flat. */
const chunkPairs = ({ graph: { nodes } }: TableContext, layer2: readonly number[]): BigUint64Array =>
  nodes.idsOf(
    layer2.flatMap((node) => Array.from(nodes.childrenOf(node)).flatMap((member) => [node, member])),
  );
