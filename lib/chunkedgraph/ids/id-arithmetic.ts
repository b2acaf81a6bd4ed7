/**
 * Computes what the bits of an ID tell without a request: its layer, its graph chunk, its segment number. One
 * ID is a bigint. Many IDs are a BigUint64Array, in and out, and no bigint is made per value.
 *
 * Sources: CloudVolume, datasource/graphene/metadata.py; PyChunkedGraph, graph/chunks/{utils,hierarchy}.py
 * and graph/utils/id_helpers.py.
 */
import { defineNumberKind, RESOLUTION } from '../../base/value-kinds.ts';
import { parseOptions, type OptionTable } from '../../base/option-table.ts';
import { wordsOf } from '../../base/uint64.ts';
import { UnitRatio } from '../../base/unit-ratio.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { GraphInfo } from './graph-info.ts';
import type { IdLayout } from './id-layout.ts';

/** Position and resolution of the scale that the graph is built from. */
export interface GraphSpace {
  /** First voxel of the volume, in voxels of the graph's mip. */
  voxelOffset: Vec3;
  /** Nanometres per voxel of the graph's mip. */
  resolution: Vec3;
}

/** Options of `chunkOfPoint` and `chunksOfPoints`. */
export interface ChunkOfPointOptions {
  /** Nanometres per unit of the point, along x, y, z. @default voxels of the graph's mip */
  resolution?: readonly number[];
  /**
   * Layer of the chunks, 1 to `nLayers`. Layers 1 and 2 have the same chunks. Above, the chunks of each layer
   * are `fanOut` times as wide as those of the layer below. @default 2
   */
  layer?: number;
}

/** The options of `chunkOfPoint`: what each may be, its default and its description. */
export const CHUNK_OF_POINT_OPTIONS = {
  resolution: {
    kind: RESOLUTION,
    default: "voxels of the graph's mip",
    says: 'nanometres per unit of the point',
  },
  layer: {
    kind: defineNumberKind('a whole number', Number.isInteger),
    default: '2',
    says: "layer of the chunks; above layer 2, each layer's chunks are wider than those below",
  },
} as const satisfies OptionTable<ChunkOfPointOptions>;

/**
 * Decodes and builds the IDs of one graph, without requests: `volume.graph.ids`.
 *
 * Methods for one ID throw RangeError if the value is not a uint64. Methods for many IDs never throw because
 * of an ID: they return a documented value where there is no answer.
 *
 * @example
 * ```ts
 * const { ids } = volume.graph;
 * ids.layerOf(144115737831669795n); // 2: a layer-2 ID
 * ids.chunkPositionOf(144115737831669795n); // [x, y, z], in graph chunks of layer 2
 * ids.chunkOfPoint([240640, 207872, 21360], { resolution: [4, 4, 40] });
 * ```
 */
export class IdArithmetic {
  readonly #graph: Pick<GraphInfo, 'nLayers' | 'chunkSize' | 'chunksStartAtVoxelOffset' | 'fanOut'>;
  readonly #layout: IdLayout;
  readonly #space: GraphSpace;

  constructor(graph: GraphInfo, space: GraphSpace) {
    this.#graph = graph;
    this.#layout = graph.ids;
    this.#space = space;
  }

  /**
   * Returns the layer of an ID: 1 for supervoxels, `nLayers` for roots.
   *
   * @param id Any ID.
   * @throws RangeError if the ID is not a uint64.
   */
  layerOf(id: bigint): number {
    return this.#layout.layerOf(split(id).high);
  }

