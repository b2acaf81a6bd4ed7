/**
 * Splits the bits of 64-bit IDs: layer | chunk x | chunk y | chunk z | segment, from the top bit down. It
 * works on pairs of uint32 (low, high), without BigInt.
 *
 * Source: PyChunkedGraph, pychunkedgraph/graph/chunks/utils.py and graph/utils/id_helpers.py; CloudVolume,
 * datasource/graphene/metadata.py.
 */
import type { Vec3 } from '../../base/vec3.ts';

/** How many bits each part of an ID has, from the table's info. */
export interface IdLayoutOptions {
  /** Number of bits for the layer, at the top of an ID: `n_bits_for_layer_id`. */
  layerBits: number;
  /** Number of bits for each chunk coordinate, by layer: `spatial_bit_masks`. */
  spatialBits: ReadonlyMap<number, number>;
}

/** An ID with all segment bits set to 0, as a pair of uint32. */
export interface ChunkPrefix {
  low: number;
  high: number;
}

/** The bit layout of the IDs of one graph. */
export class IdLayout {
  readonly #layerBits: number;
  readonly #spatialBits: ReadonlyMap<number, number>;

  constructor({ layerBits, spatialBits }: IdLayoutOptions) {
    this.#layerBits = layerBits;
    this.#spatialBits = spatialBits;
  }

  /** Returns the layer of an ID, from its high word. */
  layerOf(high: number): number {
    return high >>> (32 - this.#layerBits);
  }

  /**
   * Returns the number of bits for each chunk coordinate in IDs of `layer`. Layer 1 has the layout of layer
   * 2, unless the info says otherwise. Undefined if the graph does not describe the layer.
   */
  spatialBits(layer: number): number | undefined {
    return this.#spatialBits.get(layer) ?? (layer === 1 ? this.#spatialBits.get(2) : undefined);
  }

  /**
   * Returns the number of bits for the segment number in IDs of `layer`. Undefined if the graph does not
   * describe the layer.
   */
  segmentBits(layer: number): number | undefined {
    const bits = this.spatialBits(layer);
    return bits === undefined ? undefined : 64 - this.#layerBits - 3 * bits;
  }

  /**
   * Returns the bits that all IDs of `layer` in one graph chunk begin with. Undefined if there is no such ID.
   */
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

  /** Returns a mask of the bits that {@link chunkPrefix} sets. */
  prefixMask(layer: number): ChunkPrefix {
    const segmentBits = this.segmentBits(layer) ?? 0;
    return {
      low: segmentBits >= 32 ? 0 : (-1 << segmentBits) >>> 0,
      high: segmentBits >= 64 ? 0 : segmentBits > 32 ? (-1 << (segmentBits - 32)) >>> 0 : 0xffffffff,
    };
  }
}

/**
 * Adds `value` (< 2^32) at bit `shift`. A JavaScript shift by 32 does nothing, so each word has its own
 * branch.
 */
function put(pair: ChunkPrefix, value: number, shift: number): void {
  if (shift >= 32) pair.high |= shift === 64 ? 0 : value << (shift - 32);
  else {
    pair.low |= value << shift;
    if (shift > 0) pair.high |= value >>> (32 - shift);
  }
}
