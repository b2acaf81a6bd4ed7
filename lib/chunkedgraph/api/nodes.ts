/**
 * Requests about the parts of nodes: leaves, children and edges; and previews of splits. Source:
 * PyChunkedGraph, app/segmentation/v1/routes.py and common.py.
 */
import * as z from 'zod/mini';
import { GraphError } from '../../base/errors.ts';
import { toUnixSeconds } from '../ids/timestamp.ts';
import { formatBounds, clipToVolume, createBoxFilter, type Box, type NodeSpace } from './box.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import type { Bounds } from './check-arguments.ts';
import { floats, id, idPairs, ids as idList } from './reply-schemas.ts';

/** Options of `leaves` and `leavesMany`. */
export interface LeavesOptions extends CallOptions {
  /**
   * Returns only nodes whose graph chunk touches this box. The requested node itself must touch it, too.
   * @default the whole object
   */
  bounds?: Bounds;
  /**
   * Layer of the leaves, from 1 (supervoxels) to the root layer. Above 2, the server omits parts of an object
   * that have no node of exactly this layer. @default 1
   */
  stopLayer?: number;
  /**
   * If true, leaves that do not belong to the node are removed. When a merge is undone, the server may leave
   * a small object below the root of another one. This costs one request for the creation times of the nodes,
   * and one root look-up of the leaves per creation time. With `stopLayer` above 1, it also costs the
   * supervoxels of the leaves, and a look-up of one per leaf.
   * @default false
   */
  verify?: boolean;
}

/** The edges between the supervoxels of a node. */
export interface Subgraph {
  /** The supervoxels at the ends of each edge: edge k joins `edges[2 * k]` and `edges[2 * k + 1]`. */
  edges: BigUint64Array;
  /** One affinity per edge; Infinity is possible. */
  affinities: Float64Array;
  /** One area per edge. */
  areas: Float64Array;
}

/** The layer-2 IDs of a graph chunk, with the supervoxels of each. */
export interface ChunkChildren {
  /** One layer-2 ID per supervoxel, so each occurs as often as it has supervoxels. */
  l2Ids: BigUint64Array;
  /** One supervoxel per entry of `l2Ids`. */
  supervoxelIds: BigUint64Array;
}

/** The preview of a split. */
export interface SplitPreview {
  /**
   * The supervoxels of each part near the points: first the parts of the sources, then those of the sinks.
   */
  parts: BigUint64Array[];
  /** Whether the split is impossible: the server could not separate the points. */
  illegal: boolean;
}

/** Requests the root of one node. */
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

/** Requests the leaves of one node. */
export async function leaves(
  api: Endpoints,
  space: NodeSpace,
  node: bigint,
  { bounds, stopLayer = 1, ...options }: Omit<LeavesOptions, 'verify'>,
): Promise<BigUint64Array> {
  const box = clipToVolume(bounds, space.grid),
    layer = space.ids.layerOf(node);
  if (box === null || !createBoxFilter(box, space)(node)) return new BigUint64Array(0);
  // The server returns any ID of that layer without a check.
  if (layer > 1 && layer === stopLayer)
    return (await children(api, node, options)).length > 0 ? BigUint64Array.of(node) : new BigUint64Array(0);
  const call = {
    path: `node/${node}/leaves`,
    query: { bounds: formatBounds(box), stop_layer: stopLayer === 1 ? undefined : stopLayer },
  };
  return (await api.json(z.object({ leaf_ids: idList }), call, options)).leaf_ids;
}

/** Most nodes in one request, because their answers come in one reply. */
const NODES_AT_ONCE = 1000;

/**
 * Requests the leaves of many nodes.
 *
 * @param groups The nodes, divided so that no two nodes of a group have parts in common. If two nodes share
 *   parts, the server gives them to one node only.
 */
export async function leavesMany(
  api: Endpoints,
  box: Box | undefined,
  groups: readonly BigUint64Array[],
  { stopLayer, ...options }: Omit<LeavesOptions, 'bounds' | 'verify'>,
): Promise<Map<bigint, BigUint64Array>> {
  const found = new Map<bigint, BigUint64Array>();
  const request = async (nodes: bigint[]): Promise<void> => {
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
          `${api.urlOf(path)} did not answer for ${node}`,
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
      calls.push(request(nodes.slice(start, start + NODES_AT_ONCE)));
  }
  await Promise.all(calls);
  return found;
}

/** Requests the children of a node. */
export async function children(api: Endpoints, node: bigint, options: CallOptions): Promise<BigUint64Array> {
  return (await api.json(z.object({ children_ids: idList }), { path: `node/${node}/children` }, options))
    .children_ids;
}

/** Requests the layer-2 IDs of a graph chunk, with their supervoxels. */
export async function l2ChunkChildren(
  api: Endpoints,
  chunk: bigint,
  timestampMs: number,
  options: CallOptions,
): Promise<ChunkChildren> {
  const path = `l2_chunk_children_binary/${chunk}`;
  // Without `as_array`, the answer is a Python pickle. The JSON endpoint fails.
  const flat = await api.ids(
    { path, query: { as_array: true, timestamp: toUnixSeconds(timestampMs) } },
    options,
  );
  api.check(z.literal(0, { error: 'expected pairs' }), flat.length % 2, { path }, 200);
  return { l2Ids: flat.filter((_id, k) => k % 2 === 0), supervoxelIds: flat.filter((_id, k) => k % 2 === 1) };
}

/**
 * Requests the edges between the supervoxels of a node. @throws GraphError, with UNKNOWN_ID for a node that
 * the graph does not have.
 */
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
  const reply = api
    .json(shape, { path, query: { bounds: formatBounds(box) } }, options)
    .catch(async (error: unknown) => {
      // The server fails if there are no edges.
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
  const answer = await reply;
  if (answer === undefined) return none;
  const { nodes, affinities, areas } = answer;
  api.check(
    z.literal(nodes.length / 2, { error: 'one affinity and one area per edge' }),
    affinities.length === areas.length ? areas.length : NaN,
    { path },
    200,
  );
  return { edges: nodes, affinities, areas };
}

/** Requests the edges between the layer-2 nodes of a node. */
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
      `${api.urlOf(path)} ignored the bounds: PyChunkedGraph supports them from version 2.15`,
      api.urlOf(path),
      200,
    );
  return value.edge_graph;
}

/** A point on an object. */
export interface GraphPoint {
  /** The ID of the supervoxel at the point, or of the object. */
  id: bigint;
  /** The coordinates x, y, z in nanometres. */
  nm: readonly number[];
}

/** Returns a point as the server expects it. */
export const toNodeTuple = ({ id, nm }: GraphPoint): unknown[] => [id, ...nm];

/** Requests the preview of a split. */
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
