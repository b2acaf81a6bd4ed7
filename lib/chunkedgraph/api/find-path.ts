/**
 * Ways through an object. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/common.py, `handle_find_path`, and graph/analysis/pathing.py.
 *
 * The server fails where both points are in one layer-2 node, and where the first is given by its supervoxel, which has no timestamp of its
 * own. Both have an answer, which is worked out here.
 */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { UnitRatio } from '../../base/unit-ratio.ts';
import type { NodeSpace } from './box.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { toNodeTuple, leaves, level2Graph, type GraphPoint } from './nodes.ts';
import { floats, ids as idList } from './reply-schemas.ts';

export interface GraphPathFound {
  l2Ids: BigUint64Array;
  /** Nanometres, xyz interleaved, one an ID. */
  centroidsNm: Float64Array;
  /** Layer-2 IDs without a mesh; their centroids are missing. */
  failedL2Ids: BigUint64Array;
}

export interface PathQueries {
  api: Endpoints;
  space: NodeSpace;
  /** Of supervoxels: their roots, or nodes of a layer; 0 where there is none. */
  rootsOf: (ids: BigUint64Array, stopLayer?: number) => Promise<BigUint64Array>;
}

export interface PathOptions extends CallOptions {
  precise: boolean;
}

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
  // The server dates the object by the first of the two.
  if (a && !b) return reversed(await findPath(parts, to, from, { precise, ...options }));
  const first = a ? { ...from, id: (await objectOf(parts, from.id, to.id)).root } : from;
  try {
    return await ask(api, first, to, precise, options);
  } catch (error) {
    const both =
      !precise && error instanceof GraphError && error.status === 500
        ? await commonNode(parts, from, to, options)
        : undefined;
    if (both === undefined) throw error;
    return alongChunks(parts, [both]);
  }
}

async function ask(
  api: Endpoints,
  from: GraphPoint,
  to: GraphPoint,
  precise: boolean,
  options: CallOptions,
): Promise<GraphPathFound> {
  const path = 'graph/find_path';
  const shape = z.object({
    centroids_list: z.array(floats.refine((list) => list.length === 3, 'expected three numbers')),
    l2_path: idList.nullable(),
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

/** The layer-2 nodes of two supervoxels and the root above both. @throws GraphError UNKNOWN_ID when there is none. */
async function objectOf(
  { api, rootsOf }: PathQueries,
  a: bigint,
  b: bigint,
): Promise<{ root: bigint; nodes: BigUint64Array }> {
  const pair = BigUint64Array.of(a, b),
    [roots, nodes] = await Promise.all([rootsOf(pair), rootsOf(pair, 2)]);
  const lost = roots.indexOf(0n),
    url = api.urlOf('graph/find_path');
  if (lost >= 0) throw new GraphError('UNKNOWN_ID', `${pair[lost]} has no root at the moment`, url);
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
  } = await objectOf(parts, a, b);
  if (from === to) return alongChunks(parts, [from]);
  const way = shortestWay(await level2Graph(parts.api, parts.space, root, undefined, options), from, to);
  if (way) return alongChunks(parts, way);
  throw new GraphError(
    'BAD_REPLY',
    `the edges of ${root} do not join its nodes ${from} and ${to}`,
    parts.api.urlOf(`node/${root}/lvl2_graph`),
    200,
  );
}

/** @param edges Ends of edge k at `2 * k` and `2 * k + 1`. */
function shortestWay(edges: BigUint64Array, from: bigint, to: bigint): bigint[] | undefined {
  const next = new Map<bigint, bigint[]>();
  const join = (a: bigint, b: bigint): void => void (next.get(a)?.push(b) ?? next.set(a, [b]));
  for (let k = 0; k < edges.length; k += 2) {
    join(edges[k], edges[k + 1]);
    join(edges[k + 1], edges[k]);
  }
  const cameFrom = new Map<bigint, bigint>([[to, to]]); // from the end, so that the way is read off forwards
  for (const [node] of cameFrom) {
    if (node === from) break;
    // a Map goes on to what is added
    for (const neighbour of next.get(node) ?? []) if (!cameFrom.has(neighbour)) cameFrom.set(neighbour, node);
  }
  if (!cameFrom.has(from)) return undefined;
  const way = [from];
  for (let node = from; node !== to;) way.push((node = cameFrom.get(node)!));
  return way;
}

/** The layer-2 node that both points are in, where that can be told. */
async function commonNode(
  parts: PathQueries,
  from: GraphPoint,
  to: GraphPoint,
  options: CallOptions,
): Promise<bigint | undefined> {
  const [a, b] = await Promise.all([from, to].map((point) => nodeAt(parts, point, options)));
  return a === b ? a : undefined;
}

/** The only layer-2 node of an object in the graph chunk of a point; that of a supervoxel is known. */
async function nodeAt(
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

/** With the middles of the nodes' graph chunks, as the server gives them. */
function alongChunks(
  {
    space: {
      ids,
      grid: { resolution },
      chunks: { origin, size },
    },
  }: PathQueries,
  way: readonly bigint[],
): GraphPathFound {
  const centroidsNm = new Float64Array(3 * way.length);
  way.forEach((node, k) => {
    const position = ids.chunkPositionOf(node);
    for (let axis = 0; axis < 3; axis++)
      centroidsNm[3 * k + axis] = (origin[axis] + (position[axis] + 0.5) * size[axis]) * resolution[axis];
  });
  return { l2Ids: BigUint64Array.from(way), centroidsNm, failedL2Ids: new BigUint64Array(0) };
}
