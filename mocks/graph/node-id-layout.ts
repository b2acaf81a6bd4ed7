/**
 * Reads and makes the IDs of a chunkedgraph. From the top bit down, an ID holds the layer, the graph chunk's
 * x, y and z, and the segment. Source: PyChunkedGraph, pychunkedgraph/graph/utils/id_helpers.py, and the
 * `graph` member of its info.
 */

/** The info of a graph. The mock uses `graph` and `scales`; it answers all other members as they are. */
export interface MockGraphInfo {
  /** How IDs are laid out. */
  graph: {
    /** Size of a graph chunk in voxels of the graph's mip, xyz. */
    chunk_size: readonly number[];
    /** Layers of the hierarchy, including supervoxels and roots. */
    n_layers: number;
    /** Bits of an ID that hold the layer. */
    n_bits_for_layer_id: number;
    /** Bits of an ID that hold one coordinate of the graph chunk, by layer. */
    spatial_bit_masks: Readonly<Record<string, number>>;
  };
  /** Any other member of an info. */
  [other: string]: unknown;
}

const WORD = 2 ** 32;

/** The two uint32 words of an ID, the low word first. */
export const wordsOfId = (id: bigint): [number, number] => [Number(id & 0xffffffffn), Number(id >> 32n)];

/** The ID layout of one graph. */
export class NodeIdLayout {
  readonly layers: number;
  readonly #layerBits: number;
  /** Bits of one coordinate, by layer. */
  readonly #spatialBits: readonly number[];

  constructor({ graph }: MockGraphInfo) {
    this.layers = graph.n_layers;
    this.#layerBits = graph.n_bits_for_layer_id;
    this.#spatialBits = Array.from(
      { length: this.layers + 1 },
      (_, layer) => graph.spatial_bit_masks[layer] ?? 0,
    );
  }

  /** The layer of an ID. @param high The upper 32 bits of the ID. */
  layerOf(high: number): number {
    return high >>> (32 - this.#layerBits);
  }

  layerOfId(id: bigint): number {
    return this.layerOf(Number(id >> 32n));
  }

  /** Coordinate of the graph chunk along `axis` (0 to 2), at the ID's own layer. */
  chunkCoordinate(low: number, high: number, axis: number): number {
    const bits = this.#spatialBits[this.layerOf(high)] ?? 0;
    const shift = 64 - this.#layerBits - (axis + 1) * bits;
    const word =
      shift >= 32 ? high >>> (shift - 32) : shift === 0 ? low : (high << (32 - shift)) | (low >>> shift);
    return word & ((1 << bits) - 1);
  }

  /** Coordinates of the graph chunk, xyz, at the ID's own layer. */
  chunkOf(low: number, high: number): [number, number, number] {
    const at = (axis: number): number => this.chunkCoordinate(low, high, axis);
    return [at(0), at(1), at(2)];
  }

  /** Makes an ID as two words, the low word first. @param segment Below 2^53. */
  idWords(layer: number, x: number, y: number, z: number, segment: number): [number, number] {
    const bits = this.#spatialBits[layer];
    let low = segment % WORD,
      high = Math.floor(segment / WORD);
    [z, y, x].forEach((coordinate, k) => {
      const shift = 64 - this.#layerBits - (3 - k) * bits;
      if (shift >= 32) high += coordinate * 2 ** (shift - 32);
      else {
        const scaled = coordinate * 2 ** shift; // below 2^53: a coordinate has fewer than 20 bits
        low += scaled % WORD;
        high += Math.floor(scaled / WORD);
      }
    });
    return [low >>> 0, (high + layer * 2 ** (32 - this.#layerBits)) >>> 0];
  }

  /** The ID of segment 0 of the ID's graph chunk. */
  chunkIdOf(id: bigint): bigint {
    return id - this.segmentOf(id);
  }

  segmentOf(id: bigint): bigint {
    const layer = this.layerOfId(id);
    return layer > this.layers ? id : id & ((1n << this.#segmentBits(layer)) - 1n);
  }

  #segmentBits(layer: number): bigint {
    return BigInt(64 - this.#layerBits - 3 * this.#spatialBits[layer]);
  }
}
