/**
 * Requests to the logs of edits: who edited what, and when. Source: PyChunkedGraph,
 * app/segmentation/common.py; graph/{segmenthistory,misc}.py.
 */
import * as z from 'zod/mini';
import { GraphError } from '../../base/errors.ts';
import { toExclusiveUnixSeconds, toUnixSeconds } from '../ids/timestamp.ts';
import { parseExactJson } from '../server/exact-json.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { count, idPairs, ids as idList, isoTime } from './reply-schemas.ts';

/**
 * How much later than an edit's timestamp its log entry may be written: by default, its lock lasts no longer.
 */
export const LOG_LAG_MS = 180_000;

/** How much was edited in the history of a root. */
export interface ChangeLog {
  /** How many merges. */
  merges: number;
  /** How many splits. */
  splits: number;
  /** The operations. */
  operationIds: number[];
  /** The earlier roots of the root. */
  pastIds: BigUint64Array;
  /** The number of merges and splits of each user, by user ID. */
  users: Map<
    string,
    {
      /** How many merges. */
      merges: number;
      /** How many splits. */
      splits: number;
    }
  >;
}

/** Requests how much was edited in the history of a root. */
export async function changeLog(
  api: Endpoints,
  root: bigint,
  filtered: boolean,
  options: CallOptions,
): Promise<ChangeLog> {
  const counts = { n_mergers: z._default(count, 0), n_splits: z._default(count, 0) };
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

/** One entry of the log of edits. */
export interface Operation {
  /** The ID of the operation, from 1. */
  operationId: number;
  /** When the edit took place. */
  timestamp: Date;
}

/** One entry of the log, with its user. */
export interface LoggedOperation extends Operation {
  /** The ID of the user who made the edit. */
  userId: string;
  /** Whether the edit was a merge. If not, it was a split. */
  isMerge: boolean;
}

/** One entry of the log that concerns a root. */
export interface RootOperation extends LoggedOperation {
  /** The roots before the edit. */
  beforeRoots: BigUint64Array;
  /** The roots after the edit that belong to the history of the requested root. */
  afterRoots: BigUint64Array;
  /** The name of the user, if the server gives it. */
  userName?: string;
  /** The affiliation of the user, if the server gives it. */
  userAffiliation?: string;
  /** Whether the edited object belongs to the requested root. Only with `filtered: false`. */
  inNeuron?: boolean;
  /** Whether the edit changed the requested root. Only with `filtered: false`. */
  isRelevant?: boolean;
}

const msTimestamp = z.pipe(
  z.number(),
  z.transform((ms) => new Date(ms)),
);
const operationColumns = { operation_id: count, timestamp: msTimestamp };
const loggedColumns = { ...operationColumns, user_id: z.coerce.string(), is_merge: z.boolean() };
const text = z.nullish(z.string());
const rootOperationColumns = {
  ...loggedColumns,
  before_root_ids: idList,
  after_root_ids: idList,
  user_name: text,
  user_affiliation: text,
  in_neuron: z.optional(z.boolean()),
  is_relevant: z.optional(z.boolean()),
};

const toLoggedOperation = (row: z.output<z.ZodMiniObject<typeof loggedColumns>>): LoggedOperation => ({
  operationId: row.operation_id,
  timestamp: row.timestamp,
  userId: row.user_id,
  isMerge: row.is_merge,
});

const toRootOperation = (row: z.output<z.ZodMiniObject<typeof rootOperationColumns>>): RootOperation => ({
  ...toLoggedOperation(row),
  beforeRoots: row.before_root_ids,
  afterRoots: row.after_root_ids,
  ...(row.user_name != null && { userName: row.user_name }),
  ...(row.user_affiliation != null && { userAffiliation: row.user_affiliation }),
  ...(row.in_neuron !== undefined && { inNeuron: row.in_neuron }),
  ...(row.is_relevant !== undefined && { isRelevant: row.is_relevant }),
});

/**
 * Reads a table that pandas wrote in columns, `{"column": {"row number": value}}`. Keeps the order of the
 * rows.
 */
function rowsOf<T extends z.core.$ZodShape>(
  api: Endpoints,
  path: string,
  row: T,
  table: unknown,
): z.output<z.ZodMiniObject<T>>[] {
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

/** Requests the edits in the history of many roots. */
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
        `${api.urlOf(path)} did not answer for ${root}`,
        api.urlOf(path),
        200,
      );
    let table: unknown;
    try {
      table = parseExactJson(answer[String(root)]);
    } catch {
      throw new GraphError(
        'BAD_REPLY',
        `${api.urlOf(path)} answered without a table for ${root}`,
        api.urlOf(path),
        200,
      );
    }
    logs.set(root, rowsOf(api, path, rootOperationColumns, table).map(toRootOperation));
  }
  return logs;
}

