/**
 * Finds paths through an object. The server fails if both points are in one layer-2 node, and if the first
 * point has a supervoxel ID, because a supervoxel has no timestamp. Both cases have an answer, which is
 * computed here.
 *
 * Source: PyChunkedGraph, pychunkedgraph/app/segmentation/common.py, `handle_find_path`, and
 * graph/analysis/pathing.py.
 */
import * as z from 'zod/mini';
import { GraphError } from '../../base/errors.ts';
import { UnitRatio } from '../../base/unit-ratio.ts';
import type { NodeSpace } from './box.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { toNodeTuple, leaves, level2Graph, type GraphPoint } from './nodes.ts';
import { floats, ids as idList } from './reply-schemas.ts';

/** A path through an object. */
export interface GraphPathFound {
  /** The layer-2 IDs along the path, from the first point to the second. */
  l2Ids: BigUint64Array;
  /** One coordinate per ID, xyz interleaved, in nanometres. */
  centroidsNm: Float64Array;
  /** Layer-2 IDs without a mesh. Their centroids are missing. */
  failedL2Ids: BigUint64Array;
}

/** What the search needs. */
export interface PathQueries {
  api: Endpoints;
  space: NodeSpace;
  /** Returns the roots of supervoxels, or their nodes at a layer; 0 where there is none. */
  rootsOf: (ids: BigUint64Array, stopLayer?: number) => Promise<BigUint64Array>;
}

/** Options of the search. */
export interface PathOptions extends CallOptions {
  precise: boolean;
}

/**
 * Finds a shortest path between two points of one object. @throws GraphError UNKNOWN_ID for supervoxels of
 * two objects.
 */
export async function findPath(
  parts: PathQueries,
  from: GraphPoint,
  to: GraphPoint,
  { precise, ...options }: PathOptions,
): Promise<GraphPathFound> {
  const {
      api,
      space: { ids },
    } = parts,
    [a, b] = [from, to].map(({ id }) => ids.layerOf(id) === 1);
  if (a && b && !precise) return pathOfSupervoxels(parts, from.id, to.id, options);
  // The server takes the timestamp of the object from the first point.
  if (a && !b) return reversed(await findPath(parts, to, from, { precise, ...options }));
  const first = a ? { ...from, id: (await findCommonRoot(parts, from.id, to.id)).root } : from;
  try {
    return await requestPath(api, first, to, precise, options);
  } catch (error) {
    const both =
      !precise && error instanceof GraphError && error.status === 500
        ? await findCommonNode(parts, from, to, options)
        : undefined;
    if (both === undefined) throw error;
    return pathThroughChunkCentres(parts, [both]);
  }
}

async function requestPath(
  api: Endpoints,
  from: GraphPoint,
  to: GraphPoint,
  precise: boolean,
  options: CallOptions,
): Promise<GraphPathFound> {
  const path = 'graph/find_path';
  const shape = z.object({
    centroids_list: z.array(floats.check(z.refine((list) => list.length === 3, 'expected three numbers'))),
    l2_path: z.nullable(idList),
    failed_l2_ids: idList,
  });
  const { centroids_list, l2_path, failed_l2_ids } = await api.json(
    shape,
    { method: 'POST', path, query: { precision_mode: precise }, body: [toNodeTuple(from), toNodeTuple(to)] },
    options,
  );
  const centroidsNm = new Float64Array(3 * centroids_list.length);
  centroids_list.forEach((centroid, k) => centroidsNm.set(centroid, 3 * k));
  return { l2Ids: l2_path ?? new BigUint64Array(0), centroidsNm, failedL2Ids: failed_l2_ids };
}

function reversed({ l2Ids, centroidsNm, failedL2Ids }: GraphPathFound): GraphPathFound {
  const back = new Float64Array(centroidsNm.length);
  for (let k = 0; k < back.length; k += 3) back.set(centroidsNm.subarray(k, k + 3), back.length - 3 - k);
  return { l2Ids: l2Ids.toReversed(), centroidsNm: back, failedL2Ids };
}

/**
 * Returns the layer-2 nodes of two supervoxels, and their common root. @throws GraphError UNKNOWN_ID if there
 * is none.
 */
