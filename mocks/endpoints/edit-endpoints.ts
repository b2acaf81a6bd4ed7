/** Endpoints that change the graph. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/common.py. */
import { scaleOf } from '../graph/chunk-grid.ts';
import { wordsOfId } from '../graph/node-id-layout.ts';
import type { EditContext } from '../graph/operation-log.ts';
import type { EditOutcome } from '../graph/editor.ts';
import type { MockResponse } from '../message.ts';
import { intToJson, jsonReply, nodesToJson } from './endpoint-replies.ts';
import { locatePoints, supervoxelNodes, twoPoints, twoSides, type EditPoints } from './edit-points.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { wholeNumber } from './parameters.ts';
import {
  requiredMember,
  parsePythonJson,
  RefusedRequest,
  ServerCrash,
  uint64Array,
} from './python-values.ts';

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
    const parts = splitShared(context, sources, sinks, edit.timeMs);
    if (parts) return editor.split(parts.slice(0, 1), parts.slice(1), where);
    const [from, to] = [supervoxelNodes(graph, sources.ids), supervoxelNodes(graph, sinks.ids)];
    return isCut ? editor.cut(from, to, where) : editor.split(from, to, where);
  });
}

/**
 * Splits the supervoxel that all points of both sides lie in: each voxel goes to the side of the nearest point.
 * @returns The parts of the sources and of the sinks; undefined where the sides share no supervoxel.
 */
function splitShared(
  { graph, info, splitSupervoxel }: TableContext,
  sources: EditPoints,
  sinks: EditPoints,
  timeMs: number,
): number[] | undefined {
  const [shared] = sources.ids.filter((id) => sinks.ids.includes(id));
  if (!splitSupervoxel || shared === undefined) return undefined;
  if ([...sources.ids, ...sinks.ids].some((id) => id !== shared))
    throw new ServerCrash('the mock splits a supervoxel only if all points lie in it');
  const { resolution } = scaleOf(info);
  const distance = (points: readonly number[][], voxel: readonly number[]): number =>
    Math.min(
      ...points.map((point) => Math.hypot(...point.map((v, axis) => (v - voxel[axis]) * resolution[axis]))),
    );
  const isSink = (...voxel: number[]): number =>
    distance(sinks.coords, voxel) < distance(sources.coords, voxel) ? 1 : 0;
  return supervoxelNodes(graph, splitSupervoxel(shared, isSink, timeMs));
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
