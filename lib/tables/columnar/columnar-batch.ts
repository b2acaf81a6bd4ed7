/**
 * A batch of a columnar table: its parts as the format yields them, and their points, IDs and texts as
 * arrays.
 */
import { PointStatus } from '../../points/status.ts';
import type { Batch, TableColumns } from '../table.ts';
import { BatchCells, type TextCells } from '../text/batch-cells.ts';
import { type ColumnValues, isPresent, type TableField, type TablePart } from './column.ts';
import { readColumnIds, whyNotId } from './column-ids.ts';
import { valueText } from './column-numbers.ts';
import { describeValue, type PointColumnReader } from './column-points.ts';

/** A column, and its place among the columns of a part. */
export interface BoundColumn {
  field: TableField;
  place: number;
}

/** What is read from each part. */
export interface BoundColumns {
  columns: TableColumns;
  points: readonly PointColumnReader[];
  ids: readonly BoundColumn[];
  /** Undefined for a column that the table does not have. */
  texts: readonly (BoundColumn | undefined)[];
}

/** The parts of a batch, with their cells. */
export class ColumnarBatch<P extends TablePart> extends BatchCells implements Batch {
  readonly parts: P[] = [];
  readonly firstRow: number;
  /** The columns of the table that are read and written. */
  readonly columns: TableColumns;
  readonly #bound: BoundColumns;

  /** The rows of all parts so far. */
  #filled = 0;

  /** @param capacity The most rows. */
  constructor(capacity: number, firstRow: number, bound: BoundColumns) {
    super(capacity, bound.columns);
    this.firstRow = firstRow;
    this.columns = bound.columns;
    this.#bound = bound;
  }

  /** The number of rows that are still free. */
  get room(): number {
    return this.rows - this.#filled;
  }

  /** Reads the cells of a part. It must fit into the room. */
  add(part: P): void {
    const { points, ids, texts } = this.#bound,
      { rows, columns } = part,
      row = this.#filled;
    this.parts.push(part);
    this.#filled += rows;
    points.forEach((reader, k) => reader.read(columns, rows, this, k, row));
    ids.forEach(({ place }, k) => readColumnIds(columns[place], rows, this, k, row));
    texts.forEach((bound, k) => {
      if (bound) readTexts(columns[bound.place], rows, this.texts[k], row);
    });
  }

  /** Ends the batch. It has the rows of its parts. */
  end(): void {
    this.shrink(this.#filled);
  }

  describeInvalid(row: number): string {
    const { points, ids } = this.#bound,
      { part, i } = this.#at(row),
      { invalidPoint, invalidId } = PointStatus;
    return [
      ...points
        .filter((_, k) => this.pointStatus[k * this.rows + row] === invalidPoint)
        .map((reader) => reader.describeInvalid(part.columns, i)),
      ...ids
        .filter((_, k) => this.idStatus[k * this.rows + row] === invalidId)
        .map(({ field, place }) => describeValue(field, part.columns[place], i, whyNotId(field))),
    ].join('; ');
  }

  nameOf(row: number): string {
    return `row ${this.firstRow + row}`;
  }

  #at(row: number): { part: P; i: number } {
    for (const part of this.parts) {
      if (row < part.rows) return { part, i: row };
      row -= part.rows;
    }
    throw new RangeError('not a row of this batch');
  }
}

function readTexts(column: ColumnValues, rows: number, cells: TextCells, row: number): void {
  const { validity } = column;
  for (let i = 0; i < rows; i++)
    if (!validity || isPresent(validity, i)) cells.set(row + i, valueText(column, i).trim());
}

/** Yields the values of a column of parts as text; an absent value as empty text. */
export function* textsOfParts(parts: readonly TablePart[], place: number): Generator<string> {
  for (const { rows, columns } of parts) {
    const column = columns[place];
    for (let i = 0; i < rows; i++)
      yield column.validity && !isPresent(column.validity, i) ? '' : valueText(column, i);
  }
}
