/** Everything a PyChunkedGraph server can be asked about one table; IDs are bigints, lists of them BigUint64Arrays, both ways. */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { bytesOf } from '../../base/uint64.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { GraphInfo } from '../ids/graph-info.ts';
import type { GraphReply } from '../server/graph-server.ts';
import { IdArithmetic } from '../ids/id-arithmetic.ts';
import { msOf, type Moments } from '../roots/moments.ts';
import type { RootSource } from '../roots/root-source.ts';
import { momentOf, type Moment, type Timestamp } from '../ids/timestamp.ts';
import { boxOf, inBox, type NodeSpace } from './box.ts';
import { deltaRoots, rawDeltaRoots, type DeltaRoots } from './delta-roots.ts';
import { takeInputs, type CallParts } from './calls.ts';
import { CHANGES, replyToEdit, sendEdit, type EditOptions, type EditResult } from './edits.ts';
import { cover } from './cover.ts';
import type { Leaves } from './current-nodes.ts';
import { disjointGroups } from './disjoint.ts';
import type { CallOptions, Endpoints, TimedOptions } from './endpoints.ts';
import { findPath, type GraphPathFound } from './find-path.ts';
import * as history from './history.ts';
import {
  checkedId,
  checkedIds,
  checkedOperationId,
  checkedStopLayer,
  checkedTriple,
  distinct,
  type Bounds,
  type GraphGrid,
  type Ids,
} from './input.ts';
import * as nodes from './nodes.ts';
import type { GraphPoint, LeavesOptions } from './nodes.ts';
import { ownLeaves } from './own-leaves.ts';
import { isLatestRoots, lastRootTimestamps, rootTimestamps } from './root-life.ts';
import { relatedRoots, suggestRoots, type Suggestion } from './successors.ts';
import { count } from './shapes.ts';
import { isUndone } from './undone.ts';

/** @internal */
export interface ChunkedGraphParts extends Moments, CallParts {
  api: Endpoints;
  graph: GraphInfo;
  /** The table's info as it stands. */
  info: Readonly<Record<string, unknown>>;
  grid: GraphGrid;
  roots: RootSource;
  allowEdits: boolean;
}

export interface WindowOptions extends CallOptions {
  /** @default as far back as the history goes */
  from?: Timestamp;
  /** An edit of this very millisecond is included. @default the volume's moment, else now */
  to?: Timestamp;
}

export interface GraphRequestOptions extends CallOptions {
  /** @default 'GET', which may have a body here */
  method?: 'GET' | 'POST';
  query?: Record<string, string | number | boolean | undefined>;
  /** Bytes as they stand, a BigUint64Array as little-endian uint64; anything else as JSON, bigints and arrays of them as raw digits. */
  body?: unknown;
  /** What the answer is read as: JSON whose integers beyond 2^53 are bigints; little-endian uint64; text; bytes. @default 'json' */
  as?: 'json' | 'ids' | 'text' | 'bytes';
  /** Whether what may pass is tried again. @default true for GET */
  retry?: boolean;
}

/**
 * The graph of a volume: `volume.graph`. Where no timestamp is given, the volume's counts (`volume.at(…)`), else now.
 *
 * All methods throw GraphError (UNKNOWN_ID for an ID the graph does not have, or not at that moment; BAD_REPLY for an answer that is none;
 * BROKEN_ENDPOINT), TypeError or RangeError for what cannot be meant, an option nobody knows included, TimestampError, DeadlineError (see
 * `timeoutMs`), and `signal.reason`. They take their arguments and options before they return.
 */
export class ChunkedGraph {
  readonly table: string;
  /** The table's info as it stands on the server. */
  readonly info: Readonly<Record<string, unknown>>;
  /** What IDs say without asking anybody. */
  readonly ids: IdArithmetic;
  /** Voxels of mip `cvMip` a graph chunk, xyz. Not the storage chunk. */
  readonly chunkSize: Vec3;
  /** Layer of the roots; supervoxels are layer 1. */
  readonly nLayers: number;
  /** The mip whose voxels the graph is made of. */
  readonly cvMip: number;
  /** Graph chunks are counted from the voxel offset; otherwise from voxel 0. */
  readonly chunksStartAtVoxelOffset: boolean;
  readonly fanOut: number;
  /** Where the watershed is stored, as the server says: not to be trusted with anything. */
  readonly dataDir: string | undefined;
  /** What the server says it speaks: a hint, not a wall. */
  readonly apiVersions: readonly number[];
  readonly #parts: ChunkedGraphParts;
  /** Of calls that name none. */
  readonly #moment: Moment;

