/** The cells of a batch as columns, filled one row at a time. The layout is that of `Batch`. */
import { wordsOf } from '../../base/uint64.ts';
import { PointStatus } from '../../points/status.ts';
import { DECIMALS, WHOLE_NUMBERS, type TableColumns, type TextColumn } from '../table.ts';
import { isWrittenWhole } from './decimal.ts';

/** The arrays of a batch, and the methods that fill them. */
export class BatchCells {
  readonly rows: number;
  readonly points: Float64Array;
  readonly pointStatus: Uint8Array;
  readonly numberKinds: Uint8Array;
  readonly ids: BigUint64Array;
  /** The words of `ids`, low word first. */
  readonly words: Uint32Array;
  readonly idStatus: Uint8Array;
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

/** A column of text that stores each distinct text once. A row that was never set has an empty text. */
export class TextCells implements TextColumn {
  readonly spellings = [''];
  readonly indices: Uint32Array;
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
