/** What the calls on a graph share: the server and the table, the moment they are about, and what they ask of each other. */
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

/** @internal */
export interface ChunkedGraphParts extends TimestampContext, CallSettings {
  api: Endpoints;
  graph: GraphInfo;
  /** The table's info as it stands. */
  info: Readonly<Record<string, unknown>>;
  grid: GraphGrid;
  roots: RootSource;
  allowEdits: boolean;
}

export class GraphContext {
  readonly parts: ChunkedGraphParts;
  readonly ids: IdArithmetic;
  /** Of calls that name none. */
  readonly #moment: TimestampOption;

  constructor(parts: ChunkedGraphParts, moment: TimestampOption) {
    const { graph, grid } = parts;
    this.parts = parts;
    this.#moment = moment;
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

  /** A moment in ms since 1970: the one named, else the volume's, else now. */
  resolveMs(timestamp: Timestamp | undefined, signal: AbortSignal | undefined): Promise<number> {
    return resolveTimestampMs(
      timestamp === undefined ? this.#moment : parseTimestampOption(timestamp),
      this.parts,
      signal,
    );
  }

  async resolveOptionalMs(
    timestamp: Timestamp | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    return timestamp === undefined ? undefined : this.resolveMs(timestamp, signal);
  }

  /** @throws GraphError UNKNOWN_ID for an ID of another layer than the roots'. */
  checkRoots(ids: BigUint64Array): BigUint64Array {
    const { nLayers } = this.parts.graph,
      other = ids.find((id) => this.ids.layerOf(id) !== nLayers);
    if (other === undefined) return ids;
    throw this.unknownIdError(
      `${other} is of layer ${this.ids.layerOf(other)}, and roots are of layer ${nLayers}: suggestLatestRoots gives the root of an ID below`,
      'lineage_graph_multiple',
    );
  }

  unknownIdError(message: string, path: string): GraphError {
    return new GraphError('UNKNOWN_ID', message, this.api.urlOf(path));
  }
}
