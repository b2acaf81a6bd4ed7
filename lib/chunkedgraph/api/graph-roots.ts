/** The first part of `volume.graph`: the properties of the graph, and the roots of IDs. */
import type { Vec3 } from '../../base/vec3.ts';
import type { IdArithmetic } from '../ids/id-arithmetic.ts';
import type { TimestampOption } from '../ids/timestamp.ts';
import type { TimedOptions, WindowOptions } from './endpoints.ts';
import { GraphContext, type ChunkedGraphParts } from './graph-context.ts';
import * as history from './history.ts';
import { checkId, checkIds, checkStopLayer, type Ids } from './check-arguments.ts';
import * as nodes from './nodes.ts';
import { isLatestRoots, lastRootTimestamps, rootTimestamps } from './root-lifetimes.ts';

/** The base class of `ChunkedGraph`, for roots. */
export class GraphRoots {
  /** Name of the table. */
  readonly table: string;
  /** The table's info, as the server serves it. */
  readonly info: Readonly<Record<string, unknown>>;
  /** Decodes and builds IDs without requests. */
  readonly ids: IdArithmetic;
  /** Size of a graph chunk, xyz, in voxels of mip `cvMip`. It is not the size of a storage chunk. */
  readonly chunkSize: Vec3;
  /** Layer of the roots. Supervoxels are layer 1. */
  readonly nLayers: number;
  /** Mip of the voxels that the graph is built from. */
  readonly cvMip: number;
  /** Whether graph chunks are counted from the voxel offset. If false, they are counted from voxel 0. */
  readonly chunksStartAtVoxelOffset: boolean;
  /** How many chunks of one layer lie along each side of a chunk of the next layer, from layer 2 on. */
  readonly fanOut: number;
  /** Cloud path of the watershed, as the server states it. Do not send credentials there without a check. */
  readonly dataDir: string | undefined;
  /** API versions that the server claims to support. It may support others. */
  readonly apiVersions: readonly number[];
  /**
   * Whether supervoxels of this graph can split. A supervoxel ID that was saved earlier may then be out of date:
   * its root is 0 in `roots`, and its status is `staleSupervoxel` in `volume.roots`.
   */
  readonly supervoxelsSplit: boolean;
  readonly #context: GraphContext;

  /** Volumes create it. @internal */
  constructor(parts: ChunkedGraphParts, volumeTimestamp?: TimestampOption) {
    const { graph, api, info } = parts;
    this.#context = new GraphContext(parts, volumeTimestamp);
    this.table = api.server.path.table;
    this.info = info;
    this.ids = this.#context.ids;
    this.chunkSize = graph.chunkSize;
    this.nLayers = graph.nLayers;
    this.cvMip = graph.cvMip;
    this.chunksStartAtVoxelOffset = graph.chunksStartAtVoxelOffset;
    this.fanOut = graph.fanOut;
    this.dataDir = graph.dataDir;
    this.apiVersions = graph.apiVersions;
    this.supervoxelsSplit = graph.ocdbt;
  }

  /** @internal */
  protected get context(): GraphContext {
    return this.#context;
  }

  /**
   * Looks up the roots of many IDs. Look-ups that start in one turn of the event loop share one request.
   * `volume.roots` gives a status for each ID.
   *
   * The root is 0 for an ID without a root. This includes a node between supervoxels and roots that did not
   * exist at the timestamp, or that an edit had replaced. (If the undo of a merge replaced the node, the
   * server may still give a root.) It includes a supervoxel that was split, too. An ID at or above the stop layer
   * is returned without a check.
   *
   * @param ids Any IDs of the graph.
   * @param options `timestamp`; `stopLayer`, 2 to `nLayers`, for IDs of a lower layer than roots; `signal`.
   *   Defaults: the volume's timestamp, or else now; the root layer.
   * @returns One root per ID, in order.
   */
  async roots(
    ids: Ids,
    { timestamp, stopLayer, signal }: Omit<TimedOptions, 'maxBytes'> & { stopLayer?: number } = {},
  ): Promise<BigUint64Array> {
    const list = checkIds(ids),
      layer = checkStopLayer(stopLayer, 2, this.nLayers);
    const { rootIds, failures } = await this.context.parts.roots.lookUp(list, {
      timestampMs: await this.context.resolveMs(timestamp, signal),
      stopLayer: layer,
      signal,
    });
    if (failures.length > 0) throw failures[0].error;
    return rootIds;
  }

