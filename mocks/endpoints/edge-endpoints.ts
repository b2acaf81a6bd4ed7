/**
 * Endpoints that list the edges below a node. Source: PyChunkedGraph, pychunkedgraph/graph/subgraph.py and
 * graph/analysis/.
 */
import { layer2Edges } from '../graph/layer2-edges.ts';
import { forEachDirected } from '../graph/local-edges.ts';
import { nodesAt, supervoxelsOf } from '../graph/subtree.ts';
import type { MockResponse } from '../message.ts';
import { idsToJson, intToJson, jsonReply, nodesToJson } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { boundsOf, flag, idOfPath } from './parameters.ts';
import { requireNonEmpty } from './python-values.ts';

export function layer2GraphEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const { graph } = context;
  const box = boundsOf(context, query),
    node = graph.nodes.findId(idOfPath(parts.id));
  const below = nodesAt(graph, node, 2, box).filter((layer2) => box !== undefined || layer2 !== node);
  const response = jsonReply({
    edge_graph: layer2Edges(graph, below).map((pair) => nodesToJson(context, query, pair)),
  });
  return { ...response, headers: { ...response.headers, 'used-bounds': box ? 'True' : 'False' } };
}

export function subgraphEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const { graph } = context;
  const { nodes, edges } = graph;
  const id = idOfPath(parts.id);
  const members = requireNonEmpty(supervoxelsOf(graph, nodes.findId(id), boundsOf(context, query)));
  const here = new Set(members);
  const onlyInternal = flag(query, 'only_internal_edges', true);
  const pairs: bigint[][] = [],
    affinities: number[] = [],
    areas: number[] = [];
  forEachDirected(graph, members, (from, to, handle) => {
    if (onlyInternal && !here.has(to)) return;
    pairs.push([nodes.idOf(from), nodes.idOf(to)]);
    affinities.push(edges.affinityOf(handle));
    areas.push(edges.areaOf(handle));
  });
  return jsonReply({
    nodes: pairs.map((pair) => idsToJson(query, pair)),
    affinities,
    areas: areas.map(intToJson(query)),
  });
}
