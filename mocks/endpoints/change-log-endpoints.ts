/**
 * Endpoints about all operations of a table: their users, times and edges. Source: PyChunkedGraph,
 * pychunkedgraph/app/segmentation/common.py.
 */
import type { Edge } from '../graph/edge-table.ts';
import { BOX_OFFSET } from '../graph/merge-edges.ts';
import { STATUS, type MockOperation } from '../graph/operation-log.ts';
import { reply, type MockResponse } from '../message.ts';
import { intToJson, jsonReply } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { toDataFrame, dataFrameReply } from './data-frame.ts';
import { flag, optionalMs } from './parameters.ts';
import { requiredMember, NumberText, parsePythonJson, pythonTime, RefusedRequest } from './python-values.ts';

export function changeLogEndpoint(context: TableContext): MockResponse {
  return reply(200, 'text/csv', csv(context), {
    'content-disposition': `attachment; filename=${context.table}.csv`,
  });
}

/** All operations except the newest, unless `strict`: the real server's loop ends too early. */
function csv({ strict, editor: { operations }, graph: { nodes } }: TableContext): string {
  const lines = (strict ? operations : operations.slice(0, -1)).map(({ user, added, roots, timeMs }) => {
    const ids = csvCell(`[${wrapped([...nodes.idsOf(roots)].map(String))}]`);
    return `${user},${added ? 'merge' : 'split'},${ids},${pythonTime(timeMs)}`;
  });
  return ['user_id,action,root_ids,timestamp', ...lines, ''].join('\r\n');
}

const csvCell = (text: string): string => (/[\n",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Lines of at most 75 characters, as numpy prints an array. */
function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last].length + word.length + 2 < 75) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  return lines.join('\n ');
}

export function tabularChangeLogRecentEndpoint(
  context: TableContext,
  { query }: EndpointRequest,
): MockResponse {
  const fromMs = optionalMs(query, 'timestamp') ?? 0,
    toMs = optionalMs(query, 'timestamp_end');
  const rows = written(context, fromMs, toMs).map(tableRow);
  return dataFrameReply(query, toDataFrame(rows, ['operation_id', 'timestamp', 'user_id', 'is_merge']));
}

export function userOperationsEndpoint(context: TableContext, { query }: EndpointRequest): MockResponse {
  const user = query.get('user_id');
  const fromMs = optionalMs(query, 'start_time') ?? 0,
    toMs = optionalMs(query, 'end_time');
  // the real server refuses its own default
  if (toMs === undefined)
    throw new RefusedRequest('Timestamp parameter end_time is not a valid unix timestamp');
  const entries = written(context, fromMs, toMs).filter((operation) => operation.user === user);
  const shown = flag(query, 'include_undone') ? entries : withoutUndone(entries);
  return dataFrameReply(query, toDataFrame(shown.map(tableRow), ['operation_id', 'timestamp']));
}

/**
 * Operations with a log entry in [fromMs, toMs). An entry is written when the edit begins and again when it
 * is done.
 */
const written = ({ editor }: TableContext, fromMs: number, toMs = Infinity): MockOperation[] =>
  editor.operations.filter(({ timeMs, writtenMs }) =>
    [timeMs, writtenMs].some((ms) => ms >= fromMs && ms < toMs),
  );

function withoutUndone(entries: readonly MockOperation[]): MockOperation[] {
  const undone = new Set<number>();
  for (const { kind, of, status } of entries) {
    if (status !== STATUS.success) continue;
    if (kind === 'undo') undone.add(of!);
    if (kind === 'redo') undone.delete(of!);
  }
  return entries.filter(({ id, of }) => of === undefined && !undone.has(id));
}

const tableRow = ({ id, timeMs, user, added }: MockOperation) => ({
  operation_id: id,
  timestamp: timeMs,
  user_id: user,
  is_merge: added !== undefined,
});

export function operationDetailsEndpoint(context: TableContext, { query }: EndpointRequest): MockResponse {
  const { operations } = context.editor;
  const requested = parsePythonJson(new TextEncoder().encode(query.get('operation_ids') ?? '[]'));
  const ids = (
    Array.isArray(requested) ? requested : Object.values(requiredMember({ requested }, 'requested') as object)
  ).map((id) => (id instanceof NumberText ? Number(id.text) : Number(id)));
  const known = ids.filter((id) => Number.isInteger(id) && id > 0 && id <= operations.length);
  return jsonReply(
    Object.fromEntries(known.map((id) => [String(id), details(context, query, operations[id - 1])])),
  );
}

function details(
  { graph: { nodes } }: TableContext,
  query: URLSearchParams,
  operation: MockOperation,
): unknown {
  const pairs = (edges: readonly Edge[]): bigint[][] => edges.map((edge) => [...nodes.idsOf(edge)]);
  const { kind, of, added, removed, sources, sinks, sourceCoords, sinkCoords } = operation;
  const when = pythonTime(operation.timeMs);
  return {
    ...(added ? { added_edges: pairs(added) } : {}),
    ...(removed ? { removed_edges: pairs(removed) } : {}),
    ...(sources ? { source_ids: [...nodes.idsOf(sources)], bb_offset: [...BOX_OFFSET] } : {}),
    ...(sinks ? { sink_ids: [...nodes.idsOf(sinks)] } : {}),
    ...(sourceCoords ? { source_coords: sourceCoords } : {}),
    ...(sinkCoords ? { sink_coords: sinkCoords } : {}),
    ...(of === undefined ? {} : { [`${kind}_operation_id`]: intToJson(query)(of) }),
    operation_exception: operation.exception,
    operation_status: operation.status,
    operation_ts: when,
    roots: [...nodes.idsOf(operation.roots)],
    timestamp: when,
    user: operation.user,
  };
}