  /** @internal It comes with a volume. */
  constructor(parts: ChunkedGraphParts, moment?: Moment) {
    const { graph, grid, api, info } = parts;
    this.#parts = parts;
    this.#moment = moment;
    this.table = api.server.path.table;
    this.info = info;
    this.ids = new IdArithmetic(graph, { voxelOffset: grid.bounds.min, resolution: grid.resolution });
    this.chunkSize = graph.chunkSize;
    this.nLayers = graph.nLayers;
    this.cvMip = graph.cvMip;
    this.chunksStartAtVoxelOffset = graph.chunksStartAtVoxelOffset;
    this.fanOut = graph.fanOut;
    this.dataDir = graph.dataDir;
    this.apiVersions = graph.apiVersions;
  }

  // Roots

  /**
   * Roots of many IDs, in order; 0 where there is none, as for a node between supervoxels and roots that an edit had replaced by then, or that
   * was made later; but of a node that the undo of a merge replaced the server may still give a root. IDs at or above the wanted layer are
   * given back unseen. Look-ups made in one turn become one request; `volume.roots` says more of each.
   */
  async roots(
    ids: Ids,
    { timestamp, stopLayer, signal }: Omit<TimedOptions, 'maxBytes'> & { stopLayer?: number } = {},
  ): Promise<BigUint64Array> {
    const list = checkedIds(ids),
      layer = checkedStopLayer(stopLayer, 2, this.nLayers);
    const { rootIds, failures } = await this.#parts.roots.lookUp(list, {
      timestampMs: await this.#at(timestamp, signal),
      stopLayer: layer,
      signal,
    });
    if (failures.length > 0) throw failures[0].error;
    return rootIds;
  }

  /** The root of one ID, asked by itself; one at or above the wanted layer comes back unseen. @throws GraphError UNKNOWN_ID when it has none. */
  async root(
    node: bigint,
    { timestamp, stopLayer, ...options }: TimedOptions & { stopLayer?: number } = {},
  ): Promise<bigint> {
    const id = checkedId(node),
      layer = checkedStopLayer(stopLayer, 2, this.nLayers),
      ofId = this.ids.layerOf(id);
    const timestampMs = await this.#at(timestamp, options.signal);
    if (ofId < 2 || ofId >= (layer ?? this.nLayers))
      return nodes.rootOf(this.#api, id, timestampMs, layer, options);
    // Of a node that an edit replaced the server gives the root that was replaced with it.
    const [root] = await this.roots([id], {
      timestamp: new Date(timestampMs),
      stopLayer,
      signal: options.signal,
    });
    if (root !== 0n) return root;
    throw this.#unknown(
      `${id} has no root at ${new Date(timestampMs).toISOString()}; suggestLatestRoots says what its parts belong to`,
      'roots_binary',
    );
  }

  /**
   * Whether each ID is a root at the moment, an edit of that very millisecond included, as for root look-ups. One of a layer below the roots'
   * never is, whatever the server says of it.
   */
  async isLatestRoots(roots: Ids, { timestamp, ...options }: TimedOptions = {}): Promise<boolean[]> {
    const list = checkedIds(roots),
      asked = list.filter((id) => this.ids.layerOf(id) === this.nLayers);
    const timestampMs = await this.#at(timestamp, options.signal);
    const latest = asked.length > 0 ? await isLatestRoots(this.#api, asked, timestampMs, options) : [];
    let k = 0;
    return Array.from(list, (id) => this.ids.layerOf(id) === this.nLayers && latest[k++]);
  }

  /**
   * When each root was made, or any other node above the supervoxels; with `latest: true`, the last millisecond at which each was a root,
   * which for those that still are at `timestamp` is that.
   * @throws GraphError UNKNOWN_ID, too, for a node below the roots with `latest: true`.
   */
  async rootTimestamps(
    roots: Ids,
    { latest = false, timestamp, ...options }: TimedOptions & { latest?: boolean } = {},
  ): Promise<Date[]> {
    const list = latest ? this.#onlyRoots(checkedIds(roots)) : checkedIds(roots);
    const times = latest
      ? await lastRootTimestamps(this.#api, list, await this.#at(timestamp, options.signal), options)
      : await rootTimestamps(this.#api, list, options);
    return Array.from(times, (ms) => new Date(ms));
  }

  /** Whether each ID was a node of the graph at the moment, of whatever layer; with `from`, one that changed since then. */
  async validNodes(ids: Ids, { from, to, ...options }: WindowOptions = {}): Promise<boolean[]> {
    const list = checkedIds(ids);
    // The server keeps its operations beside the nodes, under small numbers, and takes them for nodes.
    const asked = list.filter((id) => this.ids.layerOf(id) > 0);
    const valid = await history.validNodes(
      this.#api,
      asked,
      await this.#past(from, options.signal),
      await this.#at(to, options.signal),
      options,
    );
    let k = 0;
    return Array.from(list, (id) => this.ids.layerOf(id) > 0 && valid[k++]);
  }

  // What nodes are made of

  /**
   * Supervoxels of a node, or its nodes of `stopLayer`, itself where that is its own layer. Unknown IDs and supervoxels have none; superseded
   * roots still have theirs.
   */
  async leaves(node: bigint, { verify = false, ...options }: LeavesOptions = {}): Promise<BigUint64Array> {
    checkedStopLayer(options.stopLayer, 1, this.nLayers);
    const id = checkedId(node),
      leaves = await nodes.leaves(this.#api, this.#space, id, options);
    return verify ? (await this.#own(new Map([[id, leaves]]), options)).get(id)! : leaves;
  }

  /**
   * The same of many nodes, as many a request as the server can tell apart: all roots of one moment, or all layer-2 nodes. A supervoxel that
   * the graph has is its own leaf here.
   */
  async leavesMany(ids: Ids, options: LeavesOptions = {}): Promise<Map<bigint, BigUint64Array>> {
    const { bounds, stopLayer = 1, verify = false, ...call } = options,
      list = checkedIds(ids),
      layerOf = (id: bigint): number => this.ids.layerOf(id);
    checkedStopLayer(stopLayer, 1, this.nLayers);
    const box = boxOf(bounds, this.#parts.grid),
      inside = list.filter(inBox(box, this.#space));
    const own = distinct(inside.filter((id) => layerOf(id) === stopLayer)),
      others = inside.filter((id) => layerOf(id) !== stopLayer);
    const about = { layerOf, nLayers: this.nLayers, stopLayer, nowMs: this.#parts.instants.now() };
    const [known, below] = await Promise.all([
      // The server gives back any ID of that layer, without looking whether there is such a node.
      history.validNodes(this.#api, own, undefined, undefined, call),
      disjointGroups(this.#api, others, about, call).then((groups) =>
        nodes.leavesMany(this.#api, box ?? undefined, groups, { ...call, stopLayer }),
      ),
    ]);
    own.forEach((id, k) => below.set(id, known[k] ? BigUint64Array.of(id) : new BigUint64Array(0)));
    const found = new Map(Array.from(list, (id) => [id, below.get(id) ?? new BigUint64Array(0)]));
    return verify ? this.#own(found, call) : found;
  }

  async children(node: bigint, options: CallOptions = {}): Promise<BigUint64Array> {
    return nodes.children(this.#api, checkedId(node), options);
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
    const chunkId = this.ids.chunkIdOf(checkedId(chunk)),
      layer = this.ids.layerOf(chunkId);
    if (layer !== 1 && layer !== 2)
      throw new RangeError(`a layer-2 chunk is wanted, and ${chunk} is of layer ${layer}`);
    return nodes.l2ChunkChildren(
      this.#api,
      layer === 2 ? chunkId : this.ids.parentChunkIdOf(chunkId),
      await this.#at(timestamp, options.signal),
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
    return nodes.subgraph(this.#api, this.#space, checkedId(node), bounds, options);
  }

  /** Edges between the layer-2 nodes of a node: ends of edge k at `2 * k` and `2 * k + 1`. */
  async level2Graph(
    node: bigint,
    { bounds, ...options }: CallOptions & { bounds?: Bounds } = {},
  ): Promise<BigUint64Array> {
    return nodes.level2Graph(this.#api, this.#space, checkedId(node), bounds, options);
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
    const given = distinct(checkedIds(ids)),
      timestampMs = await this.#at(timestamp, options.signal);
    if (given.length === 0) return given;
    const roots = await this.roots(given, { timestamp: new Date(timestampMs), signal: options.signal });
    const lost = roots.indexOf(0n);
    if (lost >= 0)
      throw this.#unknown(
        `${given[lost]} has no root at ${new Date(timestampMs).toISOString()}`,
        'minimal_covering_nodes',
      );
    const objects = distinct(roots),
      stand = await this.isLatestRoots(objects, { ...options, timestamp: new Date(timestampMs) });
    if (stand.includes(false))
      throw this.#unknown(
        `${objects[stand.indexOf(false)]} is not a root at ${new Date(timestampMs).toISOString()}; suggestLatestRoots says what became of it`,
        'minimal_covering_nodes',
      );
    const { nodes: found, stranger } = await cover(given, objects, {
      layerOf: (id) => this.ids.layerOf(id),
      nLayers: this.nLayers,
      // Of supervoxels the look-ups tell which are foreign.
      leavesOf: async (roots, stopLayer) =>
        (await this.leavesMany(roots, { ...options, stopLayer, verify: stopLayer > 1 })).values(),
      ancestorsOf: (list, stopLayer) =>
        this.roots(list, { timestamp: new Date(timestampMs), stopLayer, signal: options.signal }),
    });
    if (stranger === undefined) return found;
    throw this.#unknown(
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
    const a = checkedPoint(from, 'from'),
      b = checkedPoint(to, 'to'),
      timestamp = new Date(await this.#at(undefined, options.signal));
    const rootsOf = (ids: BigUint64Array, stopLayer?: number): Promise<BigUint64Array> =>
      this.roots(ids, { timestamp, stopLayer, signal: options.signal });
    return findPath({ api: this.#api, space: this.#space, rootsOf }, a, b, { precise, ...options });
  }

  // History

  /**
   * How roots came out of one another: replaced → replacing, as far as `from` and `to`; nodes just beyond them that are linked are kept.
   * @throws GraphError UNKNOWN_ID, too, for an ID below the roots.
   */
  async lineageGraph(
    roots: bigint | Ids,
    { from, to, ...options }: WindowOptions = {},
  ): Promise<history.LineageGraph> {
    return history.lineageGraph(
      this.#api,
      this.#onlyRoots(listOf(roots)),
      await this.#past(from, options.signal),
      await this.#at(to, options.signal),
      options,
    );
  }

  /** Of each root those that its parts had at `timestampPast`; one request each. The server heeds no moment in the future of it. */
  async pastIdMapping(
    roots: Ids,
    { timestampPast, ...options }: CallOptions & { timestampPast?: Timestamp } = {},
  ): Promise<history.IdMapping> {
    return history.pastIdMapping(
      this.#api,
      distinct(checkedIds(roots)),
      await this.#past(timestampPast, options.signal),
      options,
    );
  }

  /**
   * Roots at `from` that are no more at `to`, and roots at `to` that were not yet at `from`, ascending; edits of those very milliseconds
   * have happened. Either may be the earlier moment. With `raw: true` what the server says of a window: all that were replaced or made in
   * between, also both, also twice.
   * @throws TimestampError when the graph was made between the two, as the server does not list the roots that it began with; with `raw`, when
   *   `from` is later than `to`.
   */
  async deltaRoots({
    from,
    to,
    raw = false,
    ...options
  }: Omit<WindowOptions, 'from'> & { from: Timestamp; raw?: boolean }): Promise<DeltaRoots> {
    const fromMs = await this.#past(from, options.signal);
    if (fromMs === undefined) throw new TypeError('from is a moment in the past');
    const toMs = await this.#at(to, options.signal);
    return raw
      ? rawDeltaRoots(this.#api, fromMs, toMs, options)
      : deltaRoots(this.#api, fromMs, toMs, () => this.#firstRoots(options), options);
  }

  /** How much was edited in the history of a root, and by whom. @param options.filtered Only what concerns the root itself. @default true */
  async changeLog(
    root: bigint,
    { filtered = true, ...options }: CallOptions & { filtered?: boolean } = {},
  ): Promise<history.ChangeLog> {
    return history.changeLog(this.#api, checkedId(root), filtered, options);
  }

  /** The edits in the history of a root, oldest first. @param options.filtered Only those that concern the root itself. @default true */
  async tabularChangeLog(
    root: bigint,
    options: CallOptions & { filtered?: boolean } = {},
  ): Promise<history.RootOperation[]> {
    return (await this.tabularChangeLogs([root], options)).get(root)!;
  }

  /** The same of many roots in one request. */
  async tabularChangeLogs(
    roots: Ids,
    { filtered = true, ...options }: CallOptions & { filtered?: boolean } = {},
  ): Promise<Map<bigint, history.RootOperation[]>> {
    return history.tabularChangeLogs(this.#api, distinct(checkedIds(roots)), filtered, options);
  }

  /** The merges in the history of a root, with the edges they added; `merge_log` fails when there was an undo. */
  async mergeLog(root: bigint, options: CallOptions = {}): Promise<history.OperationDetails[]> {
    const log = await this.tabularChangeLog(root, { ...options, filtered: false });
    const merges = log.filter(({ isMerge }) => isMerge).map(({ operationId }) => operationId);
    const details = await this.operationDetails(merges, options);
    return merges.flatMap((operationId) => details.get(operationId) ?? []);
  }

  /**
   * All edits of the table from one moment to another, oldest first; needs the permission to view as an administrator. Those that failed or
   * are under way are in the log, too: the `status` of their details tells.
   */
  async operations({ from, to, ...options }: WindowOptions = {}): Promise<history.LoggedOperation[]> {
    return history.operations(
      this.#api,
      await this.#past(from, options.signal),
      await this.#at(to, options.signal),
      options,
    );
  }

  /** Edits of one user; needs the permission to view as an administrator. @param options.includeUndone @default false */
  async userOperations(
    userId: string | number,
    { from, to, includeUndone = false, ...options }: WindowOptions & { includeUndone?: boolean } = {},
  ): Promise<history.Operation[]> {
    return history.userOperations(
      this.#api,
      String(userId),
      await this.#past(from, options.signal),
      await this.#at(to, options.signal),
      includeUndone,
      options,
    );
  }

  /** Of each operation that the log has, what it did. */
  async operationDetails(
    operationIds: readonly number[],
    options: CallOptions = {},
  ): Promise<Map<number, history.OperationDetails>> {
    return history.operationDetails(this.#api, operationIds.map(checkedOperationId), options);
  }

  /**
   * Half a second before the first edit, if that is among the first hundred operations; undefined where there is none. Not the graph's
   * age: earlier moments are good to ask about.
   */
  async oldestTimestamp(options: CallOptions = {}): Promise<Date | undefined> {
    return history.oldestTimestamp(this.#api, options);
  }

  /**
   * When a root was last edited: when it was made, unless it was there from the beginning.
   * @throws GraphError UNKNOWN_ID, too, for an ID below the roots.
   */
  async lastEdit(root: bigint, options: CallOptions = {}): Promise<Date | undefined> {
    const id = this.#onlyRoots(listOf(root)),
      [madeMs] = await rootTimestamps(this.#api, id, options);
    const { links } = await history.lineageWalk(this.#api, id, madeMs, 0, options);
    return links.length > 0 ? new Date(madeMs) : undefined;
  }

  // Across time

  /**
   * The roots that hold what a root held, at the moment, as the history of edits has it: later ones that it became, earlier ones it was
   * made of, itself where it is one. What was merged in and split off again counts as well: `suggestLatestRoots` weighs them. An ID below the
   * roots has no history: of it those are meant that hold its supervoxels at the moment.
   */
  latestRoots(root: bigint, options?: TimedOptions): Promise<BigUint64Array>;
  latestRoots(roots: Ids, options?: TimedOptions): Promise<Map<bigint, BigUint64Array>>;
  async latestRoots(
    roots: bigint | Ids,
    { timestamp, ...options }: TimedOptions = {},
  ): Promise<BigUint64Array | Map<bigint, BigUint64Array>> {
    const list = distinct(listOf(roots)),
      timestampMs = await this.#at(timestamp, options.signal),
      isRoot = (id: bigint): boolean => this.ids.layerOf(id) === this.nLayers;
    const [related, voted] = await Promise.all([
      relatedRoots(this.#api, list.filter(isRoot), timestampMs, options),
      this.suggestLatestRoots(
        list.filter((id) => !isRoot(id)),
        { ...options, timestamp: new Date(timestampMs) },
      ),
    ]);
    for (const { root: id, suggestions } of voted) {
      if (suggestions.length === 0)
        throw this.#unknown(`${id} has no root at ${new Date(timestampMs).toISOString()}`, 'roots_binary');
      related.set(id, BigUint64Array.from(suggestions, ({ root }) => root).sort());
    }
    return typeof roots === 'bigint' ? related.get(roots)! : related;
  }

  /**
   * The roots that a root was made of: at `timestamp`, or in the beginning.
   * @throws GraphError UNKNOWN_ID, too, for an ID below the roots.
   */
  originalRoots(root: bigint, options?: TimedOptions): Promise<BigUint64Array>;
  originalRoots(roots: Ids, options?: TimedOptions): Promise<Map<bigint, BigUint64Array>>;
  async originalRoots(
    roots: bigint | Ids,
    { timestamp, ...options }: TimedOptions = {},
  ): Promise<BigUint64Array | Map<bigint, BigUint64Array>> {
    const list = this.#onlyRoots(distinct(listOf(roots)));
    const found =
      timestamp === undefined
        ? await originals(this.#api, list, options)
        : await relatedRoots(this.#api, list, await this.#at(timestamp, options.signal), options);
    return typeof roots === 'bigint' ? found.get(roots)! : found;
  }

  /**
   * Which roots hold the parts of a root at the moment, by a vote of its layer-2 nodes (and of the supervoxels of those that edits
   * replaced), or of all supervoxels. Any node will do, of any moment and any layer: what is below the roots is never suggested itself, and a
   * supervoxel votes for its own root.
   * @param options.by @default 'level2'
   */
  suggestLatestRoots(
    root: bigint,
    options?: TimedOptions & { by?: 'level2' | 'supervoxels' },
  ): Promise<Suggestion>;
  suggestLatestRoots(
    roots: Ids,
    options?: TimedOptions & { by?: 'level2' | 'supervoxels' },
  ): Promise<Suggestion[]>;
  async suggestLatestRoots(
    roots: bigint | Ids,
    { timestamp, by = 'level2', ...options }: TimedOptions & { by?: 'level2' | 'supervoxels' } = {},
  ): Promise<Suggestion | Suggestion[]> {
    if (by !== 'level2' && by !== 'supervoxels')
      throw new TypeError(`by is 'level2' or 'supervoxels', not ${String(by)}`);
    const timestampMs = await this.#at(timestamp, options.signal);
    const then = new Date(timestampMs);
    const suggestions = await suggestRoots(listOf(roots), by === 'level2' ? 2 : 1, {
      isLatest: (ids) => this.isLatestRoots(ids, { ...options, timestamp: then }),
      layerOf: (id) => this.ids.layerOf(id),
      leavesMany: (ids, stopLayer) => this.leavesMany(ids, { ...options, stopLayer }),
      own: (parts) => this.#own(parts, options),
      rootsAt: (ids, stopLayer) => this.roots(ids, { timestamp: then, stopLayer, signal: options.signal }),
    });
    return typeof roots === 'bigint' ? suggestions[0] : suggestions;
  }

  // Edits

  /**
   * Joins two objects where two points are, at most three graph chunks apart. With a supervoxel's ID the point is only noted; with a
   * root's, the server looks around it, and fails near the edge of the volume.
   * @throws GraphError EDITS_NOT_ALLOWED unless the volume was opened with `allowEdits`; EDIT_UNCERTAIN when nobody knows whether it happened, as
   *   after an abort once it was sent (its `cause`).
   */
  async merge(a: GraphPoint, b: GraphPoint, options: EditOptions = {}): Promise<EditResult> {
    return this.#edit(
      'merge',
      [nodes.asNode(checkedPoint(a, 'the first point')), nodes.asNode(checkedPoint(b, 'the second point'))],
      {},
      options,
    );
  }

  /**
   * Parts an object so that sources and sinks are apart.
   * @param options.mincut false: cuts exactly between each source and the sink of the same number. @default true
   * @throws as {@link merge}
   */
  async split(
    sources: readonly GraphPoint[],
    sinks: readonly GraphPoint[],
    { mincut, ...options }: EditOptions & { mincut?: boolean } = {},
  ): Promise<EditResult> {
    return this.#edit('split', asCut(sources, sinks), { mincut }, options);
  }

  /**
   * What a split would come to near the points; changes nothing. The server looks at a box around them only (of 2.21: 240 × 240 × 24 voxels more on each
   * side): the parts that `split` makes hold these and what of the object lies beyond.
   */
  async splitPreview(
    sources: readonly GraphPoint[],
    sinks: readonly GraphPoint[],
    options: CallOptions = {},
  ): Promise<nodes.SplitPreview> {
    asCut(sources, sinks);
    return nodes.splitPreview(this.#api, sources, sinks, options);
  }

  /** Takes an operation back. `done: false`: nothing was left to undo, and nothing happened. @throws as {@link merge} */
  async undo(
    operationId: number,
    options: EditOptions = {},
  ): Promise<(EditResult & { done: true }) | { done: false }> {
    return this.#again('undo', operationId, options);
  }

  /**
   * Does again what was undone. `done: false`: nothing was undone, and nothing happened: the log is asked first, since the server would carry
   * out again what nobody has undone.
   * @throws as {@link merge}; GraphError UNKNOWN_ID when there is no such operation.
   */
  async redo(
    operationId: number,
    options: EditOptions = {},
  ): Promise<(EditResult & { done: true }) | { done: false }> {
    this.#mayEdit('redo');
    const id = checkedOperationId(operationId),
      { signal, timeoutMs, maxBytes } = options;
    if (!(await isUndone(this.#api, id, this.#parts.instants.now(), { signal, timeoutMs, maxBytes })))
      return { done: false };
    return this.#again('redo', id, options);
  }

  // The service

  /** What the service speaks, and which PyChunkedGraph it is. */
  async versions(options: CallOptions = {}): Promise<{ api: number[]; server: string }> {
    const service = new URL(this.#api.server.path.infoUrl).pathname.replace(/\/table\/[^/]+\/info$/, '');
    const [api, server] = await Promise.all([
      this.#api.json(z.array(count), { path: `${service}/api/versions` }, options),
      this.#api.json(z.string(), { path: `${service}/api/version` }, options),
    ]);
    return { api, server };
  }

  /**
   * Anything else. IDs stay exact both ways.
   * @param path Below the table (`node/123/root`), or of the whole service, beginning with `/`; without a query.
   * @throws GraphError EDITS_NOT_ALLOWED for paths that change the graph, unless the volume was opened with `allowEdits`; EDIT_UNCERTAIN as `merge`.
   */
  request(path: string, options: GraphRequestOptions & { as: 'ids' }): Promise<BigUint64Array>;
  request(path: string, options: GraphRequestOptions & { as: 'text' }): Promise<string>;
  request(path: string, options: GraphRequestOptions & { as: 'bytes' }): Promise<Uint8Array>;
  request(path: string, options?: GraphRequestOptions): Promise<unknown>;
  async request(
    path: string,
    {
      method = 'GET',
      query,
      body,
      as = 'json',
      retry = method === 'GET',
      ...options
    }: GraphRequestOptions = {},
  ): Promise<unknown> {
    if (/[?#]/.test(path)) throw new RangeError('a path has no query: pass query');
    const changes = CHANGES.test(decoded(new URL(this.#api.urlOf(path)).pathname)); // a URL drops tabs and dots
    if (changes) this.#mayEdit(path);
    const call = { method, path, query, body: body instanceof BigUint64Array ? bytesOf(body) : body };
    const read = (reply: GraphReply): unknown => {
      if (as === 'ids') return this.#api.idsOf(reply, call);
      if (as === 'json') return this.#api.jsonOf(z.unknown(), reply, call);
      return as === 'text' ? new TextDecoder().decode(reply.body) : reply.body;
    };
    return changes
      ? replyToEdit(this.#api, call, options, read)
      : read(await this.#api.reply({ ...call, retry }, options));
  }

  get #space(): NodeSpace {
    const { grid } = this.#parts,
      origin: Vec3 = this.chunksStartAtVoxelOffset ? grid.bounds.min : [0, 0, 0];
    return { grid, ids: this.ids, chunks: { origin, size: this.chunkSize }, nLayers: this.nLayers };
  }

  /** Without leaves that are not their node's own. */
  #own(leaves: Leaves, { signal, timeoutMs, maxBytes }: CallOptions): Promise<Leaves> {
    const call = { signal, timeoutMs, maxBytes };
    const parts = {
      layerOf: (id: bigint) => this.ids.layerOf(id),
      leavesMany: (nodes: BigUint64Array, stopLayer: number) =>
        this.leavesMany(nodes, { ...call, stopLayer }),
      rootsAt: (ids: BigUint64Array, ms: number, stopLayer?: number) =>
        this.roots(ids, { timestamp: new Date(ms), stopLayer, signal }),
    };
    return ownLeaves(this.#api, leaves, parts, call);
  }

  get #api(): Endpoints {
    return this.#parts.api;
  }

  async #edit(
    path: string,
    body: unknown,
    query: Record<string, boolean | undefined>,
    options: EditOptions,
  ): Promise<EditResult> {
    this.#mayEdit(path);
    const { operationId, newRoots } = await sendEdit(this.#api, { path, body, query }, options);
    if (operationId === undefined)
      throw new GraphError(
        'BAD_REPLY',
        `${this.#api.urlOf(path)} answered without an operation: nothing happened`,
        this.#api.urlOf(path),
        200,
      );
    return { operationId, newRoots };
  }

  async #again(
    path: 'undo' | 'redo',
    operation: number,
    options: EditOptions,
  ): Promise<(EditResult & { done: true }) | { done: false }> {
    this.#mayEdit(path);
    const { operationId, newRoots } = await sendEdit(
      this.#api,
      { path, body: { operation_id: checkedOperationId(operation) } },
      options,
    );
    return operationId === undefined ? { done: false } : { done: true, operationId, newRoots };
  }

  #mayEdit(path: string): void {
    if (!this.#parts.allowEdits)
      throw new GraphError(
        'EDITS_NOT_ALLOWED',
        `${this.#api.urlOf(path)} would change the graph: open the volume with allowEdits: true`,
        this.#api.urlOf(path),
      );
  }

  /** @throws GraphError UNKNOWN_ID for an ID of another layer than the roots'. */
  #onlyRoots(ids: BigUint64Array): BigUint64Array {
    const other = ids.find((id) => this.ids.layerOf(id) !== this.nLayers);
    if (other === undefined) return ids;
    throw this.#unknown(
      `${other} is of layer ${this.ids.layerOf(other)}, and roots are of layer ${this.nLayers}: suggestLatestRoots gives the root of an ID below`,
      'lineage_graph_multiple',
    );
  }

  #unknown(message: string, path: string): GraphError {
    return new GraphError('UNKNOWN_ID', message, this.#api.urlOf(path));
  }

  /** Some roots that the graph began with: of one graph chunk, looked for from the middle of the volume on; none where all is empty there. */
  async #firstRoots(options: CallOptions): Promise<BigUint64Array> {
    const { min, max } = this.#parts.grid.bounds;
    for (const position of middleChunks(
      this.ids.chunkOfPoint(min),
      this.ids.chunkOfPoint(max.map((end) => end - 1)),
    )) {
      const { supervoxelIds } = await this.l2ChunkChildren(this.ids.encode(2, position), {
        ...options,
        timestamp: 'now',
      });
      if (supervoxelIds.length === 0) continue;
      const roots = await this.roots(supervoxelIds.subarray(0, SUPERVOXELS_TRIED), {
        timestamp: 'now',
        signal: options.signal,
      });
      const first = await originals(
        this.#api,
        distinct(roots).filter((root) => root !== 0n),
        options,
      );
      return distinct(BigUint64Array.from([...first.values()].flatMap((list) => [...list])));
    }
    return new BigUint64Array(0);
  }

  /** A moment in ms since 1970: the one named, else the volume's, else now. */
  #at(timestamp: Timestamp | undefined, signal: AbortSignal | undefined): Promise<number> {
    return msOf(timestamp === undefined ? this.#moment : momentOf(timestamp), this.#parts, signal);
  }

  async #past(
    timestamp: Timestamp | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    return timestamp === undefined ? undefined : this.#at(timestamp, signal);
  }

  static {
    takeInputs<ChunkedGraph>(this.prototype, (graph) => graph.#parts);
  }
}

/** Where a root is looked for: so many graph chunks along each axis. */
const CHUNKS_TRIED = 5,
  SUPERVOXELS_TRIED = 1000;

/** The middle of a grid that reaches from `first` to `last`, its very middle first. */
function middleChunks(first: Vec3, last: Vec3): Vec3[] {
  const middle = first.map((from, axis) => Math.floor((from + last[axis]) / 2));
  const along = (axis: number): number[] => {
    const from = Math.max(first[axis], middle[axis] - Math.floor(CHUNKS_TRIED / 2));
    return Array.from({ length: Math.min(CHUNKS_TRIED, last[axis] - from + 1) }, (_, k) => from + k);
  };
  const distance = (position: Vec3): number =>
    Math.max(...position.map((at, axis) => Math.abs(at - middle[axis])));
  const chunks = along(0).flatMap((x) => along(1).flatMap((y) => along(2).map((z): Vec3 => [x, y, z])));
  return chunks.sort((a, b) => distance(a) - distance(b));
}

/** All the way back. */
async function originals(
  api: Endpoints,
  roots: BigUint64Array,
  options: CallOptions,
): Promise<Map<bigint, BigUint64Array>> {
  const { links } = await history.lineageWalk(api, roots, undefined, 0, options);
  const sources = new Map<bigint, bigint[]>();
  for (const { source, target } of links) sources.set(target, [...(sources.get(target) ?? []), source]);
  return new Map(
    Array.from(roots, (root) => {
      const seen = new Set([root]),
        first: bigint[] = [];
      for (const node of seen) {
        const from = sources.get(node);
        if (from)
          for (const source of from) seen.add(source); // a Set goes on to what is added
        else first.push(node);
      }
      return [root, BigUint64Array.from(first).sort()];
    }),
  );
}

const listOf = (roots: bigint | Ids): BigUint64Array =>
  typeof roots === 'bigint' ? BigUint64Array.of(checkedId(roots)) : checkedIds(roots);

function checkedPoint(point: GraphPoint, what: string): GraphPoint {
  if (typeof point !== 'object' || point === null) throw new TypeError(`${what} is { id, nm: [x, y, z] }`);
  return { id: checkedId(point.id, `${what}'s id`), nm: checkedTriple(point.nm, `${what}'s nm`) };
}

function asCut(
  sources: readonly GraphPoint[],
  sinks: readonly GraphPoint[],
): { sources: unknown[]; sinks: unknown[] } {
  if (sources.length === 0 || sinks.length === 0)
    throw new RangeError('a split has at least one source and one sink');
  return {
    sources: sources.map((point) => nodes.asNode(checkedPoint(point, 'a source'))),
    sinks: sinks.map((point) => nodes.asNode(checkedPoint(point, 'a sink'))),
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
