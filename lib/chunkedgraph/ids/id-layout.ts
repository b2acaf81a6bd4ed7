/**
 * How a chunkedgraph's 64-bit IDs are put together: layer | chunk x | chunk y | chunk z | segment, from the top bit down.
 * On uint32 pairs (low, high), no BigInt.
 * Source: PyChunkedGraph, pychunkedgraph/graph/chunks/utils.py and graph/utils/id_helpers.py; CloudVolume, datasource/graphene/metadata.py.
 */
import type { Vec3 } from '../../base/vec3.ts';

export interface IdLayoutOptions {
  /** Bits of the layer number at the top: `n_bits_for_layer_id`. */
  layerBits: number;
  /** Bits of each chunk coordinate, by layer: `spatial_bit_masks`. */
  spatialBits: ReadonlyMap<number, number>;
}

/** An ID with its segment bits zero, as a uint32 pair. */
export interface ChunkPrefix {
  low: number;
  high: number;
}

export class IdLayout {
  readonly #layerBits: number;
  readonly #spatialBits: ReadonlyMap<number, number>;

  constructor({ layerBits, spatialBits }: IdLayoutOptions) {
    this.#layerBits = layerBits;
    this.#spatialBits = spatialBits;
  }

  /** Layer of an ID, from its high word. */
  layerOf(high: number): number {
    return high >>> (32 - this.#layerBits);
  }

  /** Bits of each chunk coordinate in IDs of `layer`; layer 1 is laid out as layer 2. Undefined when the graph does not say. */
  spatialBits(layer: number): number | undefined {
    return this.#spatialBits.get(layer) ?? (layer === 1 ? this.#spatialBits.get(2) : undefined);
  }

  /** Bits left for the segment number in IDs of `layer`. */
  segmentBits(layer: number): number | undefined {
    const bits = this.spatialBits(layer);
    return bits === undefined ? undefined : 64 - this.#layerBits - 3 * bits;
  }

  /** What all IDs of `layer` in one graph chunk begin with; undefined when the chunk's position has no such ID. */
  chunkPrefix(layer: number, position: Vec3): ChunkPrefix | undefined {
    const bits = this.spatialBits(layer),
      segmentBits = this.segmentBits(layer);
    if (bits === undefined || segmentBits === undefined || segmentBits < 0) return undefined;
    const prefix = { low: 0, high: 0 };
    put(prefix, layer, 64 - this.#layerBits);
    for (let axis = 0; axis < 3; axis++) {
      const at = position[axis];
      if (!(at >= 0 && at < 2 ** bits)) return undefined;
      put(prefix, at, segmentBits + (2 - axis) * bits);
    }
    return { low: prefix.low >>> 0, high: prefix.high >>> 0 };
  }

  /** The bits of a pair that {@link chunkPrefix} sets. */
  prefixMask(layer: number): ChunkPrefix {
    const segmentBits = this.segmentBits(layer) ?? 0;
    return {
      low: segmentBits >= 32 ? 0 : (-1 << segmentBits) >>> 0,
      high: segmentBits >= 64 ? 0 : segmentBits > 32 ? (-1 << (segmentBits - 32)) >>> 0 : 0xffffffff,
    };
  }
}

/** Adds `value` (< 2^32) at bit `shift`. JavaScript shifts by 32 do nothing, so each word has its own branch. */
function put(pair: ChunkPrefix, value: number, shift: number): void {
  if (shift >= 32) pair.high |= shift === 64 ? 0 : value << (shift - 32);
  else {
    pair.low |= value << shift;
    if (shift > 0) pair.high |= value >>> (32 - shift);
  }
}
