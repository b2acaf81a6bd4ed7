/**
 * Finds codes in the locations stream. The stream has one code, in raster order, for each boundary voxel
 * whose left and upper neighbours (and, with connectivity 6, the neighbour in the slice before) are
 * boundaries too. A code of 0 to 5 points to a neighbour. The code 6 means that the next entry is the label.
 * Any other code is the label + 7.
 * Source: seung-lab/compresso, README.md "Supports Full Integer Range in Indeterminate Locations" and
 * compresso.hpp, `decode_indeterminate_locations`.
 */
import { DecodeError } from '../../base/errors.ts';
import type { Section, CompressoStream } from './stream.ts';
import type { BoundaryBits } from './boundary-windows.ts';

/** The code that means: the next entry is the label. */
export const LABEL_FOLLOWS = 6;
/** The code of label 0. */
export const FIRST_LABEL_CODE = 7;

/** The codes of one slab at a time. */
export class Locations {
  /** The entry at which the codes of each row start. */
  #rowStart: Float64Array;
  readonly #view: DataView;
  readonly #section: Section;
  readonly #sy: number;
  readonly #connectivity: number;

  /** @param rows The most rows of voxels to count at a time. */
  constructor({ view, locations, shape, connectivity }: CompressoStream, rows: number) {
    this.#view = view;
    this.#section = locations;
    this.#sy = shape[1];
    this.#connectivity = connectivity;
    this.#rowStart = new Float64Array(rows);
  }

  /**
   * Finds the codes of every row of a slab.
   * @param start The entry of the slab's first code.
   * @returns The entry after the slab's last code.
   * @throws DecodeError TRUNCATED if the stream ends before that.
   */
  count(slab: BoundaryBits, start: number): number {
    const rows = this.#sy * (slab.z1 - slab.z0);
    let entry = start;
    for (let row = 0; row < rows; row++) {
      this.#rowStart[row] = entry;
      let codes = 0;
      for (let word = 0; word < slab.rowWords; word++) codes += countOnes(this.#undecided(slab, row, word));
      entry = this.#skip(entry, codes);
    }
    if (entry > this.#section.count)
      throw new DecodeError('TRUNCATED', `compresso: ${this.#section.count} locations are too few`);
    return entry;
  }

  /** Returns the entry of a voxel's code. The voxel must have one. */
  find(slab: BoundaryBits, x: number, row: number): number {
    let codes = 0;
    for (let word = 0; word < x >>> 5; word++) codes += countOnes(this.#undecided(slab, row, word));
    codes += countOnes(this.#undecided(slab, row, x >>> 5) & ~(-1 << (x & 31)));
    return this.#skip(this.#rowStart[row], codes);
  }

  /**
   * Returns, of 32 voxels, the boundary voxels whose earlier neighbours are all boundaries or outside the
   * chunk.
   */
  #undecided({ bits, rowWords }: BoundaryBits, row: number, word: number): number {
    const at = row * rowWords + word,
      sy = this.#sy;
    let result = bits[at];
    if (result === 0) return 0;
    result &= (result << 1) | (word > 0 ? bits[at - 1] >>> 31 : 1);
    if (row % sy > 0) result &= bits[at - rowWords];
    if (this.#connectivity === 6 && row >= sy) result &= bits[at - sy * rowWords];
    return result;
  }

  /** Skips `codes` codes and returns the entry after them; past the end if there are fewer. */
  #skip(entry: number, codes: number): number {
    const { at, count, width } = this.#section;
    for (let k = 0; k < codes; k++)
      entry += entry < count && isEscape(this.#view, at + entry * width, width) ? 2 : 1;
    return entry;
  }
}

function isEscape(view: DataView, at: number, width: number): boolean {
  if (view.getUint8(at) !== LABEL_FOLLOWS) return false;
  if (width === 1) return true;
  if (width === 2) return view.getUint16(at, true) === LABEL_FOLLOWS;
  return view.getUint32(at, true) === LABEL_FOLLOWS && (width === 4 || view.getUint32(at + 4, true) === 0);
}

/** Counts the set bits of a word. */
function countOnes(word: number): number {
  if (word === 0) return 0;
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
