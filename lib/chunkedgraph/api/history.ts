/** What became of objects. Source: PyChunkedGraph, app/segmentation/common.py; graph/{lineage,segmenthistory,misc}.py. */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { LAST_TIMESTAMP_MS, toExclusiveUnixSeconds, toUnixSeconds } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { count, id, ids as idList, isoTime, unixSeconds } from './reply-schemas.ts';

export interface LineageNode {
  id: bigint;
  /** When it was made. */
  timestamp: Date;
  /** The operation that replaced it; undefined while it is current. */
  operationId?: number;
}

export interface LineageGraph {
  nodes: LineageNode[];
  /** From what was replaced to what replaced it. */
  links: { source: bigint; target: bigint }[];
}

const lineage = z
  .object({
    nodes: z.array(z.object({ id, timestamp: unixSeconds, operation_id: count.optional() })),
    links: z.array(z.object({ source: id, target: id })),
  })
  .transform(({ nodes, links }): LineageGraph => ({
    nodes: nodes.map(({ id, timestamp, operation_id: operationId }) => ({
      id,
      timestamp,
      ...(operationId !== undefined && { operationId }),
    })),
    links,
  }));

/**
 * How roots came out of one another. The server ends a walk wherever another one has been: what one root came out of and what another
 * became are asked apart. Walks of one direction lose nothing by it, nor do those of one root, which never meet.
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
 * As the server walks, from all roots at once: back while a node was made at `pastMs` or later, on while one was made at `futureMs` or before.
 * Through `lineage_graph_multiple`: the endpoint for one root ignores `timestamp_future`.
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

export interface IdMapping {
  /** Each root asked with those that parts of it had at the past moment. */
  past: Map<bigint, BigUint64Array>;
  /** Past roots with the one they became; the server leaves it empty when there is a split in the history, or an old root was asked for. */
  future: Map<bigint, bigint>;
}

/** Each root is asked about alone: of several, the server leaves out where their walks into the past and the future meet. */
export async function pastIdMapping(
  api: Endpoints,
  roots: BigUint64Array,
  pastMs: number | undefined,
  options: CallOptions,
): Promise<IdMapping> {
  const shape = z.object({
    past_id_map: z.record(z.string().regex(/^\d+$/), idList),
    future_id_map: z.record(z.string().regex(/^\d+$/), id),
  });
  // What was made at the moment itself stands then: it is not to be taken apart.
  const query = { timestamp_past: pastMs === undefined ? undefined : toExclusiveUnixSeconds(pastMs) };
  const mapping: IdMapping = { past: new Map(), future: new Map() };
  const ask = async (root: bigint): Promise<void> => {
    const call = { path: 'past_id_mapping', query, body: { root_ids: [root] } },
      { past_id_map: past, future_id_map: future } = await api.json(shape, call, options);
    for (const [key, list] of Object.entries(past)) mapping.past.set(BigInt(key), list);
    for (const [key, root] of Object.entries(future)) mapping.future.set(BigInt(key), root);
  };
  await Promise.all(Array.from(roots, ask));
  return mapping;
}

/** Undefined where there is no edit: the server fails then. */
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