  /**
   * Looks up the root of one ID, in a request of its own. An ID at or above the stop layer is returned
   * without a check.
   *
   * @param node Any ID of the graph.
   * @param options `timestamp`, `stopLayer` (2 to `nLayers`), and options of the call. Defaults: the volume's
   *   timestamp, or else now; the root layer.
   * @throws GraphError UNKNOWN_ID if the ID has no root at the timestamp.
   */
  async root(
    node: bigint,
    { timestamp, stopLayer, ...options }: TimedOptions & { stopLayer?: number } = {},
  ): Promise<bigint> {
    const id = checkId(node),
      layer = checkStopLayer(stopLayer, 2, this.nLayers),
      ownLayer = this.ids.layerOf(id);
    const timestampMs = await this.context.resolveMs(timestamp, options.signal);
    const canBeStale = ownLayer === 1 && this.supervoxelsSplit;
    if ((ownLayer < 2 && !canBeStale) || ownLayer >= (layer ?? this.nLayers))
      return nodes.rootOf(this.context.api, id, timestampMs, layer, options);
    // For a node that an edit replaced, the server gives a root that was replaced with it.
    const [root] = await this.roots([id], {
      timestamp: new Date(timestampMs),
      stopLayer,
      signal: options.signal,
    });
    if (root !== 0n) return root;
    throw this.context.unknownIdError(
      `${id} has no root at ${new Date(timestampMs).toISOString()}; suggestLatestRoots gives the roots of its parts`,
      'roots_binary',
    );
  }

  /**
   * Checks whether each ID is a root at the timestamp. An edit at exactly that millisecond is included, as in
   * root look-ups. An ID of a lower layer is never a root, whatever the server answers.
   *
   * @param roots Any IDs.
   * @param options `timestamp`, and options of the call. Default: the volume's timestamp, or else now.
   * @returns One boolean per ID, in order.
   */
  async isLatestRoots(roots: Ids, { timestamp, ...options }: TimedOptions = {}): Promise<boolean[]> {
    const list = checkIds(roots),
      candidates = list.filter((id) => this.ids.layerOf(id) === this.nLayers);
    const timestampMs = await this.context.resolveMs(timestamp, options.signal);
    const latest =
      candidates.length > 0 ? await isLatestRoots(this.context.api, candidates, timestampMs, options) : [];
    let k = 0;
    return Array.from(list, (id) => this.ids.layerOf(id) === this.nLayers && latest[k++]);
  }

  /**
   * Returns when each root, or any other node above layer 1, was created. With `latest: true`, it returns the
   * last millisecond at which each root was a root; for a root that still is one at `timestamp`, that is
   * `timestamp`.
   *
   * @param roots Root IDs; without `latest`, IDs of any layer above 1.
   * @param options `latest`, `timestamp`, and options of the call. Defaults: `latest: false`; the volume's
   *   timestamp, or else now.
   * @returns One Date per ID, in order.
   * @throws GraphError UNKNOWN_ID if the graph does not have an ID, or with `latest: true` for an ID below
   *   the root layer.
   */
  async rootTimestamps(
    roots: Ids,
    { latest = false, timestamp, ...options }: TimedOptions & { latest?: boolean } = {},
  ): Promise<Date[]> {
    const list = latest ? this.context.checkRoots(checkIds(roots)) : checkIds(roots);
    const times = latest
      ? await lastRootTimestamps(
          this.context.api,
          list,
          await this.context.resolveMs(timestamp, options.signal),
          options,
        )
      : await rootTimestamps(this.context.api, list, options);
    return Array.from(times, (ms) => new Date(ms));
  }

  /**
   * Checks whether each ID was a node of the graph at `to`, at any layer. With `from`, it checks whether the
   * node also changed since then.
   *
   * @param ids Any IDs.
   * @param options `from`, `to`, and options of the call. Default of `to`: the volume's timestamp, or else
   *   now.
   * @returns One boolean per ID, in order.
   */
  async validNodes(ids: Ids, { from, to, ...options }: WindowOptions = {}): Promise<boolean[]> {
    const list = checkIds(ids);
    // The server stores its operations in the same table as the nodes, under small numbers, and treats them as nodes.
    const candidates = list.filter((id) => this.ids.layerOf(id) > 0);
    const valid = await history.validNodes(
      this.context.api,
      candidates,
      await this.context.resolveOptionalMs(from, options.signal),
      await this.context.resolveMs(to, options.signal),
      options,
    );
    let k = 0;
    return Array.from(list, (id) => this.ids.layerOf(id) > 0 && valid[k++]);
  }
}
