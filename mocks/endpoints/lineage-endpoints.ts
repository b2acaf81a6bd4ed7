/**
 * Endpoints about the past and the future of roots. Source: PyChunkedGraph,
 * pychunkedgraph/graph/{segmenthistory,lineage,misc}.py.
 */
import { mapIds, traceLineage, type RootLineage } from '../graph/lineage-graph.ts';
import type { MockResponse } from '../message.ts';
import { idToJson, intToJson, jsonReply, nodesToJson } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { idOfPath, idsOfBody, optionalMs, requiredMs, timestampMs } from './parameters.ts';
import { requireNonEmpty, ServerCrash, pythonTime } from './python-values.ts';
import { nodeWithChildren, oldestMs, rootNode, segmentHistory } from './segment-history.ts';

export function lineageGraphEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const pastMs = pastMsOf(query);
  optionalMs(query, 'timestamp_future'); // parsed, then ignored
  const { lineage } = segmentHistory(context, [idOfPath(parts.id)], pastMs);
  return jsonReply(nodeLinkJson(context, query, lineage));
}

export function lineageGraphMultipleEndpoint(
  context: TableContext,
  { query, body }: EndpointRequest,
): MockResponse {
  const pastMs = pastMsOf(query),
    futureMs = timestampMs(context, query, 'timestamp_future');
  const roots = Array.from(idsOfBody(body, { key: 'root_ids' }), (id) => nodeWithChildren(context, id));
  return jsonReply(nodeLinkJson(context, query, traceLineage(context.graph, roots, pastMs, futureMs)));
}

const pastMsOf = (query: URLSearchParams): number => optionalMs(query, 'timestamp_past') ?? 0;

/** A lineage in the node-link JSON of networkx. */
function nodeLinkJson(context: TableContext, query: URLSearchParams, lineage: RootLineage): unknown {
  const { nodes } = context.graph;
  const out = (node: number): bigint | string => idToJson(query)(nodes.idOf(node));
  return {
    directed: true,
    graph: {},
    links: lineage.roots.flatMap((source) =>
      lineage.next(source).map((target) => ({ source: out(source), target: out(target) })),
    ),
    multigraph: false,
    nodes: lineage.roots.map((root) => {
      const operation = lineage.operations.get(root);
      return {
        id: out(root),
        ...(operation ? { operation_id: intToJson(query)(operation) } : {}),
        timestamp: nodes.createdMs(root) / 1000,
      };
    }),
  };
}

export function pastIdMappingEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const { nodes } = context.graph;
  const ids = idsOfBody(body, { key: 'root_ids' });
  const pastMs = pastMsOf(query);
  optionalMs(query, 'timestamp_future');
  const { roots, lineage } = segmentHistory(context, ids, pastMs);
  const { past, future } = mapIds(lineage, requireNonEmpty(roots));
  return jsonReply({
    past_id_map: Object.fromEntries(
      [...past].map(([root, old]) => [String(nodes.idOf(root)), nodesToJson(context, query, old)]),
    ),
    future_id_map: Object.fromEntries(
      [...future].map(([old, root]) => [String(nodes.idOf(old)), idToJson(query)(nodes.idOf(root))]),
    ),
  });
}

export function deltaRootsEndpoint(context: TableContext, { query }: EndpointRequest): MockResponse {
  const pastMs = requiredMs(query, 'timestamp_past'),
    futureMs = timestampMs(context, query, 'timestamp_future');
  const isWithin = (ms: number): boolean => ms >= pastMs && ms <= futureMs;
  const fresh = context.editor.operations.flatMap(({ roots, writtenMs }) =>
    isWithin(writtenMs) ? roots : [],
  );
  const old = fresh.flatMap((root) => context.graph.lineage.madeBy(root)!.from);
  return jsonReply({
    old_roots: nodesToJson(context, query, old),
    new_roots: nodesToJson(context, query, fresh),
  });
}

export function oldestTimestampEndpoint(context: TableContext, { query }: EndpointRequest): MockResponse {
  const ms = oldestMs(context);
  if (ms === undefined) throw new ServerCrash("'NoneType' object has no attribute 'isoformat'");
  const delimiter = delimiterOf(query);
  if ([...delimiter].length !== 1)
    throw new ServerCrash('isoformat() argument 1 must be a unicode character, not str');
  return jsonReply({ iso: pythonTime(ms, delimiter) });
}

export function lastEditEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const root = rootNode(context, idOfPath(parts.id));
  if (!context.strict) throw new ServerCrash("'float' object has no attribute 'isoformat'");
  return jsonReply({ iso: pythonTime(context.graph.nodes.createdMs(root), delimiterOf(query)) });
}

const delimiterOf = (query: URLSearchParams): string => query.get('delimiter') ?? ' ';
