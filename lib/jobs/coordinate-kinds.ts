/**
 * Decides which coordinates of a table name voxels and which are places between them. A column of whole
 * numbers names voxels. If any number of a column is written with decimals, all of them are places.
 */
import { TableError } from '../base/errors.ts';
import { type Batch, DECIMALS, type PointColumns, WHOLE_NUMBERS } from '../tables/table.ts';

const AXES = ['x', 'y', 'z'];

/** The kinds of the coordinates of one table, as far as it has been read. */
export class CoordinateKinds {
  /** For each coordinate of a row: whether it names voxels; undefined before its first number. */
  readonly #namesVoxels: (boolean | undefined)[] = [];
  readonly #warn: (message: string) => void;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /**
   * Notes how the coordinates of a batch are written.
   * @param points The columns of the points.
   * @throws TableError BAD_FORMAT if a column has decimals, and its numbers so far were taken for voxels.
   */
  note({ firstRow, numberKinds }: Batch, points: readonly PointColumns[]): void {
    for (const [k, kinds] of numberKinds.entries()) this.#note(k, kinds, firstRow, points);
  }

  /** Which coordinates of a row name voxels, three for each side; undefined if none does. */
  get namesVoxels(): readonly boolean[] | undefined {
    return this.#namesVoxels.includes(true)
      ? Array.from(this.#namesVoxels, (names) => names === true)
      : undefined;
  }

  #note(k: number, kinds: number, firstRow: number, points: readonly PointColumns[]): void {
    const namesVoxels = this.#namesVoxels[k];
    if (kinds === 0 || namesVoxels === false) return;
    const columns = points[Math.floor(k / 3)],
      axis = AXES[k % 3],
      name = columns.length === 1 ? `${axis} of column ${columns[0]}` : `column ${columns[k % 3]}`;
    if (!(kinds & DECIMALS)) this.#namesVoxels[k] = true;
    else if (namesVoxels)
      throw new TableError(
        'BAD_FORMAT',
        `${name} has whole numbers before row ${firstRow} and decimals after it: whole numbers were read as voxels, at their centres. Write all of them with decimals (115.0) if they are places`,
      );
    else {
      this.#namesVoxels[k] = false;
      if (kinds & WHOLE_NUMBERS)
        this.#warn(
          `${name} has whole numbers and decimals: all are read as places, so that 115 is the border between the voxels 114 and 115`,
        );
    }
  }
}

/**
 * Returns one byte for each coordinate: whether it names a voxel.
 * @param namesVoxels Three flags for each side.
 * @param sideOf Returns the side of a point.
 */
export function flagIntegers(
  namesVoxels: readonly boolean[],
  points: number,
  sideOf: (point: number) => number,
): Uint8Array {
  const integers = new Uint8Array(3 * points);
  for (let point = 0, at = 0; point < points; point++) {
    const first = 3 * sideOf(point);
    for (let axis = 0; axis < 3; axis++) integers[at++] = namesVoxels[first + axis] ? 1 : 0;
  }
  return integers;
}