/**
 * Requests all edits between two timestamps, both included. Unlike `change_log`, it includes the newest edits
 * and those that failed.
 */
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
  const rows = rowsOf(api, path, loggedColumns, await api.json(z.unknown(), { path, query }, options)).map(
    toLoggedOperation,
  );
  return rows.filter(
    ({ timestamp }) => timestamp.getTime() <= toMs && timestamp.getTime() >= (fromMs ?? -Infinity),
  );
}

/** Requests the edits of one user. The end is always sent, because the server's default for it is broken. */
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
  const rows = rowsOf(api, path, operationColumns, await api.json(z.unknown(), { path, query }, options));
  return rows
    .map(({ operation_id: operationId, timestamp }) => ({ operationId, timestamp }))
    .filter(({ timestamp }) => timestamp.getTime() <= toMs && timestamp.getTime() >= (fromMs ?? -Infinity));
}

/** The details of one edit. */
export interface OperationDetails {
  /** The ID of the operation, from 1. */
  operationId: number;
  /** When the edit took place. */
  timestamp: Date;
  /** The ID of the user who made the edit. */
  userId: string;
  /**
   * Pairs of supervoxels that were joined: edge k joins `2 * k` and `2 * k + 1`. Undefined unless the edit
   * was a merge.
   */
  addedEdges?: BigUint64Array;
  /** Pairs of supervoxels that were separated, in the same form. Undefined unless the edit separated some. */
  removedEdges?: BigUint64Array;
  /** The roots that the edit created. */
  newRoots: BigUint64Array;
  /** Coordinates of the sources, xyz interleaved, in voxels of the graph's mip. */
  sourceCoords?: number[];
  /** Coordinates of the sinks, in the same form. */
  sinkCoords?: number[];
  /**
   * The state of the edit. 0: done. 1: started, or refused before anything changed. 2: failed. 3: being
   * written. 4: only partly written.
   */
  status?: number;
  /** Why the edit failed; empty if it did not fail. */
  exception?: string;
  /** The server's whole answer about the edit. */
  raw: Record<string, unknown>;
}

const coordinates = z.pipe(
  z.array(z.array(z.number()).check(z.length(3))),
  z.transform((list) => list.flat()),
);
const operation = z.looseObject({
  timestamp: isoTime,
  user: z.coerce.string(),
  roots: z.optional(idList),
  added_edges: z.optional(idPairs),
  removed_edges: z.optional(idPairs),
  source_coords: z.optional(coordinates),
  sink_coords: z.optional(coordinates),
  operation_status: z.optional(count),
  operation_exception: z.optional(z.string()),
});

/** Most operations in one request. They are part of the URL, and a proxy limits its length. */
const OPERATIONS_AT_ONCE = 500;

/** Requests the details of operations. Operations that the log does not have are left out. */
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
  for (const [key, details] of (await Promise.all(calls)).flatMap((answer) => Object.entries(answer)))
    found.set(Number(key), {
      operationId: Number(key),
      timestamp: details.timestamp,
      userId: details.user,
      newRoots: details.roots ?? new BigUint64Array(0),
      addedEdges: details.added_edges,
      removedEdges: details.removed_edges,
      sourceCoords: details.source_coords,
      sinkCoords: details.sink_coords,
      status: details.operation_status,
      exception: details.operation_exception,
      raw: details,
    });
  return found;
}
