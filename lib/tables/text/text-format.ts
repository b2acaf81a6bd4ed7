/** What a format of text tables does. */
import type { TableColumns } from '../table.ts';
import type { BatchCells } from './batch-cells.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { AnswerCells } from './answer-cells.ts';
import type { RowRules, RowSpans } from './rows.ts';

/**
 * One format, bound to one table. Rows are handed in as `bytes[start, end)`, line end included. Every error is a TableError; the caller
 * adds the row's number.
 */
export interface TextFormat {
  readonly rules: RowRules;
  /** Whether a table without rows still says what its columns are. */
  readonly hasHeader: boolean;
  /** What is read and written; known once the first row has been met. */
  readonly columns: TableColumns;
  /**
   * Meets the first row (empty bytes when there is none), and checks the columns.
   * @param rows All rows of the first batch, this one too.
   * @returns whether it was a header, now written to `out`.
   */
  readHeader(bytes: Buffer, start: number, end: number, out: ByteWriter, rows: RowSpans): boolean;
  /** Reads the cells of a row to those of its batch. */
  readRow(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): void;
  /** What could not be read in a row, in its own words. */
  describeInvalid(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): string;
  /** Writes a row with its answers. */
  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: AnswerCells, row: number): void;
}
