/** Endpoints that change the graph. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/common.py. */
import { wordsOfId } from '../graph/node-id-layout.ts';
import type { EditContext } from '../graph/operation-log.ts';
import type { EditOutcome } from '../graph/editor.ts';
import type { MockResponse } from '../message.ts';
import { intToJson, jsonReply, nodesToJson } from './endpoint-replies.ts';
import { locatePoints, supervoxelNodes, twoPoints, twoSides } from './edit-points.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { wholeNumber } from './parameters.ts';
import { requiredMember, parsePythonJson, RefusedRequest, uint64Array } from './python-values.ts';

export function mergeEndpoint(context: TableContext, request: EndpointRequest): Promise<MockResponse> {
  const { graph, editor } = context;
  const [{ ids, coords }] = locatePoints(context, twoPoints(context, request.body));
  const farthest = wholeNumber(request.query, 'chebyshev_distance', 3);
  const [source, sink] = ids.map((id) => graph.layout.chunkOf(...wordsOfId(id)));
  if (source.some((value, axis) => Math.abs(value - sink[axis]) > farthest))
    throw new RefusedRequest('Chebyshev distance between merge points exceeded allowed maximum (3 chunks).');
  return carryOut(context, request, (edit) => {
    const [from, to] = supervoxelNodes(graph, ids);
    const where = { sourceCoords: coords.slice(0, 1), sinkCoords: coords.slice(1) };
    return editor.merge([from, to], { ...edit, ...where });
  });
}

export function splitEndpoint(context: TableContext, request: EndpointRequest): Promise<MockResponse> {
  const { graph, editor } = context;
  const { sources, sinks } = twoSides(context, request.body);
  const mincut = request.query.get('mincut');
  const isCut = mincut === null || ['yes', 'true', 't', '1'].includes(mincut.toLowerCase());
  return carryOut(context, request, (edit) => {
    const where = { ...edit, sourceCoords: sources.coords, sinkCoords: sinks.coords };
    const [from, to] = [supervoxelNodes(graph, sources.ids), supervoxelNodes(graph, sinks.ids)];
    return isCut ? editor.cut(from, to, where) : editor.split(from, to, where);
  });
}

export const undoEndpoint = (context: TableContext, request: EndpointRequest): Promise<MockResponse> =>
  carryOut(context, request, (edit) => context.editor.undo(operationOf(request.body), edit));

export const redoEndpoint = (context: TableContext, request: EndpointRequest): Promise<MockResponse> =>
  carryOut(context, request, (edit) => context.editor.redo(operationOf(request.body), edit));

const operationOf = (body: Uint8Array): number =>
  Number(uint64Array([requiredMember(parsePythonJson(body), 'operation_id')])[0]);

/**
 * Makes an edit. Its changes can be read only after `visibleAfterMs`, with the timestamp at which it began.
 */
async function carryOut(
  context: TableContext,
  { user, query }: EndpointRequest,
  edit: (edit: EditContext) => EditOutcome,
): Promise<MockResponse> {
  const { operation, newRoots } = await context.runInTurn(async () => {
    const timeMs = context.nextEditMs();
    if (context.visibleAfterMs > 0) await context.wait(context.visibleAfterMs);
    const edited = edit({ user: String(user.id ?? 1), timeMs });
    if (edited.operation) edited.operation.writtenMs = Math.max(timeMs, Math.floor(context.now()));
    return edited;
  });
  return jsonReply({
    operation_id: operation && intToJson(query)(operation.id),
    new_root_ids: nodesToJson(context, query, newRoots),
  });
}