async function findCommonRoot(
  { api, rootsOf }: PathQueries,
  a: bigint,
  b: bigint,
): Promise<{ root: bigint; nodes: BigUint64Array }> {
  const pair = BigUint64Array.of(a, b),
    [roots, nodes] = await Promise.all([rootsOf(pair), rootsOf(pair, 2)]);
  const lost = roots.indexOf(0n),
    url = api.urlOf('graph/find_path');
  if (lost >= 0) throw new GraphError('UNKNOWN_ID', `${pair[lost]} has no root at the timestamp`, url);
  if (roots[0] !== roots[1])
    throw new GraphError(
      'UNKNOWN_ID',
      `${a} and ${b} are not on one object: their roots are ${roots.join(' and ')}`,
      url,
    );
  return { root: roots[0], nodes };
}

async function pathOfSupervoxels(
  parts: PathQueries,
  a: bigint,
  b: bigint,
  options: CallOptions,
): Promise<GraphPathFound> {
  const {
    root,
    nodes: [from, to],
  } = await findCommonRoot(parts, a, b);
  if (from === to) return pathThroughChunkCentres(parts, [from]);
  const nodePath = findShortestPath(
    await level2Graph(parts.api, parts.space, root, undefined, options),
    from,
    to,
  );
  if (nodePath) return pathThroughChunkCentres(parts, nodePath);
  throw new GraphError(
    'BAD_REPLY',
    `the edges of ${root} do not join its nodes ${from} and ${to}`,
    parts.api.urlOf(`node/${root}/lvl2_graph`),
    200,
  );
}

/**
 * Finds a shortest path along edges.
 *
 * @param edges Edge k joins `2 * k` and `2 * k + 1`.
 */
function findShortestPath(edges: BigUint64Array, from: bigint, to: bigint): bigint[] | undefined {
  const next = new Map<bigint, bigint[]>();
  const join = (a: bigint, b: bigint): void => void (next.get(a)?.push(b) ?? next.set(a, [b]));
  for (let k = 0; k < edges.length; k += 2) {
    join(edges[k], edges[k + 1]);
    join(edges[k + 1], edges[k]);
  }
  const cameFrom = new Map<bigint, bigint>([[to, to]]); // from the end, so that the path is read forward
  for (const [node] of cameFrom) {
    if (node === from) break;
    // The loop over a Map also visits entries that are added during the loop.
    for (const neighbour of next.get(node) ?? []) if (!cameFrom.has(neighbour)) cameFrom.set(neighbour, node);
  }
  if (!cameFrom.has(from)) return undefined;
  const nodePath = [from];
  for (let node = from; node !== to;) nodePath.push((node = cameFrom.get(node)!));
  return nodePath;
}

/** Returns the layer-2 node that contains both points, if that can be determined. */
async function findCommonNode(
  parts: PathQueries,
  from: GraphPoint,
  to: GraphPoint,
  options: CallOptions,
): Promise<bigint | undefined> {
  const [a, b] = await Promise.all([from, to].map((point) => findNodeAt(parts, point, options)));
  return a === b ? a : undefined;
}

/**
 * Returns the only layer-2 node of an object in the graph chunk of a point. The node of a supervoxel is
 * known.
 */
async function findNodeAt(
  { api, space, rootsOf }: PathQueries,
  { id, nm }: GraphPoint,
  options: CallOptions,
): Promise<bigint | undefined> {
  const layer = space.ids.layerOf(id);
  if (layer === 1) return (await rootsOf(BigUint64Array.of(id), 2))[0];
  const voxel = nm.map((at, axis) => new UnitRatio(1, space.grid.resolution[axis]).floor(at));
  const found = await leaves(api, space, id, {
    ...options,
    bounds: { min: voxel, max: voxel.map((at) => at + 1) },
    stopLayer: 2,
  });
  return found.length === 1 ? found[0] : undefined;
}

/** Returns a path with the centres of the nodes' graph chunks, as the server does. */
function pathThroughChunkCentres(
  {
    space: {
      ids,
      grid: { resolution },
      chunks: { origin, size },
    },
  }: PathQueries,
  nodePath: readonly bigint[],
): GraphPathFound {
  const centroidsNm = new Float64Array(3 * nodePath.length);
  nodePath.forEach((node, k) => {
    const position = ids.chunkPositionOf(node);
    for (let axis = 0; axis < 3; axis++)
      centroidsNm[3 * k + axis] = (origin[axis] + (position[axis] + 0.5) * size[axis]) * resolution[axis];
  });
  return { l2Ids: BigUint64Array.from(nodePath), centroidsNm, failedL2Ids: new BigUint64Array(0) };
}
