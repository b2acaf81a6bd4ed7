/** What a node is made of: its leaves, children, edges and paths. Source: PyChunkedGraph, app/segmentation/v1/routes.py and common.py. */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { toUnixSeconds } from '../ids/timestamp.ts';
import { formatBounds, clipToVolume, createBoxFilter, type Box, type NodeSpace } from './box.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import type { Bounds } from './check-arguments.ts';
import { floats, id, idPairs, ids as idList } from './reply-schemas.ts';

export interface LeavesOptions extends CallOptions {
  /** Only nodes whose graph chunk touches this box, the one asked about too. @default the whole object */
  bounds?: Bounds;
  /**
   * 1 for supervoxels, up to the root layer. Above 2, parts of an object that have no node of exactly this layer are left out by the server.
   * @default 1
   */
  stopLayer?: number;
  /**
   * Leaves out what is not part of the node: when a merge is undone, the server may leave a small object below the root of another. Costs one
   * request about when the nodes were made, and a root look-up of the leaves for each moment at which nodes were made; with `stopLayer` above
   * 1 also the supervoxels of the leaves, and a look-up of one of each.
   * @default false
   */
  verify?: boolean;
}

export interface Subgraph {
  /** Supervoxels at the ends of each edge: `edges[2 * k]` and `edges[2 * k + 1]`. */
  edges: BigUint64Array;
  /** One an edge; Infinity is possible. */
  affinities: Float64Array;
  /** One an edge. */
  areas: Float64Array;
}

/** Layer-2 IDs of a chunk with the supervoxels each is made of. */
export interface ChunkChildren {
  l2Ids: BigUint64Array;
  /** Parallel to `l2Ids`. */
  supervoxelIds: BigUint64Array;
}

export interface SplitPreview {
  /** Supervoxels near the points of the parts that would come of it: those of the sources first, those of the sinks second. */
  parts: BigUint64Array[];
  /** The points could not be told apart. */
  illegal: boolean;
}

export async function rootOf(
  api: Endpoints,
  node: bigint,
  timestampMs: number,
  stopLayer: number | undefined,
  options: CallOptions,
): Promise<bigint> {
  const call = {
    path: `node/${node}/root`,
    query: { timestamp: toUnixSeconds(timestampMs), stop_layer: stopLayer },
  };
  return (await api.json(z.object({ root_id: id }), call, options)).root_id;
}

export async function leaves(
  api: Endpoints,
  space: NodeSpace,
  node: bigint,
  { bounds, stopLayer = 1, ...options }: Omit<LeavesOptions, 'verify'>,
): Promise<BigUint64Array> {
  const box = clipToVolume(bounds, space.grid),
    layer = space.ids.layerOf(node);
  if (box === null || !createBoxFilter(box, space)(node)) return new BigUint64Array(0);
  // The server gives back any ID of that layer, without looking whether there is such a node.
  if (layer > 1 && layer === stopLayer)
    return (await children(api, node, options)).length > 0 ? BigUint64Array.of(node) : new BigUint64Array(0);
  const call = {
    path: `node/${node}/leaves`,
    query: { bounds: formatBounds(box), stop_layer: stopLayer === 1 ? undefined : stopLayer },
  };
  return (await api.json(z.object({ leaf_ids: idList }), call, options)).leaf_ids;
}

/** Nodes in one request: their answers come in one reply. */
const NODES_AT_ONCE = 1000;

/**
 * @param groups The nodes, parted so that no two of a group have anything below them in common: of what two nodes share, the server
 *   gives one of them nothing.
 */
export async function leavesMany(
  api: Endpoints,
  box: Box | undefined,
  groups: readonly BigUint64Array[],
  { stopLayer, ...options }: Omit<LeavesOptions, 'bounds' | 'verify'>,
): Promise<Map<bigint, BigUint64Array>> {
  const found = new Map<bigint, BigUint64Array>();
  const ask = async (nodes: bigint[]): Promise<void> => {
    const path = 'leaves_many',
      call = {
        method: 'POST' as const,
        path,
        query: { bounds: formatBounds(box), stop_layer: stopLayer },
        body: { node_ids: nodes },
      };
    const answer = await api.json(z.record(z.string(), idList), call, options);
    for (const node of nodes) {
      const list = answer[String(node)];
      if (!list)
        throw new GraphError(
          'BAD_REPLY',
          `${api.urlOf(path)} answered nothing for ${node}`,
          api.urlOf(path),
          200,
        );
      found.set(node, list);
    }
  };
  const calls: Promise<void>[] = [];
  for (const group of groups) {
    const nodes = [...new Set(group)];
    for (let start = 0; start < nodes.length; start += NODES_AT_ONCE)
      calls.push(ask(nodes.slice(start, start + NODES_AT_ONCE)));
  }
  await Promise.all(calls);
  return found;
}

