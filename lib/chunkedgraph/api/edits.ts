/**
 * Changes to the graph. Never sent twice: whoever loses the connection does not know whether the edit happened, and a second one is another.
 * Source: PyChunkedGraph, app/segmentation/common.py, `handle_merge`, `handle_split`, `handle_undo`, `handle_redo`.
 */
import { z } from 'zod';
import { GraphError, RequestError } from '../../base/errors.ts';
import type { Call, CallOptions, Endpoints } from './endpoints.ts';
import { count, ids as idList } from './shapes.ts';

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
export const CHANGES = /(?:^|\/)(?:merge|merge_admin|split|undo|redo|rollback_user)\/?$/;

const edited = z.object({ operation_id: count.nullable(), new_root_ids: idList });

/** 502 to 504: a proxy gave up on a server that may go on. */
const GAVE_UP = new Set([502, 503, 504]);

/** @throws GraphError EDIT_UNCERTAIN when nobody knows whether it happened. */
export async function sendEdit(api: Endpoints, call: Pick<Call, 'path' | 'query' | 'body'>, { remesh, priority, ...options }: EditOptions): Promise<{ operationId: number | undefined; newRoots: BigUint64Array }> {
  const sentAt = new Date(api.server.clock.now() - 1000).toISOString();
  try {
    const { operation_id: operationId, new_root_ids: newRoots } = await api.json(edited, { ...call, method: 'POST', retry: false, query: { ...call.query, remesh, priority } }, options);
    return { operationId: operationId ?? undefined, newRoots };
  } catch (error) {
    if (!(error instanceof GraphError) || !isUncertain(error)) throw error;
    throw new GraphError(
      'EDIT_UNCERTAIN',
      `it is unknown whether the edit happened, and it is not sent again: see graph.operations({ from: '${sentAt}' }), or what roots its supervoxels have now (${error.message})`,
      error.url, error.status, { cause: error, serverMessage: error.serverMessage },
    );
  }
}

function isUncertain({ code, status, cause }: GraphError): boolean {
  if (code === 'CONNECTION' || code === 'TIMEOUT') return !(cause instanceof RequestError && cause.broken === 'unreachable');
  return code === 'BAD_REPLY' || (code === 'HTTP_STATUS' && GAVE_UP.has(status ?? 0));
}
