/** A batch of a text table: the text of its rows, and their cells as columns. */
import { TableError } from '../../base/errors.ts';
import type { Batch } from '../table.ts';
import { BatchCells } from './batch-cells.ts';
import { lineOf, type RowBlock, rowStart } from './rows.ts';
import type { TextFormat } from './text-format.ts';

/** The rows of a batch, cut into blocks of text, with their cells. */
export class TextBatch extends BatchCells implements Batch {
  readonly blocks: readonly RowBlock[];
  readonly firstRow: number;
  readError: { row: number; error: TableError } | undefined;
  readonly #format: TextFormat;

  constructor(format: TextFormat, blocks: readonly RowBlock[], firstRow: number) {
    const rows = blocks.reduce((sum, { ends }) => sum + ends.length, 0);
    super(rows, format.columns);
    this.#format = format;
    this.blocks = blocks;
    this.firstRow = firstRow;
  }

  /**
   * Reads the cells of a block.
   *
   * @param row The index of the first row of the block in the batch.
   * @returns false if a row cannot be read. The rows after it are not read.
   */
  readBlock({ bytes, start, ends }: RowBlock, row: number): boolean {
    let from = start;
    for (const end of ends) {
      try {
        this.#format.readRow(bytes, from, end, this, row);
      } catch (error) {
        if (!(error instanceof TableError)) throw error;
        this.readError = { row, error: this.errorAt(row, error) };
        return false;
      }
      from = end;
      row++;
    }
    return true;
  }

  describeInvalid(row: number): string {
    const { block, index } = this.#at(row);
    return this.#format.describeInvalid(block.bytes, rowStart(block, index), block.ends[index], this, row);
  }

  nameOf(row: number): string {
    const { block, index } = this.#at(row),
      { file } = block;
    const number = this.firstRow + row - (file?.rowsBefore ?? 0);
    return `${file ? `${file.name}: ` : ''}row ${number} (line ${lineOf(block, index)})`;
  }

  /** Adds the name of the row to an error. */
  errorAt(row: number, error: TableError): TableError {
    return new TableError(error.code, `${this.nameOf(row)}: ${error.message}`);
  }

  #at(row: number): { block: RowBlock; index: number } {
    for (const block of this.blocks) {
      if (row < block.ends.length) return { block, index: row };
      row -= block.ends.length;
    }
    throw new RangeError('not a row of this batch');
  }
}
