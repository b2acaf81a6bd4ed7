/** The second part of `volume.graph`: the parts of nodes, their edges, and paths through them. */
import { clipToVolume, createBoxFilter } from './box.ts';
import { findCover } from './cover.ts';
import type { LeavesByNode } from './current-nodes.ts';
import { findDisjointGroups } from './disjoint-groups.ts';
import type { CallOptions, TimedOptions } from './endpoints.ts';
import { findPath, type GraphPathFound } from './find-path.ts';
import { checkPoint } from './graph-points.ts';
import { GraphRoots } from './graph-roots.ts';
import * as history from './history.ts';
import { checkId, checkIds, checkStopLayer, sortDistinct, type Bounds, type Ids } from './check-arguments.ts';
import * as nodes from './nodes.ts';
import type { GraphPoint, LeavesOptions } from './nodes.ts';
import { removeForeignLeaves } from './foreign-leaves.ts';

/** The middle base class of `ChunkedGraph`, for nodes. */
export class GraphNodes extends GraphRoots {
  /**
   * Returns the supervoxels of a node, or its nodes at `stopLayer`. A node of that layer is its own leaf.
   * Unknown IDs and supervoxels have no leaves. Replaced roots still have theirs.
   *
   * @param node Any ID of the graph.
   * @param options `bounds`, `stopLayer`, `verify`, and options of the call.
   */
  async leaves(node: bigint, { verify = false, ...options }: LeavesOptions = {}): Promise<BigUint64Array> {
    checkStopLayer(options.stopLayer, 1, this.nLayers);
    const id = checkId(node),
      leaves = await nodes.leaves(this.context.api, this.context.space, id, options);
    return verify ? (await this.removeForeign(new Map([[id, leaves]]), options)).get(id)! : leaves;
  }

  /**
   * Returns the leaves of many nodes. One request holds as many nodes as the server can tell apart: all roots
   * at one timestamp, or all layer-2 nodes. Here, a supervoxel that the graph has is its own leaf.
   *
   * @param ids IDs of any layers.
   * @param options `bounds`, `stopLayer`, `verify`, and options of the call.
   * @returns For each node, its leaves.
   */
  async leavesMany(ids: Ids, options: LeavesOptions = {}): Promise<Map<bigint, BigUint64Array>> {
    const { bounds, stopLayer = 1, verify = false, ...call } = options,
      list = checkIds(ids),
      layerOf = (id: bigint): number => this.ids.layerOf(id);
    checkStopLayer(stopLayer, 1, this.nLayers);
    const box = clipToVolume(bounds, this.context.parts.grid),
      inside = list.filter(createBoxFilter(box, this.context.space));
    const own = sortDistinct(inside.filter((id) => layerOf(id) === stopLayer)),
      others = inside.filter((id) => layerOf(id) !== stopLayer);
    const groupOptions = {
      layerOf,
      nLayers: this.nLayers,
      stopLayer,
      nowMs: this.context.parts.windowClock.now(),
    };
    const [known, below] = await Promise.all([
      // The server returns any ID of that layer without a check.
      history.validNodes(this.context.api, own, undefined, undefined, call),
      findDisjointGroups(this.context.api, others, groupOptions, call).then((groups) =>
        nodes.leavesMany(this.context.api, box ?? undefined, groups, { ...call, stopLayer }),
      ),
    ]);
    own.forEach((id, k) => below.set(id, known[k] ? BigUint64Array.of(id) : new BigUint64Array(0)));
    const found = new Map(Array.from(list, (id) => [id, below.get(id) ?? new BigUint64Array(0)]));
    return verify ? this.removeForeign(found, call) : found;
  }

  /**
   * Returns the children of a node: its parts in the next lower layer that has any.
   *
   * @param node Any ID of the graph.
   * @param options Options of the call.
   * @returns The child IDs; empty for a supervoxel and for an unknown ID.
   */
  async children(node: bigint, options: CallOptions = {}): Promise<BigUint64Array> {
    return nodes.children(this.context.api, checkId(node), options);
  }

  /**
   * Returns all layer-2 IDs of a graph chunk that were created until the timestamp, with their supervoxels.
   * Replaced layer-2 IDs are included, so a supervoxel may occur several times. `roots(…, { stopLayer: 2 })`
   * tells which layer-2 ID is current.
   *
   * @param chunk A chunk ID of layer 2, or any ID of layer 1 or 2 in that chunk.
   * @param options `timestamp`, and options of the call. Default: the volume's timestamp, or else now.
   * @throws RangeError for an ID of another layer.
   */
  async l2ChunkChildren(
    chunk: bigint,
    { timestamp, ...options }: TimedOptions = {},
  ): Promise<nodes.ChunkChildren> {
    const chunkId = this.ids.chunkIdOf(checkId(chunk)),
      layer = this.ids.layerOf(chunkId);
    if (layer !== 1 && layer !== 2)
      throw new RangeError(`expected an ID of layer 1 or 2, and ${chunk} is of layer ${layer}`);
    return nodes.l2ChunkChildren(
      this.context.api,
      layer === 2 ? chunkId : this.ids.parentChunkIdOf(chunkId),
      await this.context.resolveMs(timestamp, options.signal),
      options,
    );
  }

