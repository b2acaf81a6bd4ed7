/** The state that all calls on a graph share: the server, the table, and the timestamp of the volume. */
import { GraphError } from '../../base/errors.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { GraphInfo } from '../ids/graph-info.ts';
import { IdArithmetic } from '../ids/id-arithmetic.ts';
import { parseTimestampOption, type TimestampOption, type Timestamp } from '../ids/timestamp.ts';
import { resolveTimestampMs, type TimestampContext } from '../roots/resolve-timestamp.ts';
import type { RootSource } from '../roots/root-source.ts';
import type { NodeSpace } from './box.ts';
import type { CallSettings } from './graph-methods.ts';
import type { Endpoints } from './endpoints.ts';
import type { GraphGrid } from './check-arguments.ts';

/** What a graph is built from. @internal */
export interface ChunkedGraphParts extends TimestampContext, CallSettings {
  api: Endpoints;
  graph: GraphInfo;
  /** The table's info, as the server serves it. */
  info: Readonly<Record<string, unknown>>;
  grid: GraphGrid;
  roots: RootSource;
  allowEdits: boolean;
}

/** The shared state of one `volume.graph`. */
export class GraphContext {
  readonly parts: ChunkedGraphParts;
  readonly ids: IdArithmetic;
  /** The timestamp of calls that name none. */
  readonly #volumeTimestamp: TimestampOption;

  constructor(parts: ChunkedGraphParts, volumeTimestamp: TimestampOption) {
    const { graph, grid } = parts;
    this.parts = parts;
    this.#volumeTimestamp = volumeTimestamp;
    this.ids = new IdArithmetic(graph, { voxelOffset: grid.bounds.min, resolution: grid.resolution });
  }

  get api(): Endpoints {
    return this.parts.api;
  }

  get space(): NodeSpace {
    const { grid, graph } = this.parts,
      origin: Vec3 = graph.chunksStartAtVoxelOffset ? grid.bounds.min : [0, 0, 0];
    return { grid, ids: this.ids, chunks: { origin, size: graph.chunkSize }, nLayers: graph.nLayers };
  }

  /** Returns the timestamp of a call in ms since 1970: the given one, or else the volume's, or else now. */
  resolveMs(timestamp: Timestamp | undefined, signal: AbortSignal | undefined): Promise<number> {
    return resolveTimestampMs(
      timestamp === undefined ? this.#volumeTimestamp : parseTimestampOption(timestamp),
      this.parts,
      signal,
    );
  }

  /** Returns a given timestamp in ms since 1970, or undefined if there is none. */
  async resolveOptionalMs(
    timestamp: Timestamp | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    return timestamp === undefined ? undefined : this.resolveMs(timestamp, signal);
  }

  /** Returns the IDs if all are of the root layer. @throws GraphError UNKNOWN_ID if not. */
  checkRoots(ids: BigUint64Array): BigUint64Array {
    const { nLayers } = this.parts.graph,
      other = ids.find((id) => this.ids.layerOf(id) !== nLayers);
    if (other === undefined) return ids;
    throw this.unknownIdError(
      `${other} is of layer ${this.ids.layerOf(other)}, and roots are of layer ${nLayers}: suggestLatestRoots gives the root of an ID of a lower layer`,
      'lineage_graph_multiple',
    );
  }

  /** Creates the error for an ID that the graph does not have. */
  unknownIdError(message: string, path: string): GraphError {
    return new GraphError('UNKNOWN_ID', message, this.api.urlOf(path));
  }
}
