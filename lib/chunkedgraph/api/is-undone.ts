/**
 * Checks whether an operation was undone, so that a redo makes sense. The server does not check: it repeats
 * an operation that was never undone, if its supervoxels are in the state from before the operation. Source:
 * PyChunkedGraph, graph/operation.py, `_resolve_undo_chain`, `RedoOperation`.
 */
import { GraphError } from '../../base/errors.ts';
import { LAST_TIMESTAMP_MS } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { lineageWalk } from './history.ts';
import { operationDetails, type OperationDetails } from './operations.ts';

/** The operation that an undo or a redo refers to. */
interface Target {
  kind: 'undo' | 'redo';
  of: number;
}

const DONE = 0;

/**
 * Whether an operation was undone, and not redone since. For an undo, this means: whether the operation that
 * it undid was redone. It takes three small requests, and more for a chain of undos.
 *
 * @throws GraphError UNKNOWN_ID if there is no such operation.
 */
export async function isUndone(
  api: Endpoints,
  operationId: number,
  nowMs: number,
  options: CallOptions,
): Promise<boolean> {
  let operation = await detailsOf(api, operationId, options),
    undoes: Target['kind'] = 'undo';
  for (let target = targetOf(operation); target; target = targetOf(operation)) {
    if (target.kind === 'undo') undoes = undoes === 'undo' ? 'redo' : 'undo';
    operation = await detailsOf(api, target.of, options);
  }
  const { newRoots, operationId: originalId, status } = operation;
  if (status !== DONE || newRoots.length === 0) return false;
  // An undo or redo of the operation edited the roots that its own roots had become.
  const { nodes } = await lineageWalk(api, newRoots, LAST_TIMESTAMP_MS, nowMs, options);
  const later = [
    ...new Set(nodes.flatMap(({ operationId: by }) => (by !== undefined && by > originalId ? [by] : []))),
  ];
  const log = later.length > 0 ? [...(await operationDetails(api, later, options)).values()] : [];
  const revisits = log
    .filter((entry) => entry.status === DONE && targetOf(entry)?.of === originalId)
    .sort((a, b) => b.operationId - a.operationId);
  return revisits.length > 0 && targetOf(revisits[0])!.kind === undoes;
}

async function detailsOf(
  api: Endpoints,
  operationId: number,
  options: CallOptions,
): Promise<OperationDetails> {
  const details = (await operationDetails(api, [operationId], options)).get(operationId);
  if (!details)
    throw new GraphError(
      'UNKNOWN_ID',
      `the log does not have operation ${operationId}`,
      api.urlOf('operation_details'),
      200,
    );
  return details;
}

function targetOf({ raw }: OperationDetails): Target | undefined {
  const { undo_operation_id: undo, redo_operation_id: redo } = raw;
  if (undo !== undefined) return { kind: 'undo', of: Number(undo) };
  return redo === undefined ? undefined : { kind: 'redo', of: Number(redo) };
}
