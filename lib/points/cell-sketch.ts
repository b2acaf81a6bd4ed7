/**
 * Counts distinct cells in bounded memory: exactly up to a limit. Beyond it, only the cells whose hash is below a
 * threshold are kept, and the threshold halves whenever there are too many (adaptive sampling, Wegman 1984). Pure.
 */
import { CellIndex } from './cell-index.ts';

/** So many cells are counted exactly. They take 32 bytes each, and are kept to 0.1 % beyond that. */
const MOST_CELLS = 2 ** 21;
const HASHES = 2 ** 32;

/** The distinct cells of a table, or a random part of them. */
export class CellSketch {
  readonly #most: number;
  #kept = new CellIndex();
  /** Cells whose hash is below it are kept. */
  #below = HASHES;

  /** @param most The most cells that are kept. */
  constructor(most = MOST_CELLS) {
    this.#most = most;
  }

  /** Whether all cells are kept. */
  get isExact(): boolean {
    return this.#below === HASHES;
  }

  /** The number of distinct cells, or an estimate of it. */
  get count(): number {
    return Math.round((this.#kept.size * HASHES) / this.#below);
  }

  /** Adds cells. @returns Those that were not kept before, and are kept now. */
  add(cells: ArrayLike<number>): Float64Array {
    const added = new Float64Array(cells.length);
    let count = 0;
    for (let k = 0; k < cells.length; k++) {
      if (hashOf(cells[k]) >= this.#below) continue;
      const before = this.#kept.size;
      if (this.#kept.add(cells[k]) < before) continue;
      added[count++] = cells[k];
      while (this.#kept.size > this.#most) this.#halve();
    }
    return added.subarray(0, count);
  }

  /** Returns up to `count` of the cells, chosen at random; the same ones for the same cells. */
  sample(count: number): number[] {
    const chosen: { cell: number; hash: number }[] = [];
    for (const cell of this.#kept.cells) {
      const hash = hashOf(cell),
        last = chosen.at(-1);
      if (chosen.length === count && (!last || hash >= last.hash)) continue;
      const at = chosen.findIndex((one) => one.hash > hash);
      chosen.splice(at < 0 ? chosen.length : at, 0, { cell, hash });
      if (chosen.length > count) chosen.pop();
    }
    return chosen.map(({ cell }) => cell);
  }

  #halve(): void {
    const { cells } = this.#kept;
    this.#below /= 2;
    this.#kept = new CellIndex();
    for (const cell of cells) if (hashOf(cell) < this.#below) this.#kept.add(cell);
  }
}

/** Mixes the bits of a number below 2^53 (the finalizer of MurmurHash3). */
function hashOf(cell: number): number {
  let hash = (cell >>> 0) ^ Math.imul((cell / HASHES) >>> 0, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
