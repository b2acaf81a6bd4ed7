/**
 * Endpoints about when nodes were created and replaced. Source: PyChunkedGraph,
 * pychunkedgraph/app/segmentation/.
 */
import type { MockResponse } from '../message.ts';
import { idsToJson, jsonReply } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { flag, idsOfBody, optionalMs, timestampMs } from './parameters.ts';
import { ServerCrash, pythonTimestampUs } from './python-values.ts';

export function isLatestRootsEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const ids = idsOfBody(body),
    timeMs = timestampMs(context, query);
  return jsonReply({ is_latest: Array.from(ids, (id) => isLatest(context, id, timeMs)) });
}

export function rootTimestampsEndpoint(
  context: TableContext,
  { query, body }: EndpointRequest,
): MockResponse {
  const ids = idsOfBody(body, { isBinary: flag(query, 'is_binary') });
  const timeMs = timestampMs(context, query); // parsed also when it is not used
  return jsonReply({
    timestamp: flag(query, 'latest') ? latest(context, ids, query, timeMs) : created(context, ids),
  });
}

export function validNodesEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const ids = idsOfBody(body, { isBinary: flag(query, 'is_binary') });
  const toMs = optionalMs(query, 'end_timestamp'),
    fromMs = optionalMs(query, 'start_timestamp');
  return jsonReply({ valid_roots: idsToJson(query, valid(context, ids, fromMs, toMs)) });
}

/**
 * Whether a node existed before a timestamp and was not yet replaced. Unlike elsewhere, the timestamp itself
 * is excluded unless `strict`.
 */
function isLatest(context: TableContext, id: bigint, timeMs: number): boolean {
  const { nodes, lineage } = context.graph;
  const node = nodes.findId(id);
  return (
    hasCreation(context, node) &&
    isBefore(context, nodes.createdMs(node), timeMs) &&
    !isBefore(context, lineage.replacedMs(node), timeMs)
  );
}

const isBefore = ({ strict }: TableContext, ms: number, timeMs: number): boolean =>
  strict ? ms <= timeMs : ms < timeMs;

/** Whether a time of creation is known of a node: of all but supervoxels. */
const hasCreation = ({ graph }: Pick<TableContext, 'graph'>, node: number): boolean =>
  node >= 0 && !graph.isSupervoxel(node);

function created({ graph }: TableContext, ids: BigUint64Array): number[] {
  const nodes = Array.from(ids, (id) => graph.nodes.findId(id)).map((node) =>
    hasCreation({ graph }, node) ? node : -1,
  );
  if (nodes.every((node) => node < 0)) return [];
  const unknown = nodes.indexOf(-1);
  if (unknown >= 0) throw new ServerCrash(String(ids[unknown]));
  return nodes.map((node) => graph.nodes.createdMs(node) / 1000);
}

/**
 * For each latest node the requested timestamp; for the others, in their order, the time at which they were
 * replaced.
 */
function latest(
  context: TableContext,
  ids: BigUint64Array,
  query: URLSearchParams,
  timeMs: number,
): number[] {
  const { nodes, lineage } = context.graph;
  const timestamp = query.get('timestamp');
  const timeS = timestamp === null ? timeMs / 1000 : pythonTimestampUs(timestamp, 'timestamp') / 1e6;
  const replaced = Array.from(ids, (id) => lineage.replacedMs(nodes.findId(id))).filter((ms) =>
    isBefore(context, ms, timeMs),
  );
  return Array.from(ids, (id) => {
    if (isLatest(context, id, timeMs)) return timeS;
    const ms = replaced.shift();
    if (ms === undefined) throw new ServerCrash('pop from an empty deque');
    return ms / 1000;
  });
}

/** The IDs of nodes that were created, replaced or given a parent in a time range. */
function valid({ graph }: TableContext, ids: BigUint64Array, fromMs = -Infinity, toMs = Infinity): bigint[] {
  return [...new Set(ids)].filter((id) => {
    const node = graph.nodes.findId(id);
    if (node < 0) return false;
    const written = [
      ...graph.nodes.parentTimesMs(node),
      graph.lineage.replacedMs(node),
      ...(hasCreation({ graph }, node) ? [graph.nodes.createdMs(node)] : []),
    ];
    return written.some((ms) => Number.isFinite(ms) && ms >= fromMs && ms < toMs);
  });
}
