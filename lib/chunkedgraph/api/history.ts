/**
 * Requests about the history of roots and nodes. Source: PyChunkedGraph, app/segmentation/common.py;
 * graph/{lineage,segmenthistory,misc}.py.
 */
import * as z from 'zod/mini';
import { GraphError } from '../../base/errors.ts';
import { LAST_TIMESTAMP_MS, toExclusiveUnixSeconds, toUnixSeconds } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { count, id, ids as idList, isoTime, unixSeconds } from './reply-schemas.ts';

/** One root in a lineage graph. */
export interface LineageNode {
  /** The root ID. */
  id: bigint;
  /** When the root was created. */
  timestamp: Date;
  /** The operation that replaced the root. Undefined while the root is current. */
  operationId?: number;
}

/** How roots developed from each other. */
export interface LineageGraph {
  /** The roots. */
  nodes: LineageNode[];
  /** One link from each replaced root to each root that replaced it. */
  links: {
    /** The replaced root. */
    source: bigint;
    /** The root that replaced it. */
    target: bigint;
  }[];
}

const lineage = z.pipe(
  z.object({
    nodes: z.array(z.object({ id, timestamp: unixSeconds, operation_id: z.optional(count) })),
    links: z.array(z.object({ source: id, target: id })),
  }),
  z.transform(({ nodes, links }): LineageGraph => ({
    nodes: nodes.map(({ id, timestamp, operation_id: operationId }) => ({
      id,
      timestamp,
      ...(operationId !== undefined && { operationId }),
    })),
    links,
  })),
);

/**
 * Returns how roots developed from each other. The server ends a walk where another walk has been, so the
 * past and the future of several roots are requested separately. Walks in one direction lose nothing, and the
 * walks of a single root never meet.
 */
export async function lineageGraph(
  ...[api, roots, pastMs, futureMs, options]: Parameters<typeof lineageWalk>
): Promise<LineageGraph> {
  if (new Set(roots).size < 2) return lineageWalk(api, roots, pastMs, futureMs, options);
  const [past, future] = await Promise.all([
    lineageWalk(api, roots, pastMs, 0, options),
    lineageWalk(api, roots, LAST_TIMESTAMP_MS, futureMs, options),
  ]);
  const nodes = new Map([...past.nodes, ...future.nodes].map((node) => [node.id, node]));
  const links = new Map(
    [...past.links, ...future.links].map((link) => [`${link.source}>${link.target}`, link]),
  );
  return { nodes: [...nodes.values()], links: [...links.values()] };
}

/**
 * Requests the lineage as the server walks it, from all roots at once: backward while a node was created at
 * `pastMs` or later, and forward while a node was created at `futureMs` or earlier. It uses
 * `lineage_graph_multiple`, because the endpoint for one root ignores `timestamp_future`.
 */
export async function lineageWalk(
  api: Endpoints,
  roots: BigUint64Array,
  pastMs: number | undefined,
  futureMs: number,
  options: CallOptions,
): Promise<LineageGraph> {
  const query = {
    timestamp_past: pastMs === undefined ? undefined : toUnixSeconds(pastMs),
    timestamp_future: toUnixSeconds(futureMs),
  };
  return api.json(
    lineage,
    { method: 'POST', path: 'lineage_graph_multiple', query, body: { root_ids: roots } },
    options,
  );
}

/** The earlier roots of given roots. */
export interface IdMapping {
  /** For each given root, the roots that its parts had at the earlier timestamp. */
  past: Map<bigint, BigUint64Array>;
  /**
   * For each earlier root, the root that it became. The server leaves this empty if the history has a split,
   * or if a replaced root was given.
   */
  future: Map<bigint, bigint>;
}

/**
 * Requests the earlier roots of each root separately. For several roots in one request, the server omits the
 * part where their walks into the past and the future meet.
 */
export async function pastIdMapping(
  api: Endpoints,
  roots: BigUint64Array,
  pastMs: number | undefined,
  options: CallOptions,
): Promise<IdMapping> {
  const shape = z.object({
    past_id_map: z.record(z.string().check(z.regex(/^\d+$/)), idList),
    future_id_map: z.record(z.string().check(z.regex(/^\d+$/)), id),
  });
  // A root that was created at exactly the timestamp is current then, and must not be divided.
  const query = { timestamp_past: pastMs === undefined ? undefined : toExclusiveUnixSeconds(pastMs) };
  const mapping: IdMapping = { past: new Map(), future: new Map() };
  const request = async (root: bigint): Promise<void> => {
    const call = { path: 'past_id_mapping', query, body: { root_ids: [root] } },
      { past_id_map: past, future_id_map: future } = await api.json(shape, call, options);
    for (const [key, list] of Object.entries(past)) mapping.past.set(BigInt(key), list);
    for (const [key, root] of Object.entries(future)) mapping.future.set(BigInt(key), root);
  };
  await Promise.all(Array.from(roots, request));
  return mapping;
}

/** Returns a time just before the first edit. Undefined if there is none, because the server then fails. */
export async function oldestTimestamp(api: Endpoints, options: CallOptions): Promise<Date | undefined> {
  try {
    return (await api.json(z.object({ iso: isoTime }), { path: 'oldest_timestamp' }, options)).iso;
  } catch (error) {
    if (
      error instanceof GraphError &&
      error.code === 'BROKEN_ENDPOINT' &&
      error.serverMessage === "'NoneType' object has no attribute 'isoformat'"
    )
      return undefined;
    throw error;
  }
}

/**
 * Checks whether each ID was a node of the graph at `endMs`, and with `startMs`, whether it changed since
 * then.
 */
export async function validNodes(
  api: Endpoints,
  nodes: BigUint64Array,
  startMs: number | undefined,
  endMs: number | undefined,
  options: CallOptions,
): Promise<boolean[]> {
  if (nodes.length === 0) return [];
  const query = {
    start_timestamp: startMs === undefined ? undefined : toUnixSeconds(startMs),
    end_timestamp: endMs === undefined ? undefined : toExclusiveUnixSeconds(endMs),
  };
  const { valid_roots: valid } = await api.json(
    z.object({ valid_roots: idList }),
    { path: 'valid_nodes', query, body: { node_ids: nodes } },
    options,
  );
  const known = new Set(valid);
  return Array.from(nodes, (node) => known.has(node));
}
