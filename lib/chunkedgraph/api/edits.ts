/**
 * Changes to the graph. Never sent twice: whoever loses the connection does not know whether the edit happened, and a second one is another.
 * Source: PyChunkedGraph, app/segmentation/common.py, `handle_merge`, `handle_split`, `handle_undo`, `handle_redo`.
 */
import * as z from 'zod';
import { GraphError, PathError } from '../../base/errors.ts';
import { decideByError } from '../../failures/retry-decision.ts';
import { parseExactJson } from '../server/exact-json.ts';
import type { ServerReply } from '../server/graph-server.ts';
import { LAST_TIMESTAMP_MS } from '../ids/timestamp.ts';
import type { EndpointCall, CallOptions, Endpoints } from './endpoints.ts';
import { rootTimestamps } from './root-lifetimes.ts';
import { count, ids as idList } from './reply-schemas.ts';

export interface EditOptions extends CallOptions {
  /** Whether meshes are made anew. @default true, the server's */
  remesh?: boolean;
  /** Whether that is urgent. @default true, the server's */
  priority?: boolean;
}

export interface EditResult {
  operationId: number;
  newRoots: BigUint64Array;
}

/** Paths below the table that change something. */
export const EDIT_PATHS = /(?:^|\/)(?:merge|merge_admin|split|undo|redo|rollback_user)\/?$/;

const edited = z.object({ operation_id: count.nullable(), new_root_ids: idList });

/** The server's own 500 for an operation that its log does not have, raised as it is read. Source: graph/operation.py, `get_log_record_type`. */
const NO_SUCH_OPERATION = 'Could not determine graph operation type.';

/** @throws as {@link sendEditAndRead}. */
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
 * What `read` makes of the reply to a call that changes the graph. Once it is there, "now" of all volumes on the graph comes after the edit.
 * @throws GraphError EDIT_UNCERTAIN when nobody knows whether it happened: an abort is its `cause` then; before it was sent, `signal.reason`.
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
    await comeAfter(api, reply, options);
    return answer;
  } catch (error) {
    if (!sent || !isUncertain(error)) throw error;
    api.server.clock.noteEdit();
    const { url, status, serverMessage } =
      error instanceof GraphError ? error : { url: api.urlOf(call.path) };
    throw new GraphError(
      'EDIT_UNCERTAIN',
      `it is unknown whether the edit happened, and it is not sent again: see graph.operations({ from: '${sentAt}' }) and the status in their details, or what roots its supervoxels have now (${error instanceof Error ? error.message : String(error)})`,
      url,
      status,
      { cause: error, serverMessage },
    );
  }
}

/**
 * Has "now" come after an edit. New roots bear its timestamp, so they are asked; where that cannot be had, the latest that it can be counts.
 * Nothing that fails here makes the edit undone: nothing is thrown.
 */
async function comeAfter(api: Endpoints, { body }: ServerReply, options: CallOptions): Promise<void> {
  const { clock } = api.server;
  let madeMs: number | undefined;
  try {
    const { operation_id: operationId, new_root_ids: newRoots } = edited.parse(
      parseExactJson(new TextDecoder().decode(body)),
    );
    if (operationId === null && newRoots.length === 0) return; // nothing happened
    const latestMs = Math.max(...(await rootTimestamps(api, newRoots, options)));
    if (Math.abs(latestMs) <= LAST_TIMESTAMP_MS) madeMs = latestMs;
  } catch {
    // another kind of edit, or its roots cannot be asked about
  }
  clock.noteEdit(madeMs);
}

/** Of an error after it was sent. An abort, and the closing of the volume, say nothing of what the server does. */
const isUncertain = (error: unknown): boolean =>
  decideByError('edits', error) === 'unknown' &&
  !(error instanceof PathError) &&
  !(error instanceof GraphError && error.serverMessage === NO_SUCH_OPERATION);
