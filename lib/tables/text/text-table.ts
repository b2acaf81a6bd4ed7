/**
 * A text table: cuts a stream of bytes into rows, and writes them again with their answers. All other bytes
 * stay the same.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TableError } from '../../base/errors.ts';
import { cellsPerSide, type RowAnswers } from '../answers.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import type { TableSink, TableSource } from '../table.ts';
import { ByteWriter } from './byte-writer.ts';
import type { MissingText } from '../missing.ts';
import { createAnswerCells } from './answer-cells.ts';
import { JoinedFiles } from './joined-files.ts';
import { readRows, type RowBlock, rowsOf } from './rows.ts';
import { TextBatch } from './text-batch.ts';
import type { TextFormat } from './text-format.ts';

/** Options of all text tables. */
export interface TextTableOptions {
  /**
   * A batch ends with the first block of rows (64 KiB of text or more) at which it has this many rows.
   *
   * @default 1_000_000
   */
  batchRows?: number;
  signal?: AbortSignal;
}

/** The text of a batch. Three batches are in memory at a time. */
const BATCH_BYTES = 2 ** 27;
const WRITE_BYTES = 2 ** 20;
/** How long a batch may block other work. */
const TURN_MS = 20;

/** A table in one of the text formats. */
export class TextTable implements TableSource<TextBatch> {
  readonly #format: TextFormat;
  readonly #bytes: AsyncIterable<Uint8Array> | JoinedFiles;
  readonly #options: TextTableOptions;
  /** The output before the first row: byte order mark and header. */
  readonly #head = new ByteWriter(1024);

  constructor(format: TextFormat, bytes: AsyncIterable<Uint8Array> | JoinedFiles, options: TextTableOptions) {
    this.#format = format;
    this.#bytes = bytes;
    this.#options = options;
  }

  /** With several files: returns the name of a row that was read. */
  get rowName(): ((row: number) => string) | undefined {
    const files = this.#bytes;
    return files instanceof JoinedFiles ? (row) => files.rowName(row) : undefined;
  }

  get hasHeader(): boolean {
    return this.#format.hasHeader;
  }

  async *batches(): AsyncGenerator<TextBatch> {
    const { batchRows = 1_000_000 } = this.#options;
    let blocks: RowBlock[] = [];
    let rows = 0,
      bytes = 0,
      rowsBefore = 0,
      hasBegun = false;
    const takeBatch = async (): Promise<TextBatch> => {
      const batch = await this.#read(hasBegun ? blocks : this.#begin(blocks), rowsBefore + 1);
      hasBegun = true;
      rowsBefore += batch.rows;
      blocks = [];
      rows = bytes = 0;
      return batch;
    };
    for await (const block of this.#blocks()) {
      blocks.push(block);
      rows += block.ends.length;
      bytes += block.bytes.length;
      if (rows >= batchRows || bytes >= BATCH_BYTES) yield await takeBatch();
    }
    if (blocks.length > 0) yield await takeBatch();
    else if (!hasBegun) this.#begin([]);
  }

  #blocks(): AsyncGenerator<RowBlock> {
    return this.#bytes instanceof JoinedFiles
      ? this.#bytes.blocks()
      : readRows(this.#bytes, this.#format.rules);
  }

  /**
   * Reads the first row. Only an error of that row gets its number; an error of the columns concerns all
   * rows.
   *
   * @returns The blocks without the header.
   */
  #begin(blocks: RowBlock[]): RowBlock[] {
    const format = this.#format,
      head = this.#head;
    if (blocks.length === 0) return (format.readHeader(Buffer.alloc(0), 0, 0, head, []), []);
    const [block, ...others] = blocks,
      { bytes, start, ends } = block;
    head.copy(bytes, 0, start);
    try {
      const rows = { [Symbol.iterator]: () => rowsOf(blocks) };
      const isHeader = format.readHeader(bytes, start, ends[0] ?? start, head, rows);
      return isHeader ? [{ ...block, start: ends[0], ends: ends.subarray(1) }, ...others] : blocks;
    } catch (error) {
      throw error instanceof TableError && error.code === 'BAD_ROW'
        ? new TextBatch(format, blocks, format.rules.firstRowNumber).errorAt(0, error)
        : error;
    }
  }

  /** Reads the cells of all rows up to the first row that cannot be read. @throws signal.reason */
  async #read(blocks: readonly RowBlock[], firstRow: number): Promise<TextBatch> {
    const { signal } = this.#options;
    const batch = new TextBatch(this.#format, blocks, firstRow);
    const { points = [], ids = [], texts = [] } = this.#format.columns;
    if (points.length + ids.length + texts.length === 0) return batch; // its rows were read before
    let turn = performance.now(),
      row = 0;
    for (const block of blocks) {
      if (performance.now() - turn > TURN_MS) {
        await nextTurn();
        signal?.throwIfAborted();
        turn = performance.now();
      }
      if (!batch.readBlock(block, row)) break;
      row += block.ends.length;
    }
    return batch;
  }

  /**
   * Returns a sink that writes the same rows with their answers.
   *
   * @param missing The text for a missing answer. @default 'empty'
   */
  sinkTo(out: ByteSink, missing?: MissingText): TableSink<TextBatch> {
    const writer = new ByteWriter(2 * WRITE_BYTES),
      format = this.#format;
    let hasBegun = false;
    const begin = async (): Promise<void> => {
      if (hasBegun) return;
      hasBegun = true;
      await out.write(this.#head.take());
    };
    return {
      async write({ blocks }: TextBatch, answers: RowAnswers) {
        await begin();
        const sides = format.columns.outputs.length / cellsPerSide(answers);
        const cells = createAnswerCells(answers, sides, missing);
        let row = 0;
        for (const { bytes, start, ends } of blocks) {
          let from = start;
          for (const end of ends) {
            format.writeRow(writer, bytes, from, end, cells, row++);
            from = end;
            if (writer.length >= WRITE_BYTES) await out.write(writer.take());
          }
          writer.copy(bytes, from); // blank lines after the last row
        }
        await out.write(writer.take()); // so that an interrupt keeps the rows of this batch
      },
      finish: begin, // a table without rows
    };
  }
}
