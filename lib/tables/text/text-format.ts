/** The interface of a text format, such as CSV or JSON Lines. */
import type { TableColumns } from '../table.ts';
import type { BatchCells } from './batch-cells.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { AnswerCells } from './answer-cells.ts';
import type { RowRules, RowSpans } from './rows.ts';

/**
 * Reads and writes the rows of one table. Rows are passed as `bytes[start, end)`, with their line end. Every
 * error is a TableError; the caller adds the number of the row.
 */
export interface TextFormat {
  readonly rules: RowRules;
  /** Whether the format has a header, so that a table without rows still names its columns. */
  readonly hasHeader: boolean;
  /** The columns that are read and written; known after `readHeader`. */
  readonly columns: TableColumns;
  /**
   * Reads the first row (empty bytes if there is none), and chooses and checks the columns.
   *
   * @param rows All rows of the first batch, including this row.
   * @returns Whether the row was a header, which is now written to `out`.
   */
  readHeader(bytes: Buffer, start: number, end: number, out: ByteWriter, rows: RowSpans): boolean;
  /** Reads the cells of a row into those of its batch. */
  readRow(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): void;
  /** Describes what cannot be read in a row, with the text of the row. */
  describeInvalid(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): string;
  /** Writes a row with its answers. */
  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: AnswerCells, row: number): void;
}
