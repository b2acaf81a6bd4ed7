/** What nodes are made of, and ways through them: the second part of `volume.graph`. */
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

/** See `ChunkedGraph`. */
export class GraphNodes extends GraphRoots {
  /**
   * Supervoxels of a node, or its nodes of `stopLayer`, itself where that is its own layer. Unknown IDs and supervoxels have none; superseded
   * roots still have theirs.
   */
  async leaves(node: bigint, { verify = false, ...options }: LeavesOptions = {}): Promise<BigUint64Array> {
    checkStopLayer(options.stopLayer, 1, this.nLayers);
    const id = checkId(node),
      leaves = await nodes.leaves(this.context.api, this.context.space, id, options);
    return verify ? (await this.removeForeign(new Map([[id, leaves]]), options)).get(id)! : leaves;
  }

  /**
   * The same of many nodes, as many a request as the server can tell apart: all roots of one moment, or all layer-2 nodes. A supervoxel that
   * the graph has is its own leaf here.
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
    const about = { layerOf, nLayers: this.nLayers, stopLayer, nowMs: this.context.parts.windowClock.now() };
    const [known, below] = await Promise.all([
      // The server gives back any ID of that layer, without looking whether there is such a node.
      history.validNodes(this.context.api, own, undefined, undefined, call),
      findDisjointGroups(this.context.api, others, about, call).then((groups) =>
        nodes.leavesMany(this.context.api, box ?? undefined, groups, { ...call, stopLayer }),
      ),
    ]);
    own.forEach((id, k) => below.set(id, known[k] ? BigUint64Array.of(id) : new BigUint64Array(0)));
    const found = new Map(Array.from(list, (id) => [id, below.get(id) ?? new BigUint64Array(0)]));
    return verify ? this.removeForeign(found, call) : found;
  }

  async children(node: bigint, options: CallOptions = {}): Promise<BigUint64Array> {
    return nodes.children(this.context.api, checkId(node), options);
  }

  /**
   * All layer-2 IDs of a graph chunk that were made by the moment, with their supervoxels: superseded ones too, so that a supervoxel may
   * come several times; `roots(…, { stopLayer: 2 })` tells which counts.
   * @param chunk A layer-2 chunk ID, or any ID of layer 1 or 2 in it.
   */
  async l2ChunkChildren(
    chunk: bigint,
    { timestamp, ...options }: TimedOptions = {},
  ): Promise<nodes.ChunkChildren> {
    const chunkId = this.ids.chunkIdOf(checkId(chunk)),
      layer = this.ids.layerOf(chunkId);
    if (layer !== 1 && layer !== 2)
      throw new RangeError(`a layer-2 chunk is wanted, and ${chunk} is of layer ${layer}`);
    return nodes.l2ChunkChildren(
      this.context.api,
      layer === 2 ? chunkId : this.ids.parentChunkIdOf(chunkId),
      await this.context.resolveMs(timestamp, options.signal),
      options,
    );
  }

  /**
   * Edges between the supervoxels of a node, with affinities and areas; those made by merges have an affinity near 0, cross-chunk ones may have
   * Infinity. None where nothing of it is in the box, and of a supervoxel.
   * @throws GraphError UNKNOWN_ID, too, for a node that the graph does not have.
   */
  async subgraph(
    node: bigint,
    { bounds, ...options }: CallOptions & { bounds?: Bounds } = {},
  ): Promise<nodes.Subgraph> {
    return nodes.subgraph(this.context.api, this.context.space, checkId(node), bounds, options);
  }

  /** Edges between the layer-2 nodes of a node: ends of edge k at `2 * k` and `2 * k + 1`. */
  async level2Graph(
    node: bigint,
    { bounds, ...options }: CallOptions & { bounds?: Bounds } = {},
  ): Promise<BigUint64Array> {
    return nodes.level2Graph(this.context.api, this.context.space, checkId(node), bounds, options);
  }

  /**
   * The fewest nodes that hold exactly what the given ones hold. Worked out of root look-ups of all that is in the same objects: the server
   * loses whole ones, or fails.
   * @throws GraphError UNKNOWN_ID for an ID without a root at the moment, and for a node that an edit had replaced by then.
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
      stand = await this.isLatestRoots(objects, { ...options, timestamp: new Date(timestampMs) });
    if (stand.includes(false))
      throw this.context.unknownIdError(
        `${objects[stand.indexOf(false)]} is not a root at ${new Date(timestampMs).toISOString()}; suggestLatestRoots says what became of it`,
        'minimal_covering_nodes',
      );
    const { nodes: found, unrelated: stranger } = await findCover(given, objects, {
      layerOf: (id) => this.ids.layerOf(id),
      nLayers: this.nLayers,
      // Of supervoxels the look-ups tell which are foreign.
      leavesOf: async (roots, stopLayer) =>
        (await this.leavesMany(roots, { ...options, stopLayer, verify: stopLayer > 1 })).values(),
      ancestorsOf: (list, stopLayer) =>
        this.roots(list, { timestamp: new Date(timestampMs), stopLayer, signal: options.signal }),
    });
    if (stranger === undefined) return found;
    throw this.context.unknownIdError(
      `${stranger} was replaced by ${new Date(timestampMs).toISOString()}; suggestLatestRoots says what its parts belong to`,
      'minimal_covering_nodes',
    );
  }

  /**
   * A shortest way of layer-2 nodes between two points of one object. `id` is that of the object at both, whose points must not lie near the
   * edge of the volume, as the server looks around for supervoxels; or the supervoxel's at either, whose point only counts where the other is
   * the object's. Between supervoxels it is the way now, or at the volume's moment.
   * @param options.precise Centroids of meshes, where the table has meshes, instead of chunk centres. @default false
   * @throws GraphError UNKNOWN_ID, too, for supervoxels of two objects.
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

  /** Without leaves that are not their node's own. @internal */
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
