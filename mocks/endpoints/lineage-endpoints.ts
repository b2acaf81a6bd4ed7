/** Endpoints about what became of roots. Source: PyChunkedGraph, pychunkedgraph/graph/{segmenthistory,lineage,misc}.py. */
import { idMappings, lineageOf, type LineageGraph } from '../graph/lineage-graph.ts';
import type { MockResponse } from '../message.ts';
import { idOut, intOut, json, nodesOut } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { idOfPath, idsOfBody, optionalMs, requiredMs, timestampMs } from './parameters.ts';
import { concatenated, Crash, pythonTime } from './python-values.ts';
import { nodeWithChildren, oldestMs, rootNode, segmentHistory } from './segment-history.ts';

export function lineageGraph(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const pastMs = pastMsOf(query);
  optionalMs(query, 'timestamp_future'); // read and then ignored
  const { lineage } = segmentHistory(context, [idOfPath(parts.id)], pastMs);
  return json(nodeLink(context, query, lineage));
}

export function lineageGraphMultiple(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const pastMs = pastMsOf(query),
    futureMs = timestampMs(context, query, 'timestamp_future');
  const roots = Array.from(idsOfBody(body, { key: 'root_ids' }), (id) => nodeWithChildren(context, id));
  return json(nodeLink(context, query, lineageOf(context.graph, roots, pastMs, futureMs)));
}

const pastMsOf = (query: URLSearchParams): number => optionalMs(query, 'timestamp_past') ?? 0;

function nodeLink(context: TableContext, query: URLSearchParams, lineage: LineageGraph): unknown {
  const { nodes } = context.graph;
  const out = (node: number): bigint | string => idOut(query)(nodes.idOf(node));
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
        ...(operation ? { operation_id: intOut(query)(operation) } : {}),
        timestamp: nodes.createdMs(root) / 1000,
      };
    }),
  };
}

export function pastIdMapping(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const { nodes } = context.graph;
  const ids = idsOfBody(body, { key: 'root_ids' });
  const pastMs = pastMsOf(query);
  optionalMs(query, 'timestamp_future');
  const { roots, lineage } = segmentHistory(context, ids, pastMs);
  const { past, future } = idMappings(lineage, concatenated(roots));
  return json({
    past_id_map: Object.fromEntries(
      [...past].map(([root, old]) => [String(nodes.idOf(root)), nodesOut(context, query, old)]),
    ),
    future_id_map: Object.fromEntries(
      [...future].map(([old, root]) => [String(nodes.idOf(old)), idOut(query)(nodes.idOf(root))]),
    ),
  });
}

export function deltaRoots(context: TableContext, { query }: EndpointRequest): MockResponse {
  const pastMs = requiredMs(query, 'timestamp_past'),
    futureMs = timestampMs(context, query, 'timestamp_future');
  const isWithin = (ms: number): boolean => ms >= pastMs && ms <= futureMs;
  const fresh = context.editor.operations.flatMap(({ roots, writtenMs }) =>
    isWithin(writtenMs) ? roots : [],
  );
  const old = fresh.flatMap((root) => context.graph.lineage.madeBy(root)!.from);
  return json({ old_roots: nodesOut(context, query, old), new_roots: nodesOut(context, query, fresh) });
}

export function oldestTimestamp(context: TableContext, { query }: EndpointRequest): MockResponse {
  const ms = oldestMs(context);
  if (ms === undefined) throw new Crash("'NoneType' object has no attribute 'isoformat'");
  const delimiter = delimiterOf(query);
  if ([...delimiter].length !== 1)
    throw new Crash('isoformat() argument 1 must be a unicode character, not str');
  return json({ iso: pythonTime(ms, delimiter) });
}

export function lastEdit(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const root = rootNode(context, idOfPath(parts.id));
  if (!context.strict) throw new Crash("'float' object has no attribute 'isoformat'");
  return json({ iso: pythonTime(context.graph.nodes.createdMs(root), delimiterOf(query)) });
}

const delimiterOf = (query: URLSearchParams): string => query.get('delimiter') ?? ' ';