  /**
   * Returns the layers of many IDs, in order. Layers above 255 are given as 255.
   *
   * @param ids Any IDs.
   */
  layersOf(ids: BigUint64Array): Uint8Array {
    const words = wordsOf(ids),
      layers = new Uint8Array(ids.length);
    for (let k = 0; k < layers.length; k++) layers[k] = Math.min(255, this.#layout.layerOf(words[2 * k + 1]));
    return layers;
  }

  /**
   * Returns the position of an ID's graph chunk, xyz, counted in chunks of the ID's layer.
   *
   * @param id Any ID of the graph.
   * @throws RangeError if the ID is not a uint64, or if the graph does not describe its layer.
   */
  chunkPositionOf(id: bigint): Vec3 {
    this.#checkDescribed(id);
    const [x, y, z] = this.chunkPositionsOf(BigUint64Array.of(id));
    return [x, y, z];
  }

  /**
   * Returns the positions of the graph chunks of many IDs, xyz interleaved. An ID of a layer that the graph
   * does not describe gets -1, -1, -1.
   *
   * @param ids Any IDs of the graph.
   */
  chunkPositionsOf(ids: BigUint64Array): Int32Array {
    const words = wordsOf(ids),
      positions = new Int32Array(3 * ids.length);
    for (let k = 0; k < ids.length; k++) {
      const low = words[2 * k],
        high = words[2 * k + 1],
        layer = this.#layout.layerOf(high);
      const bits = this.#layout.spatialBits(layer),
        segmentBits = this.#layout.segmentBits(layer);
      if (bits === undefined || segmentBits === undefined) positions.fill(-1, 3 * k, 3 * k + 3);
      else
        for (let axis = 0; axis < 3; axis++)
          positions[3 * k + axis] = bitsAt(low, high, segmentBits + (2 - axis) * bits, bits);
    }
    return positions;
  }

  /**
   * Returns the segment number of an ID: its number within its graph chunk.
   *
   * @param id Any ID of the graph.
   * @throws RangeError if the ID is not a uint64, or if the graph does not describe its layer.
   */
  segmentIdOf(id: bigint): bigint {
    this.#checkDescribed(id);
    return this.segmentIdsOf(BigUint64Array.of(id))[0];
  }

  /**
   * Returns the segment numbers of many IDs, in order. An ID of a layer that the graph does not describe gets
   * 0.
   *
   * @param ids Any IDs of the graph.
   */
  segmentIdsOf(ids: BigUint64Array): BigUint64Array {
    return this.#masked(ids, (mask) => ({ low: ~mask.low, high: ~mask.high }));
  }

  /**
   * Returns the chunk ID of an ID: the ID with all segment bits set to 0.
   *
   * @param id Any ID of the graph.
   * @throws RangeError if the ID is not a uint64, or if the graph does not describe its layer.
   */
  chunkIdOf(id: bigint): bigint {
    this.#checkDescribed(id);
    return this.chunkIdsOf(BigUint64Array.of(id))[0];
  }

  /**
   * Returns the chunk IDs of many IDs, in order. An ID of a layer that the graph does not describe gets 0.
   *
   * @param ids Any IDs of the graph.
   */
  chunkIdsOf(ids: BigUint64Array): BigUint64Array {
    return this.#masked(ids, (mask) => mask);
  }

  /**
   * Returns the ID of the chunk that contains an ID's graph chunk.
   *
   * @param id An ID of any layer below the root layer, or at it.
   * @param layer Layer of the containing chunk. Default: one above the ID's own layer.
   * @throws RangeError if the ID is not a uint64, if the graph does not describe one of the layers, or if
   *   `layer` is below the ID's own layer or above `nLayers`.
   */
  parentChunkIdOf(id: bigint, layer: number = this.layerOf(id) + 1): bigint {
    this.#checkDescribed(id);
    if (!(layer >= this.layerOf(id) && layer <= this.#graph.nLayers))
      throw new RangeError(
        `ID ${id} is of layer ${this.layerOf(id)}, so it has no parent chunk at layer ${layer}; the root layer is ${this.#graph.nLayers}`,
      );
    const parent = this.parentChunkIdsOf(BigUint64Array.of(id), layer)[0];
    if (parent === 0n) throw new RangeError(`the graph does not describe layer ${layer}`);
    return parent;
  }

  /**
   * Returns the IDs of the chunks that contain the graph chunks of many IDs, in order; 0 where there is none.
   *
   * @param ids IDs of any layers.
   * @param layer Layer of the containing chunks. Default: one above the layer of each ID.
   */
  parentChunkIdsOf(ids: BigUint64Array, layer?: number): BigUint64Array {
    const words = wordsOf(ids),
      positions = this.chunkPositionsOf(ids),
      parents = new BigUint64Array(ids.length),
      out = wordsOf(parents);
    for (let k = 0; k < ids.length; k++) {
      const own = this.#layout.layerOf(words[2 * k + 1]),
        wanted = layer ?? own + 1;
      if (positions[3 * k] < 0 || wanted < own || wanted > this.#graph.nLayers) continue;
      // Layers 1 and 2 have the same chunks.
      const width = this.#graph.fanOut ** (Math.max(2, wanted) - Math.max(2, own));
      const prefix = this.#layout.chunkPrefix(wanted, [
        Math.floor(positions[3 * k] / width),
        Math.floor(positions[3 * k + 1] / width),
        Math.floor(positions[3 * k + 2] / width),
      ]);
      if (!prefix) continue;
      out[2 * k] = prefix.low;
      out[2 * k + 1] = prefix.high;
    }
    return parents;
  }

  /**
   * Builds an ID from its parts.
   *
   * @param layer Layer, 1 to `nLayers`.
   * @param position Position of the graph chunk, xyz, in chunks of that layer.
   * @param segmentId Number within the chunk. Default: 0n, which gives the chunk ID.
   * @throws RangeError if the layer, the position or the segment number does not fit into an ID of this
   *   graph.
   */
  encode(layer: number, position: readonly number[], segmentId: bigint = 0n): bigint {
    const [x, y, z] = position,
      prefix =
        position.every(Number.isInteger) && layer <= this.#graph.nLayers
          ? this.#layout.chunkPrefix(layer, [x, y, z])
          : undefined;
    if (!prefix)
      throw new RangeError(`the graph has no ID of layer ${layer} in chunk ${position.join(', ')}`);
    if (segmentId < 0n || segmentId >= 1n << BigInt(this.#layout.segmentBits(layer)!))
      throw new RangeError(`segment ${segmentId} does not fit into an ID of layer ${layer}`);
    return ((BigInt(prefix.high) << 32n) | BigInt(prefix.low)) + segmentId;
  }

  /**
   * Returns the position of the graph chunk that contains a point, xyz. It may lie outside the volume.
   *
   * @param point Three finite numbers x, y, z, in voxels of the graph's mip or in units of
   *   `options.resolution`.
   * @param options Unit of the point, and layer of the chunk.
   * @throws RangeError if the point is not three finite numbers, or if `layer` or `resolution` is out of
   *   range.
   */
  chunkOfPoint(point: readonly number[], options: ChunkOfPointOptions = {}): Vec3 {
    if (point.length !== 3 || !point.every(Number.isFinite))
      throw new RangeError('a point must be three finite numbers');
    const [x, y, z] = this.chunksOfPoints(Float64Array.from(point), options);
    return [x, y, z];
  }

  /**
   * Returns the positions of the graph chunks that contain many points. Points and positions are xyz
   * interleaved.
   *
   * @param points Coordinates in voxels of the graph's mip or in units of `options.resolution`.
   * @param options Unit of the points, and layer of the chunks.
   * @throws RangeError if the length of `points` is not a multiple of 3, or if `layer` or `resolution` is out
   *   of range.
   */
  chunksOfPoints(points: ArrayLike<number>, options: ChunkOfPointOptions = {}): Int32Array {
    const { resolution, layer = 2 } = parseOptions(options, CHUNK_OF_POINT_OPTIONS);
    if (layer < 1 || layer > this.#graph.nLayers)
      throw new RangeError(`layer must be a whole number from 1 to ${this.#graph.nLayers}, not ${layer}`);
    if (points.length % 3 !== 0)
      throw new RangeError('points must be xyz interleaved: their length must be a multiple of 3');
    const { chunkSize, chunksStartAtVoxelOffset, fanOut } = this.#graph,
      { voxelOffset, resolution: own } = this.#space;
    const width = fanOut ** Math.max(0, layer - 2),
      voxels = Float64Array.from(points),
      chunks = new Int32Array(voxels.length);
    for (let axis = 0; axis < 3; axis++) {
      const unit = resolution ? resolution[axis] : own[axis],
        origin = chunksStartAtVoxelOffset ? voxelOffset[axis] : 0,
        size = chunkSize[axis] * width;
      if (unit !== own[axis]) new UnitRatio(unit, own[axis]).convert(voxels, axis, voxels.length);
      for (let at = axis; at < chunks.length; at += 3)
        chunks[at] = Math.floor((Math.floor(voxels[at]) - origin) / size);
    }
    return chunks;
  }

  #masked(
    ids: BigUint64Array,
    choose: (mask: { low: number; high: number }) => { low: number; high: number },
  ): BigUint64Array {
    const words = wordsOf(ids),
      masked = new BigUint64Array(ids.length),
      out = wordsOf(masked);
    const masks = new Map<number, { low: number; high: number }>();
    for (let k = 0; k < ids.length; k++) {
      const layer = this.#layout.layerOf(words[2 * k + 1]);
      let mask = masks.get(layer);
      if (!mask)
        masks.set(
          layer,
          (mask =
            this.#layout.spatialBits(layer) === undefined
              ? { low: 0, high: 0 }
              : choose(this.#layout.prefixMask(layer))),
        );
      out[2 * k] = words[2 * k] & mask.low;
      out[2 * k + 1] = words[2 * k + 1] & mask.high;
    }
    return masked;
  }

  #checkDescribed(id: bigint): void {
    const layer = this.layerOf(id);
    if (this.#layout.spatialBits(layer) === undefined)
      throw new RangeError(`ID ${id} is of layer ${layer}, which the graph does not describe`);
  }
}

function split(id: bigint): { low: number; high: number } {
  if (id < 0n || id >= 1n << 64n) throw new RangeError(`${id} is not a uint64`);
  return { low: Number(id & 0xffffffffn), high: Number(id >> 32n) };
}

/**
 * Reads `count` (at most 31) bits of a uint64, starting at bit `from`. It uses arithmetic, because shifts end
 * at 32 bits.
 */
function bitsAt(low: number, high: number, from: number, count: number): number {
  if (count === 0) return 0;
  const word =
    from >= 32
      ? Math.floor(high / 2 ** (from - 32))
      : Math.floor(low / 2 ** from) + (high % 2 ** from) * 2 ** (32 - from);
  return word % 2 ** count;
}
