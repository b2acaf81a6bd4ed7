/**
 * Requests which IDs are roots at a timestamp, and includes edits at exactly that millisecond, as root
 * look-ups do.
 *
 * PyChunkedGraph's `is_latest_roots` excludes edits at exactly its timestamp, so it is sent one millisecond
 * more. Other servers may include them; those are sent the timestamp itself. The answer for a root at the
 * millisecond of its creation tells which kind a server is. This is checked once per volume.
 */
import { GraphError } from '../../base/errors.ts';
import { parseJson } from '../../http/json.ts';
import type { ServerReply, GraphServer } from './graph-server.ts';
import { toExclusiveUnixSeconds, toUnixSeconds } from '../ids/timestamp.ts';

/** One call of `is_latest_roots`. */
export interface LatestRootsRequest {
  method: 'POST';
  /** The path below the table's address. */
  path: string;
  query: { timestamp: string };
  body: { node_ids: BigUint64Array };
}

/** Sends the request. The caller decides about retries and queues. */
export type SendLatestRootsRequest = (
  question: LatestRootsRequest,
) => Promise<Pick<ServerReply, 'body' | 'status'>>;

/** Sends one request. `seconds` is the timestamp in the query. */
type RequestLatest = (ids: BigUint64Array, seconds: string) => Promise<boolean[]>;

const REPLY_BOUND = 64 * 1024;

/**
 * Returns one boolean per ID, in order: whether it is a root at the timestamp.
 *
 * @throws GraphError BAD_REPLY; the errors of `send`; `signal.reason`.
 */
export async function requestLatestRoots(
  server: GraphServer,
  ids: BigUint64Array,
  timestampMs: number,
  send: SendLatestRootsRequest,
  signal?: AbortSignal,
): Promise<boolean[]> {
  const path = 'is_latest_roots';
  const request: RequestLatest = async (list, timestamp) => {
    const reply = await send({ method: 'POST', path, query: { timestamp }, body: { node_ids: list } });
    return parseReply(reply, list.length, `${server.path.tableUrl}/${path}`);
  };
  const at = (): Promise<boolean[]> => request(ids, toUnixSeconds(timestampMs));
  if (server.includesTimestamp === true) return at();
  const after = await request(ids, toExclusiveUnixSeconds(timestampMs));
  if (server.includesTimestamp === false || ids.length === 0) return after;
  let same = after,
    known = same.indexOf(true);
  if (known < 0) known = (same = await at()).indexOf(true);
  if (known < 0) return after; // none is a root, either way
  const includes = await checkOnce(
    server,
    () => checkIncludesTimestamp(server, ids.subarray(known, known + 1), request, signal),
    signal,
  );
  return includes ? (same === after ? at() : same) : after;
}

/**
 * Reads the reply. Source: PyChunkedGraph, app/segmentation/common.py, `handle_is_latest_roots`. @throws
 * GraphError BAD_REPLY.
 */
function parseReply(
  { body, status }: Pick<ServerReply, 'body' | 'status'>,
  count: number,
  url: string,
): boolean[] {
  const { is_latest: latest } = (parseJson(body) ?? {}) as { is_latest?: unknown };
  const isList = Array.isArray(latest),
    other = isList ? latest.findIndex((value) => typeof value !== 'boolean') : -1;
  if (isList && other < 0 && latest.length === count) return latest as boolean[];
  const what =
    isList && other < 0
      ? `${latest.length} values for ${count} IDs in is_latest`
      : `something other than a list of booleans for ${count} IDs: see is_latest${isList ? `[${other}]` : ''}`;
  throw new GraphError('BAD_REPLY', `${url} answered ${what}`, url, status);
}

const CHECKS_IN_FLIGHT = new WeakMap<GraphServer, Promise<boolean | undefined>>();

/**
 * Runs the check once for callers that need it at the same time. Returns undefined when the check fails,
 * which then counts as "excluded", the behaviour of all known servers.
 */
async function checkOnce(
  server: GraphServer,
  find: () => Promise<boolean | undefined>,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  let finding = CHECKS_IN_FLIGHT.get(server);
  if (!finding)
    CHECKS_IN_FLIGHT.set(server, (finding = find().finally(() => CHECKS_IN_FLIGHT.delete(server))));
  try {
    return (server.includesTimestamp = await finding);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/**
 * Returns whether a root counts as a root at exactly the millisecond of its creation. Undefined if the server
 * does not tell when that was.
 */
async function checkIncludesTimestamp(
  server: GraphServer,
  root: BigUint64Array,
  request: RequestLatest,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  try {
    const { body } = await server.request({
      method: 'POST',
      url: `${server.path.tableUrl}/root_timestamps`,
      body: new TextEncoder().encode(`{"node_ids":[${root[0]}]}`),
      headers: { 'content-type': 'application/json' },
      maxBytes: REPLY_BOUND,
      retry: false,
      signal,
    });
    const { timestamp } = JSON.parse(new TextDecoder().decode(body)) as { timestamp?: unknown };
    if (!Array.isArray(timestamp) || !Number.isFinite(timestamp[0])) return undefined;
    const [isRoot] = await request(root, toUnixSeconds(Math.round((timestamp[0] as number) * 1000)));
    return isRoot;
  } catch (error) {
    if (error instanceof GraphError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
