/**
 * "Which of these are roots at this moment, an edit of that very millisecond included, as for root look-ups?" PyChunkedGraph's
 * `is_latest_roots` sees what is older than its timestamp, and is asked about one millisecond more; a server that sees the moment itself, as
 * others may, is asked about the moment. Which one it is tells the answer about a root at the moment it was made: asked once a volume.
 */
import { GraphError } from '../../base/errors.ts';
import { parseJson } from '../../http/json.ts';
import type { ServerReply, GraphServer } from './graph-server.ts';
import { toExclusiveUnixSeconds, toUnixSeconds } from '../ids/timestamp.ts';

export interface LatestRootsRequest {
  method: 'POST';
  /** Below the table's address. */
  path: string;
  query: { timestamp: string };
  body: { node_ids: BigUint64Array };
}

/** Sends the question, alone or as one of many calls, tried again or not. */
export type SendLatestRootsRequest = (
  question: LatestRootsRequest,
) => Promise<Pick<ServerReply, 'body' | 'status'>>;

/** `seconds` is the timestamp that is sent. */
type AskLatest = (ids: BigUint64Array, seconds: string) => Promise<boolean[]>;

const REPLY_BOUND = 64 * 1024;

/**
 * One boolean an ID.
 * @throws GraphError BAD_REPLY; whatever `send` throws; `signal.reason`.
 */
export async function requestLatestRoots(
  server: GraphServer,
  ids: BigUint64Array,
  timestampMs: number,
  send: SendLatestRootsRequest,
  signal?: AbortSignal,
): Promise<boolean[]> {
  const path = 'is_latest_roots';
  const ask: AskLatest = async (asked, timestamp) => {
    const reply = await send({ method: 'POST', path, query: { timestamp }, body: { node_ids: asked } });
    return latestOf(reply, asked.length, `${server.path.tableUrl}/${path}`);
  };
  const at = (): Promise<boolean[]> => ask(ids, toUnixSeconds(timestampMs));
  if (server.includesTimestamp === true) return at();
  const after = await ask(ids, toExclusiveUnixSeconds(timestampMs));
  if (server.includesTimestamp === false || ids.length === 0) return after;
  let same = after,
    known = same.indexOf(true);
  if (known < 0) known = (same = await at()).indexOf(true);
  if (known < 0) return after; // none is a root, whichever it is
  const includes = await shared(
    server,
    () => includesMoment(server, ids.subarray(known, known + 1), ask, signal),
    signal,
  );
  return includes ? (same === after ? at() : same) : after;
}

/** Source: PyChunkedGraph, app/segmentation/common.py, `handle_is_latest_roots`. @throws GraphError BAD_REPLY. */
function latestOf(
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
      : `no list of booleans for ${count} IDs: is_latest${isList ? `[${other}]` : ''}`;
  throw new GraphError('BAD_REPLY', `${url} answered ${what}`, url, status);
}

const UNDER_WAY = new WeakMap<GraphServer, Promise<boolean | undefined>>();

/** Several that want to know at once ask once. Undefined, as of all servers that are known, when whoever asked has left. */
async function shared(
  server: GraphServer,
  find: () => Promise<boolean | undefined>,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  let finding = UNDER_WAY.get(server);
  if (!finding) UNDER_WAY.set(server, (finding = find().finally(() => UNDER_WAY.delete(server))));
  try {
    return (server.includesTimestamp = await finding);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/** Whether a root is one at the very millisecond it was made; undefined when the server does not tell when that was. */
async function includesMoment(
  server: GraphServer,
  root: BigUint64Array,
  ask: AskLatest,
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
    const [isRoot] = await ask(root, toUnixSeconds(Math.round((timestamp[0] as number) * 1000)));
    return isRoot;
  } catch (error) {
    if (error instanceof GraphError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
