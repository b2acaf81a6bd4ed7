/**
 * The order in which the chunks of a scale are read one after the other: chunks of one shard together, and
 * near chunks close to each other. Pure.
 */
import { ratiosOfOtherUnits, type UnitRatio } from '../base/unit-ratio.ts';
import type { Vec3 } from '../base/vec3.ts';
import { gridShape } from '../precomputed/grid.ts';
import { codeBits, compressedMortonCodes } from '../precomputed/morton.ts';
import { locateChunks, type ShardingSpec } from '../precomputed/sharding.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import { CellIndex } from './cell-index.ts';

/** The chunks of some points, by their place in the order. */
export interface PlacedPoints {
  /** For each point, the index of its chunk in `keys`. */
  ordinals: Uint32Array;
  /** The key of each distinct chunk: chunks are read in ascending order. Rarely, two chunks share a key. */
  keys: Float64Array;
}

/** Points that are converted at a time. */
const BLOCK_POINTS = 1024;
/** How many low bits of a chunk ID stay beside the number of its shard. */
const CHUNK_BITS = 21;

/** Places points in the order of their chunks. */
export class ChunkOrder {
  readonly #scale: Pick<Scale, 'size' | 'chunkSize' | 'voxelOffset' | 'resolution'>;
  readonly #shape: Vec3;
  readonly #ratios: readonly { axis: number; ratio: UnitRatio }[];
  readonly #sharding: ShardingSpec | undefined;

  /** @param resolution Nanometres per unit of the coordinates, xyz. */
  constructor(
    scale: Pick<Scale, 'size' | 'chunkSize' | 'voxelOffset' | 'resolution'>,
    resolution: Vec3,
    sharding?: ShardingSpec,
  ) {
    this.#scale = scale;
    this.#shape = gridShape(scale);
    this.#ratios = ratiosOfOtherUnits(resolution, scale.resolution);
    this.#sharding = sharding;
  }

  /**
   * Finds the chunks of points. A point outside the volume has the chunk that is nearest to it.
   * @param points Coordinates, xyz interleaved.
   */
  place(points: Float64Array): PlacedPoints {
    const { size, chunkSize, voxelOffset } = this.#scale,
      [shapeX, shapeY] = this.#shape;
    const index = new CellIndex(),
      ordinals = new Uint32Array(points.length / 3);
    const block = new Float64Array(3 * BLOCK_POINTS);
    const alongAxis = (coordinate: number, axis: 0 | 1 | 2): number => {
      const voxel = Math.floor(coordinate) - voxelOffset[axis];
      // False for NaN, too.
      if (!(voxel > 0)) return 0;
      return Math.floor(Math.min(voxel, size[axis] - 1) / chunkSize[axis]);
    };
    const placeBlock = (first: number, count: number): void => {
      let lastCell = -1,
        lastOrdinal = 0;
      for (let k = 0, at = 0; k < count; k++, at += 3) {
        const cell =
          alongAxis(block[at], 0) +
          shapeX * (alongAxis(block[at + 1], 1) + shapeY * alongAxis(block[at + 2], 2));
        if (cell !== lastCell) {
          lastCell = cell;
          lastOrdinal = index.add(cell);
        }
        ordinals[first + k] = lastOrdinal;
      }
    };
    for (let first = 0; first < ordinals.length; first += BLOCK_POINTS) {
      const count = Math.min(BLOCK_POINTS, ordinals.length - first);
      block.set(points.subarray(3 * first, 3 * (first + count)));
      for (const { axis, ratio } of this.#ratios) ratio.convert(block, axis, 3 * count);
      placeBlock(first, count);
    }
    return { ordinals, keys: this.#keysOf(index.cells) };
  }

  #keysOf(cells: Float64Array): Float64Array {
    if (codeBits(this.#shape).length > 64) return cells.slice(); // only sharded volumes need a chunk ID
    const [shapeX, shapeY] = this.#shape,
      positions = new Float64Array(3 * cells.length);
    for (let k = 0; k < cells.length; k++) {
      const x = cells[k] % shapeX,
        row = (cells[k] - x) / shapeX,
        y = row % shapeY;
      positions.set([x, y, (row - y) / shapeY], 3 * k);
    }
    const codes = compressedMortonCodes(this.#shape, positions);
    // With the identity hash, a shard holds consecutive chunk IDs.
    const shards =
      this.#sharding && this.#sharding.hash !== 'identity'
        ? locateChunks(this.#sharding, codes).shards
        : undefined;
    return Float64Array.from(cells, (_, k) =>
      shards
        ? shards[2 * k] * 2 ** CHUNK_BITS + (codes[2 * k] & (2 ** CHUNK_BITS - 1))
        : codes[2 * k + 1] * 2 ** 32 + codes[2 * k],
    );
  }
}
