/**
 * What a chunkedgraph's IDs say without asking anybody: layer, graph chunk, segment. For one ID a bigint; for many a BigUint64Array, in and
 * out, without a bigint a value.
 * Sources: CloudVolume, datasource/graphene/metadata.py; PyChunkedGraph, graph/chunks/{utils,hierarchy}.py and graph/utils/id_helpers.py.
 */
import { defineNumberKind, RESOLUTION } from '../../base/value-kinds.ts';
import { parseOptions, type OptionTable } from '../../base/option-table.ts';
import { wordsOf } from '../../base/uint64.ts';
import { UnitRatio } from '../../base/unit-ratio.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { GraphInfo } from './graph-info.ts';
import type { IdLayout } from './id-layout.ts';

/** Where the graph lies: of the scale at its mip. */
export interface GraphSpace {
  /** First voxel of the volume, in voxels of the graph's mip. */
  voxelOffset: Vec3;
  /** Nanometres per voxel of the graph's mip. */
  resolution: Vec3;
}

export interface ChunkOfPointOptions {
  /** Nanometres per unit of the point. @default voxels of the graph's mip */
  resolution?: readonly number[];
  /** Chunks of this layer; those of layer 1 and 2 are the same, and each further layer's are twice as wide. @default 2 */
  layer?: number;
}

export const CHUNK_OF_POINT_OPTIONS = {
  resolution: {
    kind: RESOLUTION,
    default: "voxels of the graph's mip",
    says: 'nanometres per unit of the point',
  },
  layer: {
    kind: defineNumberKind('a whole number', Number.isInteger),
    default: '2',
    says: "chunks of this layer; each layer's above 2 are twice as wide as those below",
  },
} as const satisfies OptionTable<ChunkOfPointOptions>;

export class IdArithmetic {
  readonly #graph: Pick<GraphInfo, 'nLayers' | 'chunkSize' | 'chunksStartAtVoxelOffset' | 'fanOut'>;
  readonly #layout: IdLayout;
  readonly #space: GraphSpace;

  constructor(graph: GraphInfo, space: GraphSpace) {
    this.#graph = graph;
    this.#layout = graph.ids;
    this.#space = space;
  }

  /** Layer of an ID: 1 for supervoxels, the graph's `nLayers` for roots. @throws RangeError unless it is a uint64. */
  layerOf(id: bigint): number {
    return this.#layout.layerOf(split(id).high);
  }

