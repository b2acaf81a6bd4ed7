/**
 * Whether there is anything to redo. The server does not ask: it carries out an operation again that nobody has undone, wherever its
 * supervoxels stand as they did before it. Source: PyChunkedGraph, graph/operation.py, `_resolve_undo_chain`, `RedoOperation`.
 */
import { GraphError } from '../../base/errors.ts';
import { LAST_TIMESTAMP_MS } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { lineageWalk } from './history.ts';
import { operationDetails, type OperationDetails } from './operations.ts';

/** What an undo or a redo is of. */
interface Target {
  kind: 'undo' | 'redo';
  of: number;
}

const DONE = 0;

/**
 * Whether what a redo would do has been undone, and not been done again since. For an undo that is: whether what it undid was redone.
 * Three small requests; more for a chain of undos of undos.
 * @throws GraphError UNKNOWN_ID when there is no such operation.
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
  const { newRoots, operationId: of, status } = operation;
  if (status !== DONE || newRoots.length === 0) return false;
  // Whoever undid it, or did it again, edited what its roots had become.
  const { nodes } = await lineageWalk(api, newRoots, LAST_TIMESTAMP_MS, nowMs, options);
  const later = [
    ...new Set(nodes.flatMap(({ operationId: by }) => (by !== undefined && by > of ? [by] : []))),
  ];
  const log = later.length > 0 ? [...(await operationDetails(api, later, options)).values()] : [];
  const revisits = log
    .filter((one) => one.status === DONE && targetOf(one)?.of === of)
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
      `the log has no operation ${operationId}`,
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
