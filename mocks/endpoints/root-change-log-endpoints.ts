/**
 * Endpoints about the operations that led to a root. Source: PyChunkedGraph,
 * pychunkedgraph/graph/segmenthistory.py.
 */
import type { RootLineage } from '../graph/lineage-graph.ts';
import type { MockOperation } from '../graph/operation-log.ts';
import { findRootsAt } from '../graph/roots-at.ts';
import type { MockResponse } from '../message.ts';
import { idsToJson, intToJson, jsonReply, nodesToJson } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { dataFrameJson, toDataFrame, dataFrameReply, type DataFrame } from './data-frame.ts';
import { flag, idOfPath, idsOfBody, optionalMs } from './parameters.ts';
import { ServerCrash } from './python-values.ts';
import { oldestMs, segmentHistory } from './segment-history.ts';

export function rootChangeLogEndpoint(
  context: TableContext,
  { query, parts }: EndpointRequest,
): MockResponse {
  const { roots, lineage } = segmentHistory(
    context,
    [idOfPath(parts.id)],
    optionalMs(query, 'timestamp') ?? 0,
  );
  const isShown = shown(flag(query, 'filtered'));
  const changes = changesOf(context, lineage, roots[0]).filter(isShown);
  const count = (merges: boolean, of?: string): number =>
    changes.filter(({ is_merge, user_id }) => is_merge === merges && (of === undefined || user_id === of))
      .length;
  const users = [...new Set(changes.map(({ user_id }) => user_id))].sort();
  const out = intToJson(query);
  return jsonReply({
    n_mergers: count(true),
    n_splits: changes.length === 0 ? 0 : out(count(false)),
    operations_ids: changes.map(({ operation_id }) => out(operation_id)),
    past_ids: idsToJson(
      query,
      changes.flatMap(({ before_root_ids }) => before_root_ids),
    ),
    user_info: Object.fromEntries(
      users.map((of) => [of, { n_mergers: count(true, of), n_splits: out(count(false, of)) }]),
    ),
  });
}

export function tabularChangeLogEndpoint(
  context: TableContext,
  { query, parts }: EndpointRequest,
): MockResponse {
  const [frame] = tabular(context, [idOfPath(parts.id)], flag(query, 'filtered', true)).values();
  return dataFrameReply(query, frame);
}

export function tabularChangeLogManyEndpoint(
  context: TableContext,
  { query, body }: EndpointRequest,
): MockResponse {
  const frames = tabular(context, idsOfBody(body, { key: 'root_ids' }), flag(query, 'filtered', true));
  return jsonReply(Object.fromEntries([...frames].map(([id, frame]) => [id, dataFrameJson(frame)])));
}

export function mergeLogEndpoint(context: TableContext, { query, parts }: EndpointRequest): MockResponse {
  const { roots, lineage } = segmentHistory(context, [idOfPath(parts.id)]);
  const merges = operationsBehind(context, lineage, roots[0]).filter(({ added }) => added !== undefined);
  if (merges.some(({ sourceCoords, sinkCoords }) => !sourceCoords || !sinkCoords))
    throw new ServerCrash("_Attribute(key=b'source_coords', family_id='2')");
  const coords = (list: readonly (readonly number[])[]): unknown =>
    list.map((voxel) => voxel.map(intToJson(query)));
  return jsonReply({
    merge_edges: merges.map(({ added }) => added!.map((edge) => nodesToJson(context, query, edge))),
    merge_edge_coords: merges.map(({ sourceCoords, sinkCoords }) => [
      coords(sourceCoords!),
      coords(sinkCoords!),
    ]),
  });
}

/** An operation as shown in the change log of a root. */
interface Change {
  operation_id: number;
  timestamp: number;
  user_id: string;
  before_root_ids: bigint[];
  after_root_ids: bigint[];
  is_merge: boolean;
  in_neuron: boolean;
  is_relevant: boolean;
}

const COLUMNS = [
  'operation_id',
  'timestamp',
  'user_id',
  'before_root_ids',
  'after_root_ids',
  'is_merge',
] as const;

/** Selects changes. @param filtered Leaves out changes that have no effect on the root. */
const shown =
  (filtered: boolean) =>
  ({ in_neuron, is_relevant }: Change): boolean =>
    !filtered || (in_neuron && is_relevant);

/** Change logs by root ID. If any of them has a row, all have columns with the users' names. */
function tabular(context: TableContext, ids: Iterable<bigint>, filtered: boolean): Map<string, DataFrame> {
  const { graph, users } = context;
  const names = [...COLUMNS, ...(filtered ? [] : (['in_neuron', 'is_relevant'] as const))];
  const { roots, lineage } = segmentHistory(context, ids);
  const frames = new Map(
    roots.map((root) => [
      String(graph.nodes.idOf(root)),
      toDataFrame(changesOf(context, lineage, root), names, shown(filtered)),
    ]),
  );
  if ([...frames.values()].every(({ labels }) => labels.length === 0)) return frames;
  for (const { columns } of frames.values()) {
    const known = (columns.user_id as string[]).map((id) =>
      Object.hasOwn(users, id) ? users[id] : undefined,
    );
    columns.user_name = known.map((user) => user?.name ?? 'unknown');
    columns.user_affiliation = known.map((user) => user?.affiliation ?? (user ? null : 'unknown'));
  }
  return frames;
}

function changesOf(context: TableContext, lineage: RootLineage, root: number): Change[] {
  const { graph } = context;
  const { nodes, layout } = graph;
  const rootsOfEdit = (edited: readonly number[], timeMs: number): bigint[] => [
    ...findRootsAt(graph, nodes.idsOf(edited), { timeMs, stopLayer: layout.layers, strict: false }).ids,
  ];
  return operationsBehind(context, lineage, root).map((operation) => {
    const edited = operation.sources
      ? [...operation.sinks!, ...operation.sources]
      : [...(operation.added ?? operation.removed ?? [])].flat();
    const now = rootsOfEdit(edited, nodes.createdMs(root)),
      before = rootsOfEdit(edited, oldestMs(context) ?? 0);
    const replaced = lineage.roots.filter((old) => lineage.operations.get(old) === operation.id);
    const isMerge = operation.added !== undefined;
    const isHere = (id: bigint): boolean => id === nodes.idOf(root);
    return {
      operation_id: operation.id,
      timestamp: operation.timeMs,
      user_id: operation.user,
      before_root_ids: [...nodes.idsOf(replaced)],
      after_root_ids: [...nodes.idsOf(lineage.next(replaced[0]))],
      is_merge: isMerge,
      in_neuron: isMerge ? now.every(isHere) : now.some(isHere),
      is_relevant: new Set(isMerge ? before : now).size !== 1,
    };
  });
}

/** The operations that led to a root, in the order of their IDs. */
function operationsBehind({ editor }: TableContext, lineage: RootLineage, root: number): MockOperation[] {
  const ids = new Set([...lineage.ancestors(root)].map((ancestor) => lineage.operations.get(ancestor) ?? 0));
  return editor.operations.filter(({ id }) => ids.has(id));
}
