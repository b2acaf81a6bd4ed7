/** Endpoints that climb to roots. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/. */
import { rootsAt } from '../graph/roots-at.ts';
import type { MockResponse } from '../message.ts';
import { binary, idOut, idsOut, json } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { idOfPath, idsOfBody, stopLayerOf, timestampMs } from './parameters.ts';
import { Crash, pythonTime, Refusal } from './python-values.ts';

export function rootsBinary(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const ids = idsOfBody(body, { isBinary: true });
  return { ...binary(context, rootsOf(context, query, ids)), ids: ids.length };
}

export function roots(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const found = rootsOf(context, query, idsOfBody(body));
  return query.get('as_binary') === 'root_ids'
    ? binary(context, found)
    : json({ root_ids: idsOut(query, found) });
}

function rootsOf(context: TableContext, query: URLSearchParams, ids: BigUint64Array): BigUint64Array {
  const { graph, strict } = context;
  const { layers } = graph.layout;
  const asked = stopLayerOf(query, layers);
  const stopLayer = asked || layers;
  const answer = rootsAt(graph, ids, { timeMs: timestampMs(context, query), stopLayer, strict });
  if (stopLayer > layers) throw new Crash('');
  if (answer.found > 0 && answer.missing > 0 && query.get('fail_to_zero') === '') throw new Crash('');
  if (answer.unfound > 0 && query.get('assert_roots') && asked === layers)
    throw new Crash('roots not found for some IDs');
  return answer.ids;
}

export function rootOfNode(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const { graph } = context;
  const { layers } = graph.layout;
  const id = idOfPath(parts.id);
  const stopLayer = refusedUnlessWhole(() => stopLayerOf(query, layers)) || layers;
  const timeMs = timestampMs(context, query);
  // also IDs from 2^63 up, unlike in a batch
  if (graph.layout.layerOfId(id) >= stopLayer) return json({ root_id: idOut(query)(id) });
  const { ids, unfound } = rootsAt(graph, BigUint64Array.of(id), { timeMs, stopLayer, strict: true });
  if (unfound > 0 || stopLayer > layers)
    throw new Crash(`Cannot find root id ${id}, ${stopLayer}, ${pythonTime(timeMs)}`);
  return json({ root_id: idOut(query)(ids[0]) });
}

function refusedUnlessWhole(stopLayer: () => number): number {
  try {
    return stopLayer();
  } catch (error) {
    throw new Refusal(`stop_layer is not an integer ${(error as Error).message}`);
  }
}

/** What the real server announces and does not have. */
export function rootsFromCoords(): never {
  throw new Crash(
    "module 'pychunkedgraph.app.segmentation.common' has no attribute 'handle_roots_from_coord'",
  );
}