  /** Layers of many IDs; 255 stands for any from 255 on. */
  layersOf(ids: BigUint64Array): Uint8Array {
    const words = wordsOf(ids),
      layers = new Uint8Array(ids.length);
    for (let k = 0; k < layers.length; k++) layers[k] = Math.min(255, this.#layout.layerOf(words[2 * k + 1]));
    return layers;
  }

  /** Position of an ID's graph chunk, counted in chunks of its layer. @throws RangeError for a layer that the graph does not describe. */
  chunkPositionOf(id: bigint): Vec3 {
    this.#described(id);
    const [x, y, z] = this.chunkPositionsOf(BigUint64Array.of(id));
    return [x, y, z];
  }

  /** Positions of many, xyz interleaved; -1, -1, -1 where the graph does not describe the layer. */
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

  /** An ID's number within its chunk. @throws RangeError for a layer that the graph does not describe. */
  segmentIdOf(id: bigint): bigint {
    this.#described(id);
    return this.segmentIdsOf(BigUint64Array.of(id))[0];
  }

  /** Numbers of many within their chunks; 0 where the graph does not describe the layer. */
  segmentIdsOf(ids: BigUint64Array): BigUint64Array {
    return this.#masked(ids, (mask) => ({ low: ~mask.low, high: ~mask.high }));
  }

  /** The ID with its segment bits zero. @throws RangeError for a layer that the graph does not describe. */
  chunkIdOf(id: bigint): bigint {
    this.#described(id);
    return this.chunkIdsOf(BigUint64Array.of(id))[0];
  }

  /** Chunk IDs of many; 0 where the graph does not describe the layer. */
  chunkIdsOf(ids: BigUint64Array): BigUint64Array {
    return this.#masked(ids, (mask) => mask);
  }

  /**
   * ID of the chunk that holds an ID's chunk, one layer up or at `layer`.
   * @throws RangeError for a layer that the graph does not describe, or one below the ID's own.
   */
  parentChunkIdOf(id: bigint, layer: number = this.layerOf(id) + 1): bigint {
    this.#described(id);
    if (!(layer >= this.layerOf(id) && layer <= this.#graph.nLayers))
      throw new RangeError(
        `ID ${id} is of layer ${this.layerOf(id)}; it has no parent chunk at layer ${layer} of ${this.#graph.nLayers}`,
      );
    const parent = this.parentChunkIdsOf(BigUint64Array.of(id), layer)[0];
    if (parent === 0n) throw new RangeError(`the graph does not describe layer ${layer}`);
    return parent;
  }

  /** The same of many; 0 where there is none. Without `layer`, one layer up from each. */
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

  /** @throws RangeError where the layer, the position or the segment has no place in such an ID. */
  encode(layer: number, position: readonly number[], segmentId: bigint = 0n): bigint {
    const [x, y, z] = position,
      prefix =
        position.every(Number.isInteger) && layer <= this.#graph.nLayers
          ? this.#layout.chunkPrefix(layer, [x, y, z])
          : undefined;
    if (!prefix) throw new RangeError(`no ID of layer ${layer} is in chunk ${position.join(', ')}`);
    if (segmentId < 0n || segmentId >= 1n << BigInt(this.#layout.segmentBits(layer)!))
      throw new RangeError(`segment ${segmentId} does not fit into an ID of layer ${layer}`);
    return ((BigInt(prefix.high) << 32n) | BigInt(prefix.low)) + segmentId;
  }

  /**
   * Position of the graph chunk that a point is in; it may lie outside the volume.
   * @throws RangeError unless the point is three finite numbers.
   */
  chunkOfPoint(point: readonly number[], options: ChunkOfPointOptions = {}): Vec3 {
    if (point.length !== 3 || !point.every(Number.isFinite))
      throw new RangeError('a point is three finite numbers');
    const [x, y, z] = this.chunksOfPoints(Float64Array.from(point), options);
    return [x, y, z];
  }

  /** Positions for many points, both xyz interleaved. @throws RangeError for a resolution or layer that is none. */
  chunksOfPoints(points: ArrayLike<number>, options: ChunkOfPointOptions = {}): Int32Array {
    const { resolution, layer = 2 } = parseOptions(options, CHUNK_OF_POINT_OPTIONS);
    if (layer < 1 || layer > this.#graph.nLayers)
      throw new RangeError(`layer must be a whole number from 1 to ${this.#graph.nLayers}, not ${layer}`);
    if (points.length % 3 !== 0)
      throw new RangeError('points are xyz interleaved: their length is a multiple of 3');
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

  #described(id: bigint): void {
    const layer = this.layerOf(id);
    if (this.#layout.spatialBits(layer) === undefined)
      throw new RangeError(`ID ${id} is of layer ${layer}, which the graph does not describe`);
  }
}

function split(id: bigint): { low: number; high: number } {
  if (id < 0n || id >= 1n << 64n) throw new RangeError(`${id} is no uint64`);
  return { low: Number(id & 0xffffffffn), high: Number(id >> 32n) };
}

/** `count` (at most 31) bits of a uint64 from bit `from` on. Arithmetic, as shifts end at 32 bits. */
function bitsAt(low: number, high: number, from: number, count: number): number {
  if (count === 0) return 0;
  const word =
    from >= 32
      ? Math.floor(high / 2 ** (from - 32))
      : Math.floor(low / 2 ** from) + (high % 2 ** from) * 2 ** (32 - from);
  return word % 2 ** count;
}
