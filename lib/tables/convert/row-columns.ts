/** The interface between the rows of a text table and the columns that are built of them. */
import type { BuiltColumn, BuiltField } from '../arrow/built-table.ts';

/** Finds the columns of a table from all of its rows. Rows are passed as `bytes[start, end)`. */
export interface RowScanner {
  /**
   * Notes a row. The first row of a file with a header is its header.
   *
   * @throws TableError BAD_ROW for a row that columns cannot hold.
   */
  note(bytes: Buffer, start: number, end: number, isFirst: boolean): void;
  /** Returns what was found. @throws TableError BAD_FORMAT. */
  columns(): RowColumns;
}

/** The columns of a table. */
export interface RowColumns {
  /** The columns, and whether they have nulls. */
  readonly fields: readonly (BuiltField & { hasNulls: boolean })[];
  /** Makes a builder of these columns. */
  builder(): RowBuilder;
}

/** Builds columns from rows. */
export interface RowBuilder {
  /** The bytes of the texts so far. */
  readonly bytes: number;
  add(bytes: Buffer, start: number, end: number): void;
  /** Returns the columns of the rows that were added, and begins anew. */
  take(): BuiltColumn[];
}