  /**
   * Returns the edges between the supervoxels of a node, with affinities and areas. Edges added by merges
   * have an affinity near 0. Edges between chunks may have Infinity. There are no edges if nothing of the
   * node is in the box, or if the node is a supervoxel.
   *
   * @param node Any ID of the graph.
   * @param options `bounds`, and options of the call. Default: the whole object.
   * @throws GraphError UNKNOWN_ID, also for a node that the graph does not have.
   */
  async subgraph(
    node: bigint,
    { bounds, ...options }: CallOptions & { bounds?: Bounds } = {},
  ): Promise<nodes.Subgraph> {
    return nodes.subgraph(this.context.api, this.context.space, checkId(node), bounds, options);
  }

  /**
   * Returns the edges between the layer-2 nodes of a node.
   *
   * @param node Any ID of the graph.
   * @param options `bounds`, and options of the call. Default: the whole object.
   * @returns Pairs of layer-2 IDs: edge k joins `2 * k` and `2 * k + 1`.
   */
  async level2Graph(
    node: bigint,
    { bounds, ...options }: CallOptions & { bounds?: Bounds } = {},
  ): Promise<BigUint64Array> {
    return nodes.level2Graph(this.context.api, this.context.space, checkId(node), bounds, options);
  }

  /**
   * Returns the fewest nodes that cover exactly the given IDs. The result is computed from root look-ups of
   * all parts of the same objects, because the server's own endpoint loses whole objects or fails.
   *
   * @param ids IDs of any layers.
   * @param options `timestamp`, and options of the call. Default: the volume's timestamp, or else now.
   * @returns Node IDs in ascending order.
   * @throws GraphError UNKNOWN_ID for an ID without a root at the timestamp, and for a node that an edit had
   *   replaced by then.
   */
  async minimalCoveringNodes(
    ids: Ids,
    { timestamp, ...options }: TimedOptions = {},
  ): Promise<BigUint64Array> {
    const given = sortDistinct(checkIds(ids)),
      timestampMs = await this.context.resolveMs(timestamp, options.signal);
    if (given.length === 0) return given;
    const roots = await this.roots(given, { timestamp: new Date(timestampMs), signal: options.signal });
    const lost = roots.indexOf(0n);
    if (lost >= 0)
      throw this.context.unknownIdError(
        `${given[lost]} has no root at ${new Date(timestampMs).toISOString()}`,
        'minimal_covering_nodes',
      );
    const objects = sortDistinct(roots),
      isCurrent = await this.isLatestRoots(objects, { ...options, timestamp: new Date(timestampMs) });
    if (isCurrent.includes(false))
      throw this.context.unknownIdError(
        `${objects[isCurrent.indexOf(false)]} is not a root at ${new Date(timestampMs).toISOString()}; suggestLatestRoots gives its successors`,
        'minimal_covering_nodes',
      );
    const { nodes: found, unrelated } = await findCover(given, objects, {
      layerOf: (id) => this.ids.layerOf(id),
      nLayers: this.nLayers,
      // For supervoxels, the look-ups tell which are foreign.
      leavesOf: async (roots, stopLayer) =>
        (await this.leavesMany(roots, { ...options, stopLayer, verify: stopLayer > 1 })).values(),
      ancestorsOf: (list, stopLayer) =>
        this.roots(list, { timestamp: new Date(timestampMs), stopLayer, signal: options.signal }),
    });
    if (unrelated === undefined) return found;
    throw this.context.unknownIdError(
      `${unrelated} was replaced by ${new Date(timestampMs).toISOString()}; suggestLatestRoots gives the roots of its parts`,
      'minimal_covering_nodes',
    );
  }

  /**
   * Finds a shortest path of layer-2 nodes between two points of one object.
   *
   * Both points may have the ID of the object. Then they must not lie near the edge of the volume, because
   * the server searches for supervoxels around them. A point may also have the ID of its supervoxel. Then its
   * coordinates matter only if the other point has the ID of the object. A path between two supervoxels is
   * the path now, or at the volume's timestamp.
   *
   * @param from First point: an ID, and coordinates in nanometres.
   * @param to Second point.
   * @param options Options of the call. With `precise: true`, coordinates are centroids of meshes, where the
   *   table has meshes, instead of chunk centres. Default: `precise: false`.
   * @throws GraphError UNKNOWN_ID, also for supervoxels of two objects.
   */
  async findPath(
    from: GraphPoint,
    to: GraphPoint,
    { precise = false, ...options }: CallOptions & { precise?: boolean } = {},
  ): Promise<GraphPathFound> {
    const a = checkPoint(from, 'from'),
      b = checkPoint(to, 'to'),
      timestamp = new Date(await this.context.resolveMs(undefined, options.signal));
    const rootsOf = (ids: BigUint64Array, stopLayer?: number): Promise<BigUint64Array> =>
      this.roots(ids, { timestamp, stopLayer, signal: options.signal });
    return findPath({ api: this.context.api, space: this.context.space, rootsOf }, a, b, {
      precise,
      ...options,
    });
  }

  /** Removes leaves that do not belong to their node. @internal */
  protected removeForeign(
    leaves: LeavesByNode,
    { signal, timeoutMs, maxBytes }: CallOptions,
  ): Promise<LeavesByNode> {
    const call = { signal, timeoutMs, maxBytes };
    const parts = {
      layerOf: (id: bigint) => this.ids.layerOf(id),
      leavesMany: (nodes: BigUint64Array, stopLayer: number) =>
        this.leavesMany(nodes, { ...call, stopLayer }),
      rootsAt: (ids: BigUint64Array, ms: number, stopLayer?: number) =>
        this.roots(ids, { timestamp: new Date(ms), stopLayer, signal }),
    };
    return removeForeignLeaves(this.context.api, leaves, parts, call);
  }
}
