/** Answers as a NumPy array of records. The header holds the number of rows, so that all rows are kept until the end. */
import { npyHeader } from '../../tables/numpy/npy-header.ts';
import { PythonTuple } from '../../tables/numpy/python-literal.ts';
import { viewBytes } from '../../tables/arrow/built-table.ts';
import {
  KeptRows,
  PIECE_ROWS,
  type ReplyBatch,
  type ReplyHead,
  type PromptReplyWriter,
} from './reply-columns.ts';

const TYPES = { id: '<u8', status: '|u1', number: '<f8', flag: '|u1' } as const,
  BYTES = { id: 8, status: 1, number: 8, flag: 1 } as const;

/** A `.npy` of a structured type: `[('supervoxel_id', '<u8'), …]`. */
export class NpyReply implements PromptReplyWriter {
  readonly #columns: ReplyHead['columns'];
  readonly #kept = new KeptRows();

  constructor({ columns }: ReplyHead) {
    this.#columns = columns;
  }

  write(batch: ReplyBatch): Uint8Array[] {
    this.#kept.add(batch);
    return [];
  }

  *finish(): Generator<Uint8Array> {
    const types = this.#columns.map(({ name, kind }) => new PythonTuple([name, TYPES[kind]])),
      sizes = this.#columns.map(({ kind }) => BYTES[kind]),
      rowBytes = sizes.reduce<number>((sum, size) => sum + size, 0);
    yield npyHeader(types, [this.#kept.rows]);
    for (const { rows, columns } of this.#kept.batches) {
      const sources = columns.map(viewBytes);
      for (let from = 0; from < rows; from += PIECE_ROWS) {
        const count = Math.min(rows - from, PIECE_ROWS),
          piece = new Uint8Array(count * rowBytes);
        let offset = 0;
        for (const [k, source] of sources.entries()) {
          const size = sizes[k];
          for (let row = 0; row < count; row++)
            for (let byte = 0; byte < size; byte++)
              piece[row * rowBytes + offset + byte] = source[(from + row) * size + byte];
          offset += size;
        }
        yield piece;
      }
    }
  }
}
