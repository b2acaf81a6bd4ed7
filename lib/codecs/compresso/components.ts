/**
 * Finds the connected components of non-boundary voxels, by runs along x instead of single voxels. Compresso
 * numbers components in raster order of their first voxels, so the first run of a component identifies it.
 * Source: seung-lab/compresso, cc3d.hpp (numbering) and compresso.hpp, `connected_components` (connectivity).
 */
import type { BoundaryBits } from './boundary-windows.ts';

/** The components of one slab at a time. */
export class Components {
  /** Components found by the last call of `label`. */
  count = 0;
  #runs = 0;
  /** The first and last x of each run, in raster order. */
  #first = new Uint16Array(1024);
  #last = new Uint16Array(1024);
  /**
   * During labelling: an earlier run of the same component (union-find). Afterwards: the component's number.
   */
  #component = new Uint32Array(1024);
  #rowStart: Uint32Array;
  /** The most runs that a slab can have: every other voxel is a boundary. */
  #maxRuns: number;

  /** @param rows The most rows of voxels to label at a time. */
  constructor(
    private readonly sx: number,
    private readonly sy: number,
    rows: number,
  ) {
    this.#rowStart = new Uint32Array(rows + 1);
    this.#maxRuns = rows * ((sx + 1) >>> 1);
  }

  /** Numbers the components of a slab from 0: within each slice (`connectivity` 4), or across slices (6). */
  label(slab: BoundaryBits, connectivity: number): void {
    const { sy } = this,
      rows = sy * (slab.z1 - slab.z0),
      rowStart = this.#rowStart;
    this.#runs = 0;
    for (let row = 0; row < rows; row++) {
      rowStart[row] = this.#runs;
      this.#addRuns(slab, row);
      rowStart[row + 1] = this.#runs;
      if (row % sy > 0) this.#joinRows(row - 1, row);
      if (connectivity === 6 && row >= sy) this.#joinRows(row - sy, row);
    }
    this.#number();
  }

  /** Returns the component of a non-boundary voxel. */
  componentAt(x: number, row: number): number {
    let low = this.#rowStart[row],
      high = this.#rowStart[row + 1] - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#last[middle] < x) low = middle + 1;
      else high = middle;
    }
    return this.#component[low];
  }

  #addRuns({ bits, rowWords }: BoundaryBits, row: number): void {
    const { sx } = this;
    this.#reserve((sx + 1) >>> 1);
    const first = this.#first,
      last = this.#last,
      component = this.#component;
    let runs = this.#runs,
      inside = 0; // 1 when the voxel before the word belongs to a run
    for (let x0 = 0, word = row * rowWords; x0 < sx; x0 += 32, word++) {
      const open = sx - x0 < 32 ? ~bits[word] & (0xffffffff >>> (32 - (sx - x0))) : ~bits[word];
      // A bit is set where a run begins, and one past where it ends.
      let changes = open ^ ((open << 1) | inside);
      while (changes !== 0) {
        const x = 31 - Math.clz32(changes & -changes);
        changes &= changes - 1;
        if ((open >>> x) & 1) {
          first[runs] = x0 + x;
          component[runs] = runs;
          inside = 1;
        } else {
          last[runs++] = x0 + x - 1;
          inside = 0;
        }
      }
    }
    if (inside) last[runs++] = sx - 1;
    this.#runs = runs;
  }

  /** Joins the runs of two rows that share an x. */
  #joinRows(rowA: number, rowB: number): void {
    const first = this.#first,
      last = this.#last,
      component = this.#component;
    let a = this.#rowStart[rowA],
      b = this.#rowStart[rowB];
    const endA = this.#rowStart[rowA + 1],
      endB = this.#rowStart[rowB + 1];
    while (a < endA && b < endB) {
      if (last[a] >= first[b] && last[b] >= first[a]) {
        const rootA = rootOf(component, a),
          rootB = rootOf(component, b);
        if (rootA < rootB) component[rootB] = rootA;
        else component[rootA] = rootB;
      }
      if (last[a] < last[b]) a++;
      else b++;
    }
  }

  /**
   * Turns parents into component numbers, in place. One pass is enough, because a run's parent comes before
   * it.
   */
  #number(): void {
    const component = this.#component;
    this.count = 0;
    for (let run = 0; run < this.#runs; run++)
      component[run] = component[run] === run ? this.count++ : component[component[run]];
  }

  #reserve(more: number): void {
    const needed = this.#runs + more;
    if (needed <= this.#first.length) return;
    const length = Math.min(Math.max(needed, 2 * this.#first.length), this.#maxRuns);
    this.#first = grown(Uint16Array, this.#first, length);
    this.#last = grown(Uint16Array, this.#last, length);
    this.#component = grown(Uint32Array, this.#component, length);
  }
}

function rootOf(parent: Uint32Array, run: number): number {
  while (parent[run] !== run) run = parent[run] = parent[parent[run]];
  return run;
}

function grown<T extends Uint16Array | Uint32Array>(
  type: new (length: number) => T,
  from: T,
  length: number,
): T {
  const to = new type(length);
  to.set(from);
  return to;
}
