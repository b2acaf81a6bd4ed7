/** Who did what: logs of edits. Source: PyChunkedGraph, app/segmentation/common.py; graph/{segmenthistory,misc}.py. */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { toExclusiveUnixSeconds, toUnixSeconds } from '../ids/timestamp.ts';
import { parseExactJson } from '../server/exact-json.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { count, idPairs, ids as idList, isoTime } from './reply-schemas.ts';

/** An edit's log may be written this much later than the edit's own timestamp: its lock lasts no longer by default. */
export const LOG_LAG_MS = 180_000;

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
