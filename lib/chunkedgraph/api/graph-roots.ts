/** Roots of IDs, and what a graph says of itself: the first part of `volume.graph`. */
import type { Vec3 } from '../../base/vec3.ts';
import type { IdArithmetic } from '../ids/id-arithmetic.ts';
import type { TimestampOption } from '../ids/timestamp.ts';
import type { TimedOptions, WindowOptions } from './endpoints.ts';
import { GraphContext, type ChunkedGraphParts } from './graph-context.ts';
import * as history from './history.ts';
import { checkId, checkIds, checkStopLayer, type Ids } from './check-arguments.ts';
import * as nodes from './nodes.ts';
import { isLatestRoots, lastRootTimestamps, rootTimestamps } from './root-lifetimes.ts';

/** See `ChunkedGraph`. */
export class GraphRoots {
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
  readonly #context: GraphContext;

  /** @internal It comes with a volume. */
  constructor(parts: ChunkedGraphParts, moment?: TimestampOption) {
    const { graph, api, info } = parts;
    this.#context = new GraphContext(parts, moment);
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
  }

  /** @internal */
  protected get context(): GraphContext {
    return this.#context;
  }

  /**
   * Roots of many IDs, in order; 0 where there is none, as for a node between supervoxels and roots that an edit had replaced by then, or that
   * was made later; but of a node that the undo of a merge replaced the server may still give a root. IDs at or above the wanted layer are
   * given back unseen. Look-ups made in one turn become one request; `volume.roots` says more of each.
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

  /** The root of one ID, asked by itself; one at or above the wanted layer comes back unseen. @throws GraphError UNKNOWN_ID when it has none. */
  async root(
    node: bigint,
    { timestamp, stopLayer, ...options }: TimedOptions & { stopLayer?: number } = {},
  ): Promise<bigint> {
    const id = checkId(node),
      layer = checkStopLayer(stopLayer, 2, this.nLayers),
      ofId = this.ids.layerOf(id);
    const timestampMs = await this.context.resolveMs(timestamp, options.signal);
    if (ofId < 2 || ofId >= (layer ?? this.nLayers))
      return nodes.rootOf(this.context.api, id, timestampMs, layer, options);
    // Of a node that an edit replaced the server gives the root that was replaced with it.
    const [root] = await this.roots([id], {
      timestamp: new Date(timestampMs),
      stopLayer,
      signal: options.signal,
    });
    if (root !== 0n) return root;
    throw this.context.unknownIdError(
      `${id} has no root at ${new Date(timestampMs).toISOString()}; suggestLatestRoots says what its parts belong to`,
      'roots_binary',
    );
  }

  /**
   * Whether each ID is a root at the moment, an edit of that very millisecond included, as for root look-ups. One of a layer below the roots'
   * never is, whatever the server says of it.
   */
  async isLatestRoots(roots: Ids, { timestamp, ...options }: TimedOptions = {}): Promise<boolean[]> {
    const list = checkIds(roots),
      asked = list.filter((id) => this.ids.layerOf(id) === this.nLayers);
    const timestampMs = await this.context.resolveMs(timestamp, options.signal);
    const latest = asked.length > 0 ? await isLatestRoots(this.context.api, asked, timestampMs, options) : [];
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

  /** Whether each ID was a node of the graph at the moment, of whatever layer; with `from`, one that changed since then. */
  async validNodes(ids: Ids, { from, to, ...options }: WindowOptions = {}): Promise<boolean[]> {
    const list = checkIds(ids);
    // The server keeps its operations beside the nodes, under small numbers, and takes them for nodes.
    const asked = list.filter((id) => this.ids.layerOf(id) > 0);
    const valid = await history.validNodes(
      this.context.api,
      asked,
      await this.context.resolveOptionalMs(from, options.signal),
      await this.context.resolveMs(to, options.signal),
      options,
    );
    let k = 0;
    return Array.from(list, (id) => this.ids.layerOf(id) > 0 && valid[k++]);
  }
}
