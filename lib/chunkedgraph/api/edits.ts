/**
 * Sends edits, which change the graph. An edit is never sent twice: after a lost connection it is unknown
 * whether the edit happened, and a second request would be a second edit.
 *
 * Source: PyChunkedGraph, app/segmentation/common.py, `handle_merge`, `handle_split`, `handle_undo`,
 * `handle_redo`.
 */
import * as z from 'zod/mini';
import { GraphError, PathError } from '../../base/errors.ts';
import { decideByError } from '../../failures/retry-decision.ts';
import { parseExactJson } from '../server/exact-json.ts';
import type { ServerReply } from '../server/graph-server.ts';
import { LAST_TIMESTAMP_MS } from '../ids/timestamp.ts';
import type { EndpointCall, CallOptions, Endpoints } from './endpoints.ts';
import { rootTimestamps } from './root-lifetimes.ts';
import { count, ids as idList } from './reply-schemas.ts';

/** Options of an edit. */
export interface EditOptions extends CallOptions {
  /** Whether the server makes new meshes. @default true, the server's default */
  remesh?: boolean;
  /** Whether the new meshes are urgent. @default true, the server's default */
  priority?: boolean;
}

/** The result of an edit. */
export interface EditResult {
  /** The operation in the server's log. */
  operationId: number;
  /** The roots that the edit created. */
  newRoots: BigUint64Array;
}

/** Paths below the table that change the graph. */
export const EDIT_PATHS = /(?:^|\/)(?:merge|merge_admin|split|undo|redo|rollback_user)\/?$/;

const edited = z.object({ operation_id: z.nullable(count), new_root_ids: idList });

/**
 * The message of the server's status 500 for an operation that its log does not have. It comes before any
 * change. Source: graph/operation.py, `get_log_record_type`.
 */
const NO_SUCH_OPERATION = 'Could not determine graph operation type.';

/** Sends an edit, and returns its operation and new roots. @throws The errors of {@link sendEditAndRead}. */
export async function sendEdit(
  api: Endpoints,
  call: Pick<EndpointCall, 'path' | 'query' | 'body'>,
  { remesh, priority, ...options }: EditOptions,
): Promise<{ operationId: number | undefined; newRoots: BigUint64Array }> {
  const sent = { ...call, method: 'POST' as const, query: { ...call.query, remesh, priority } };
  return sendEditAndRead(api, sent, options, (reply) => {
    const { operation_id: operationId, new_root_ids: newRoots } = api.parseJsonReply(edited, reply, sent);
    return { operationId: operationId ?? undefined, newRoots };
  });
}

/**
 * Sends a request that changes the graph, and returns what `read` makes of the reply. Then "now" of all
 * volumes on the graph is after the edit.
 *
 * @throws GraphError EDIT_UNCERTAIN if it is unknown whether the edit happened; after an abort, the abort is
 *   its `cause`. An abort before the request was sent throws `signal.reason`.
 */
export async function sendEditAndRead<T>(
  api: Endpoints,
  call: Omit<EndpointCall, 'retry' | 'onSend'>,
  options: CallOptions,
  read: (reply: ServerReply) => T,
): Promise<T> {
  const sentAt = new Date(api.server.clock.read().certainMs - 1000).toISOString();
  let sent = false;
  const onSend = (): void => void (sent = true);
  try {
    const reply = await api.reply({ ...call, retry: false, onSend }, options);
    const answer = read(reply);
    await moveNowAfterEdit(api, reply, options);
    return answer;
  } catch (error) {
    if (!sent || !isUncertain(error)) throw error;
    api.server.clock.noteEdit();
    const { url, status, serverMessage } =
      error instanceof GraphError ? error : { url: api.urlOf(call.path) };
    throw new GraphError(
      'EDIT_UNCERTAIN',
      `it is unknown whether the edit happened, and it is not sent again: check graph.operations({ from: '${sentAt}' }) and the status in their details, or the roots that its supervoxels have now (${error instanceof Error ? error.message : String(error)})`,
      url,
      status,
      { cause: error, serverMessage },
    );
  }
}

/**
 * Moves "now" after an edit. One request looks up when the new roots were made, which is the timestamp of the
 * edit. If that fails, the latest possible timestamp is used. Nothing is thrown, because the edit is already
 * done.
 */
async function moveNowAfterEdit(api: Endpoints, { body }: ServerReply, options: CallOptions): Promise<void> {
  const { clock } = api.server;
  let madeMs: number | undefined;
  try {
    const { operation_id: operationId, new_root_ids: newRoots } = edited.parse(
      parseExactJson(new TextDecoder().decode(body)),
    );
    if (operationId === null && newRoots.length === 0) return; // nothing changed
    const latestMs = Math.max(...(await rootTimestamps(api, newRoots, options)));
    if (Math.abs(latestMs) <= LAST_TIMESTAMP_MS) madeMs = latestMs;
  } catch {
    // Another kind of edit, or the request about its roots failed.
  }
  clock.noteEdit(madeMs);
}

/**
 * Whether an error after the request was sent leaves the result unknown. An abort, or closing the volume,
 * tells nothing about the server.
 */
const isUncertain = (error: unknown): boolean =>
  decideByError('edits', error) === 'unknown' &&
  !(error instanceof PathError) &&
  !(error instanceof GraphError && error.serverMessage === NO_SUCH_OPERATION);
