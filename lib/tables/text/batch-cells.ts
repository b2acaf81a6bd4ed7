/** The cells of a batch as columns, filled one row at a time. The layout is that of `Batch`. */
import { wordsOf } from '../../base/uint64.ts';
import { PointStatus } from '../../points/status.ts';
import { DECIMALS, WHOLE_NUMBERS, type TableColumns, type TextColumn } from '../table.ts';
import { isWrittenWhole } from './decimal.ts';

/** The arrays of a batch, and the methods that fill them. */
export class BatchCells {
  rows: number;
  points: Float64Array;
  pointStatus: Uint8Array;
  readonly numberKinds: Uint8Array;
  ids: BigUint64Array;
  /** The words of `ids`, low word first. */
  words: Uint32Array;
  idStatus: Uint8Array;
  readonly texts: readonly TextCells[];

  constructor(rows: number, { points = [], ids = [], texts = [] }: Partial<TableColumns>) {
    this.rows = rows;
    this.points = new Float64Array(3 * rows * points.length);
    this.pointStatus = new Uint8Array(rows * points.length);
    this.numberKinds = new Uint8Array(3 * points.length);
    this.ids = new BigUint64Array(rows * ids.length);
    this.words = wordsOf(this.ids);
    this.idStatus = new Uint8Array(rows * ids.length);
    this.texts = texts.map(() => new TextCells(rows));
  }

  /** Keeps the first rows only. */
  shrink(rows: number): void {
    const before = this.rows;
    if (rows === before) return;
    this.points = keepRows(this.points, before, rows, 3);
    this.pointStatus = keepRows(this.pointStatus, before, rows, 1);
    this.ids = keepRows(this.ids, before, rows, 1);
    this.words = wordsOf(this.ids);
    this.idStatus = keepRows(this.idStatus, before, rows, 1);
    for (const cells of this.texts) cells.indices = cells.indices.subarray(0, rows);
    this.rows = rows;
  }

  /** Marks a point as missing or invalid. @param at `column * rows + row` */
  clearPoint(at: number, status: number): void {
    this.points.fill(NaN, 3 * at, 3 * at + 3);
    this.pointStatus[at] = status;
  }

  /** Notes how the coordinates of a point are written. @param column The column of points. */
  noteNumbers(column: number, texts: readonly string[]): void {
    for (let axis = 0; axis < 3; axis++)
      this.numberKinds[3 * column + axis] |= isWrittenWhole(texts[axis]) ? WHOLE_NUMBERS : DECIMALS;
  }

  clearId(at: number, status: number): void {
    this.words[2 * at] = this.words[2 * at + 1] = 0;
    this.idStatus[at] = status;
  }

  /** Marks all points and IDs of a row as invalid, because its fields do not match the header. */
  refuseRow(row: number): void {
    for (let at = row; at < this.pointStatus.length; at += this.rows)
      this.clearPoint(at, PointStatus.invalidPoint);
    for (let at = row; at < this.idStatus.length; at += this.rows) this.clearId(at, PointStatus.invalidId);
  }
}

/** Moves the first rows of all columns together. @returns A view of the same memory. */
function keepRows<A extends Float64Array | Uint8Array | BigUint64Array>(
  array: A,
  before: number,
  rows: number,
  width: number,
): A {
  const columns = array.length / (before * width);
  for (let k = 1; k < columns; k++)
    array.copyWithin(k * rows * width, k * before * width, (k * before + rows) * width);
  return array.subarray(0, columns * rows * width) as A;
}

/** A column of text that stores each distinct text once. A row that was never set has an empty text. */
export class TextCells implements TextColumn {
  readonly spellings = [''];
  indices: Uint32Array;
  readonly #seen = new Map([['', 0]]);

  constructor(rows: number) {
    this.indices = new Uint32Array(rows);
  }

  set(row: number, text: string): void {
    let index = this.#seen.get(text);
    if (index === undefined) {
      index = this.spellings.push(text) - 1;
      this.#seen.set(text, index);
    }
    this.indices[row] = index;
  }
}
