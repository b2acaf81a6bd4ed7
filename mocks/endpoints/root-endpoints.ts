/**
 * Endpoints that look up roots, or ancestors at a stop layer. Source: PyChunkedGraph,
 * pychunkedgraph/app/segmentation/.
 */
import { findRootsAt } from '../graph/roots-at.ts';
import type { MockResponse } from '../message.ts';
import { binaryReply, idToJson, idsToJson, jsonReply } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { idOfPath, idsOfBody, stopLayerOf, timestampMs } from './parameters.ts';
import { ServerCrash, pythonTime, RefusedRequest } from './python-values.ts';

export function rootsBinaryEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const ids = idsOfBody(body, { isBinary: true });
  return { ...binaryReply(context, rootsOf(context, query, ids)), ids: ids.length };
}

export function rootsEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const found = rootsOf(context, query, idsOfBody(body));
  return query.get('as_binary') === 'root_ids'
    ? binaryReply(context, found)
    : jsonReply({ root_ids: idsToJson(query, found) });
}

function rootsOf(context: TableContext, query: URLSearchParams, ids: BigUint64Array): BigUint64Array {
  const { graph, splitSupervoxel } = context,
    strict = context.strict || splitSupervoxel !== undefined; // version 3 echoes no unknown IDs
  const { layers } = graph.layout;
  const requestedLayer = stopLayerOf(query, layers);
  const stopLayer = requestedLayer || layers;
  const answer = findRootsAt(graph, ids, { timeMs: timestampMs(context, query), stopLayer, strict });
  if (stopLayer > layers) throw new ServerCrash('');
  if (answer.found > 0 && answer.nonzeroWithoutAncestor > 0 && query.get('fail_to_zero') === '')
    throw new ServerCrash('');
  if (answer.withoutAncestor > 0 && query.get('assert_roots') && requestedLayer === layers)
    throw new ServerCrash('roots not found for some IDs');
  return answer.ids;
}

export function rootOfNodeEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const { graph } = context;
  const { layers } = graph.layout;
  const id = idOfPath(parts.id);
  const stopLayer = refusedUnlessWhole(() => stopLayerOf(query, layers)) || layers;
  const timeMs = timestampMs(context, query);
  // This includes IDs from 2^63 up, unlike in a batch.
  if (graph.layout.layerOfId(id) >= stopLayer) return jsonReply({ root_id: idToJson(query)(id) });
  const { ids, withoutAncestor } = findRootsAt(graph, BigUint64Array.of(id), {
    timeMs,
    stopLayer,
    strict: true,
  });
  if (withoutAncestor > 0 || stopLayer > layers)
    throw new ServerCrash(`Cannot find root id ${id}, ${stopLayer}, ${pythonTime(timeMs)}`);
  return jsonReply({ root_id: idToJson(query)(ids[0]) });
}

function refusedUnlessWhole(stopLayer: () => number): number {
  try {
    return stopLayer();
  } catch (error) {
    throw new RefusedRequest(`stop_layer is not an integer ${(error as Error).message}`);
  }
}

/** An endpoint that the real server lists but does not implement. */
export function rootsFromCoordsEndpoint(): never {
  throw new ServerCrash(
    "module 'pychunkedgraph.app.segmentation.common' has no attribute 'handle_roots_from_coord'",
  );
}
