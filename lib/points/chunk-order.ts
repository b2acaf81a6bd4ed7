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

/** A table of so many cells takes 4 MB, and is faster than hashing. */
const SMALL_GRID = 2 ** 20;
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
  /** In a small grid, the ordinal of each cell that is found; -1 for the others, and between calls. */
  readonly #ordinalOf: Int32Array | undefined;

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
    const cells = this.#shape[0] * this.#shape[1] * this.#shape[2];
    if (cells <= SMALL_GRID) this.#ordinalOf = new Int32Array(cells).fill(-1);
  }

  /**
   * Finds the chunks of points. A point outside the volume has the chunk that is nearest to it.
   * @param points Coordinates, xyz interleaved.
   */
  place(points: Int32Array | Float64Array): PlacedPoints {
    const ordinals = new Uint32Array(points.length / 3);
    const found = new CellIndex(),
      block = new Float64Array(3 * BLOCK_POINTS),
      cells = new Float64Array(BLOCK_POINTS);
    for (let first = 0; first < ordinals.length; first += BLOCK_POINTS) {
      const count = Math.min(BLOCK_POINTS, ordinals.length - first);
      block.set(points.subarray(3 * first, 3 * (first + count)));
      for (const { axis, ratio } of this.#ratios) ratio.convert(block, axis, 3 * count);
      this.#findCells(block, count, cells);
      this.#number(cells.subarray(0, count), found, ordinals, first);
    }
    for (const cell of found.cells) if (this.#ordinalOf) this.#ordinalOf[cell] = -1;
    return { ordinals, keys: this.#keysOf(found.cells) };
  }

  /** Numbers cells in the order in which they are found, and writes the numbers from `first` on. */
  #number(cells: Float64Array, found: CellIndex, ordinals: Uint32Array, first: number): void {
    const ordinalOf = this.#ordinalOf;
    for (let k = 0; k < cells.length; k++) {
      const cell = cells[k];
      let ordinal = ordinalOf ? ordinalOf[cell] : -1;
      if (ordinal < 0) {
        ordinal = found.add(cell);
        if (ordinalOf) ordinalOf[cell] = ordinal;
      }
      ordinals[first + k] = ordinal;
    }
  }

  /** Finds the cell of each point of a block. */
  #findCells(block: Float64Array, count: number, cells: Float64Array): void {
    const { size, chunkSize, voxelOffset } = this.#scale,
      [shapeX, shapeY] = this.#shape,
      [offsetX, offsetY, offsetZ] = voxelOffset,
      [chunkX, chunkY, chunkZ] = chunkSize,
      lastX = size[0] - 1,
      lastY = size[1] - 1,
      lastZ = size[2] - 1;
    for (let k = 0, at = 0; k < count; k++, at += 3) {
      const x = block[at] - offsetX,
        y = block[at + 1] - offsetY,
        z = block[at + 2] - offsetZ;
      // False for NaN, too.
      const gx = x >= 1 ? Math.floor((x < lastX ? x : lastX) / chunkX) : 0,
        gy = y >= 1 ? Math.floor((y < lastY ? y : lastY) / chunkY) : 0,
        gz = z >= 1 ? Math.floor((z < lastZ ? z : lastZ) / chunkZ) : 0;
      cells[k] = gx + shapeX * (gy + shapeY * gz);
    }
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
