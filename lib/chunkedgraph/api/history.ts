/** What became of objects, and who did it. Source: PyChunkedGraph, app/segmentation/common.py; graph/{lineage,segmenthistory,misc}.py. */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { LAST_MS, toExclusiveUnixSeconds, toUnixSeconds } from '../ids/timestamp.ts';
import { parseExactJson } from '../server/exact-json.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { count, id, idPairs, ids as idList, isoTime, seconds } from './shapes.ts';

/** An edit's log may be written this much later than the edit's own timestamp: its lock lasts no longer by default. */
export const LOG_LAG_MS = 180_000;

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
    nodes: z.array(z.object({ id, timestamp: seconds, operation_id: count.optional() })),
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
  api: Endpoints,
  roots: BigUint64Array,
  pastMs: number | undefined,
  futureMs: number,
  options: CallOptions,
): Promise<LineageGraph> {
  if (new Set(roots).size < 2) return lineageWalk(api, roots, pastMs, futureMs, options);
  const [past, future] = await Promise.all([
    lineageWalk(api, roots, pastMs, 0, options),
    lineageWalk(api, roots, LAST_MS, futureMs, options),
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

export interface ChangeLog {
  merges: number;
  splits: number;
  operationIds: number[];
  pastIds: BigUint64Array;
  /** By user ID. */
  users: Map<string, { merges: number; splits: number }>;
}

export async function changeLog(
  api: Endpoints,
  root: bigint,
  filtered: boolean,
  options: CallOptions,
): Promise<ChangeLog> {
  const counts = { n_mergers: count.default(0), n_splits: count.default(0) };
  const shape = z.object({
    ...counts,
    operations_ids: z.array(count),
    past_ids: idList,
    user_info: z.record(z.string(), z.object(counts)),
  });
  const answer = await api.json(shape, { path: `root/${root}/change_log`, query: { filtered } }, options);
  return {
    merges: answer.n_mergers,
    splits: answer.n_splits,
    operationIds: answer.operations_ids,
    pastIds: answer.past_ids,
    users: new Map(
      Object.entries(answer.user_info).map(([user, { n_mergers: merges, n_splits: splits }]) => [
        user,
        { merges, splits },
      ]),
    ),
  };
}

export interface Operation {
  operationId: number;
  timestamp: Date;
}

export interface LoggedOperation extends Operation {
  userId: string;
  isMerge: boolean;
}

export interface RootOperation extends LoggedOperation {
  beforeRoots: BigUint64Array;
  /** Those of them that belong to the history of the root asked for. */
  afterRoots: BigUint64Array;
  userName?: string;
  userAffiliation?: string;
  /** Only unfiltered: whether what was edited belongs to the root asked for. */
  inNeuron?: boolean;
  /** Only unfiltered: whether the edit changed it. */
  isRelevant?: boolean;
}

const when = z.number().transform((ms) => new Date(ms));
const cells = { operation_id: count, timestamp: when };
const logged = { ...cells, user_id: z.coerce.string(), is_merge: z.boolean() };
const text = z.string().nullish();
const inLog = {
  ...logged,
  before_root_ids: idList,
  after_root_ids: idList,
  user_name: text,
  user_affiliation: text,
  in_neuron: z.boolean().optional(),
  is_relevant: z.boolean().optional(),
};

const asLogged = (row: z.output<z.ZodObject<typeof logged>>): LoggedOperation => ({
  operationId: row.operation_id,
  timestamp: row.timestamp,
  userId: row.user_id,
  isMerge: row.is_merge,
});

const asRootOperation = (row: z.output<z.ZodObject<typeof inLog>>): RootOperation => ({
  ...asLogged(row),
  beforeRoots: row.before_root_ids,
  afterRoots: row.after_root_ids,
  ...(row.user_name != null && { userName: row.user_name }),
  ...(row.user_affiliation != null && { userAffiliation: row.user_affiliation }),
  ...(row.in_neuron !== undefined && { inNeuron: row.in_neuron }),
  ...(row.is_relevant !== undefined && { isRelevant: row.is_relevant }),
});

/** Rows of a table in columns as pandas writes them, `{"column": {"row number": value}}`, in the order of its rows. */
function rowsOf<T extends z.ZodRawShape>(
  api: Endpoints,
  path: string,
  row: T,
  table: unknown,
): z.output<z.ZodObject<T>>[] {
  const columns = api.check(z.record(z.string(), z.record(z.string(), z.unknown())), table, { path }, 200);
  const numbers = Object.keys(columns.operation_id ?? {});
  return api.check(
    z.array(z.object(row)),
    numbers.map((number) =>
      Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[number]])),
    ),
    { path },
    200,
  );
}