export async function children(api: Endpoints, node: bigint, options: CallOptions): Promise<BigUint64Array> {
  return (await api.json(z.object({ children_ids: idList }), { path: `node/${node}/children` }, options))
    .children_ids;
}

export async function l2ChunkChildren(
  api: Endpoints,
  chunk: bigint,
  timestampMs: number,
  options: CallOptions,
): Promise<ChunkChildren> {
  const path = `l2_chunk_children_binary/${chunk}`;
  // Without as_array it answers a Python pickle, and the JSON endpoint fails.
  const flat = await api.ids(
    { path, query: { as_array: true, timestamp: toUnixSeconds(timestampMs) } },
    options,
  );
  api.check(z.literal(0, { error: 'expected pairs' }), flat.length % 2, { path }, 200);
  return { l2Ids: flat.filter((_id, k) => k % 2 === 0), supervoxelIds: flat.filter((_id, k) => k % 2 === 1) };
}

/** @throws GraphError UNKNOWN_ID, too. */
export async function subgraph(
  api: Endpoints,
  space: NodeSpace,
  node: bigint,
  bounds: Bounds | undefined,
  options: CallOptions,
): Promise<Subgraph> {
  const box = clipToVolume(bounds, space.grid),
    path = `node/${node}/subgraph`;
  const none = { edges: new BigUint64Array(0), affinities: new Float64Array(0), areas: new Float64Array(0) };
  if (box === null || space.ids.layerOf(node) === 1 || !createBoxFilter(box, space)(node)) return none;
  const shape = z.object({ nodes: idPairs, affinities: floats, areas: floats });
  const asked = api
    .json(shape, { path, query: { bounds: formatBounds(box) } }, options)
    .catch(async (error: unknown) => {
      // The server fails where there is nothing.
      if (
        !(error instanceof GraphError && error.status === 500) ||
        (await leaves(api, space, node, { bounds, stopLayer: 2, ...options })).length > 0
      )
        throw error;
      if (box !== undefined && (await children(api, node, options)).length > 0) return undefined;
      throw new GraphError('UNKNOWN_ID', `the graph has no node ${node}`, api.urlOf(path), error.status, {
        serverMessage: error.serverMessage,
      });
    });
  const answer = await asked;
  if (answer === undefined) return none;
  const { nodes, affinities, areas } = answer;
  api.check(
    z.literal(nodes.length / 2, { error: 'one affinity and one area an edge' }),
    affinities.length === areas.length ? areas.length : NaN,
    { path },
    200,
  );
  return { edges: nodes, affinities, areas };
}

export async function level2Graph(
  api: Endpoints,
  space: NodeSpace,
  node: bigint,
  bounds: Bounds | undefined,
  options: CallOptions,
): Promise<BigUint64Array> {
  const box = clipToVolume(bounds, space.grid),
    path = `node/${node}/lvl2_graph`;
  if (box === null || !createBoxFilter(box, space)(node)) return new BigUint64Array(0);
  const { value, headers } = await api.jsonAndHeaders(
    z.object({ edge_graph: idPairs }),
    { path, query: { bounds: formatBounds(box) } },
    options,
  );
  if (box !== undefined && !/^true$/i.test(String(headers['used-bounds'])))
    throw new GraphError(
      'BROKEN_ENDPOINT',
      `${api.urlOf(path)} did not heed the bounds: PyChunkedGraph does from 2.15 on`,
      api.urlOf(path),
      200,
    );
  return value.edge_graph;
}

/** A point on a node: coordinates in nanometres, the ID of the supervoxel there or of the object it is on. */
export interface GraphPoint {
  id: bigint;
  nm: readonly number[];
}

export const toNodeTuple = ({ id, nm }: GraphPoint): unknown[] => [id, ...nm];

export async function splitPreview(
  api: Endpoints,
  sources: readonly GraphPoint[],
  sinks: readonly GraphPoint[],
  options: CallOptions,
): Promise<SplitPreview> {
  const shape = z.object({ supervoxel_connected_components: z.array(idList), illegal_split: z.boolean() });
  const body = { sources: sources.map(toNodeTuple), sinks: sinks.map(toNodeTuple) };
  const answer = await api.json(shape, { method: 'POST', path: 'graph/split_preview', body }, options);
  return { parts: answer.supervoxel_connected_components, illegal: answer.illegal_split };
}
