/**
 * Decides which coordinates of a table name voxels and which are places between them. A column of whole numbers
 * names voxels. If any number of a column is written with decimals, all of them are places.
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
   * Returns which coordinates of a batch name voxels: one byte for each; undefined if none does.
   * @param points The columns of the points.
   * @throws TableError BAD_FORMAT if a column has decimals, and its numbers so far were taken for voxels.
   */
  integersOf(
    { rows, firstRow, numberKinds }: Batch,
    points: readonly PointColumns[],
  ): Uint8Array | undefined {
    for (const [k, kinds] of numberKinds.entries()) this.#note(k, kinds, firstRow, points);
    if (!this.#namesVoxels.includes(true)) return undefined;
    const integers = new Uint8Array(rows * numberKinds.length);
    for (let side = 0; side < points.length; side++)
      for (let axis = 0; axis < 3; axis++) {
        if (!this.#namesVoxels[3 * side + axis]) continue;
        for (let row = 0, at = 3 * side * rows + axis; row < rows; row++, at += 3) integers[at] = 1;
      }
    return integers;
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