export async function tabularChangeLogs(
  api: Endpoints,
  roots: BigUint64Array,
  filtered: boolean,
  options: CallOptions,
): Promise<Map<bigint, RootOperation[]>> {
  const path = 'tabular_change_log_many',
    logs = new Map<bigint, RootOperation[]>();
  if (roots.length === 0) return logs;
  const answer = await api.json(
    z.record(z.string(), z.string()),
    { path, query: { filtered }, body: { root_ids: roots } },
    options,
  );
  for (const root of roots) {
    if (answer[String(root)] === undefined)
      throw new GraphError(
        'BAD_REPLY',
        `${api.urlOf(path)} answered nothing for ${root}`,
        api.urlOf(path),
        200,
      );
    let table: unknown;
    try {
      table = parseExactJson(answer[String(root)]);
    } catch {
      throw new GraphError(
        'BAD_REPLY',
        `${api.urlOf(path)} answered no table for ${root}`,
        api.urlOf(path),
        200,
      );
    }
    logs.set(root, rowsOf(api, path, inLog, table).map(asRootOperation));
  }
  return logs;
}

/** All edits from one moment to another, both included; the newest too, which `change_log` leaves out, and those that came to nothing. */
export async function operations(
  api: Endpoints,
  fromMs: number | undefined,
  toMs: number,
  options: CallOptions,
): Promise<LoggedOperation[]> {
  const path = 'tabular_change_log_recent';
  const query = {
    timestamp: fromMs === undefined ? undefined : toUnixSeconds(fromMs),
    timestamp_end: toExclusiveUnixSeconds(toMs + LOG_LAG_MS),
  };
  const rows = rowsOf(api, path, logged, await api.json(z.unknown(), { path, query }, options)).map(asLogged);
  return rows.filter(
    ({ timestamp }) => timestamp.getTime() <= toMs && timestamp.getTime() >= (fromMs ?? -Infinity),
  );
}

/** The server's own default for the end is broken: it is always sent. */
export async function userOperations(
  api: Endpoints,
  userId: string,
  fromMs: number | undefined,
  toMs: number,
  includeUndone: boolean,
  options: CallOptions,
): Promise<Operation[]> {
  const path = 'user_operations';
  const query = {
    user_id: userId,
    start_time: fromMs === undefined ? undefined : toUnixSeconds(fromMs),
    end_time: toExclusiveUnixSeconds(toMs + LOG_LAG_MS),
    include_undone: includeUndone,
  };
  const rows = rowsOf(api, path, cells, await api.json(z.unknown(), { path, query }, options));
  return rows
    .map(({ operation_id: operationId, timestamp }) => ({ operationId, timestamp }))
    .filter(({ timestamp }) => timestamp.getTime() <= toMs && timestamp.getTime() >= (fromMs ?? -Infinity));
}

export interface OperationDetails {
  operationId: number;
  timestamp: Date;
  userId: string;
  /** Supervoxel pairs that were joined: `edges[2 * k]` and `edges[2 * k + 1]`; undefined unless it joined. */
  addedEdges?: BigUint64Array;
  removedEdges?: BigUint64Array;
  newRoots: BigUint64Array;
  /** Voxels of the graph's mip, xyz interleaved. */
  sourceCoords?: number[];
  sinkCoords?: number[];
  /** 0: done; 1: begun, or refused before anything changed; 2: failed; 3: being written; 4: not all of it was written. */
  status?: number;
  /** Why it failed; empty unless it did. */
  exception?: string;
  /** Everything the server says of it. */
  raw: Record<string, unknown>;
}

const coordinates = z.array(z.array(z.number()).length(3)).transform((list) => list.flat());
const operation = z.looseObject({
  timestamp: isoTime,
  user: z.coerce.string(),
  roots: idList.optional(),
  added_edges: idPairs.optional(),
  removed_edges: idPairs.optional(),
  source_coords: coordinates.optional(),
  sink_coords: coordinates.optional(),
  operation_status: count.optional(),
  operation_exception: z.string().optional(),
});

/** They go into the address: no more at once than a proxy lets through. */
const OPERATIONS_AT_ONCE = 500;

/** Those of them that the log has. */
export async function operationDetails(
  api: Endpoints,
  operationIds: readonly number[],
  options: CallOptions,
): Promise<Map<number, OperationDetails>> {
  const path = 'operation_details',
    calls: Promise<Record<string, z.output<typeof operation>>>[] = [],
    found = new Map<number, OperationDetails>();
  for (let start = 0; start < operationIds.length; start += OPERATIONS_AT_ONCE)
    calls.push(
      api.json(
        z.record(z.string(), operation),
        {
          path,
          query: { operation_ids: `[${operationIds.slice(start, start + OPERATIONS_AT_ONCE).join(',')}]` },
        },
        options,
      ),
    );
  for (const [key, one] of (await Promise.all(calls)).flatMap((answer) => Object.entries(answer)))
    found.set(Number(key), {
      operationId: Number(key),
      timestamp: one.timestamp,
      userId: one.user,
      newRoots: one.roots ?? new BigUint64Array(0),
      addedEdges: one.added_edges,
      removedEdges: one.removed_edges,
      sourceCoords: one.source_coords,
      sinkCoords: one.sink_coords,
      status: one.operation_status,
      exception: one.operation_exception,
      raw: one,
    });
  return found;
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
