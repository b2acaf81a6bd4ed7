/** Answers as plain arrays, little-endian: all values of the first column, then those of the next. */
import { viewBytes } from '../../tables/arrow/built-table.ts';
import { KeptRows, type ReplyBatch, type ReplyHead, type PromptReplyWriter } from './reply-columns.ts';

/** N uint64 for each column of IDs, N float64 for numbers, N uint8 for statuses and flags. The first is not kept. */
export class BinaryReply implements PromptReplyWriter {
  readonly #columns: number;
  readonly #kept = new KeptRows();

  constructor({ columns }: ReplyHead) {
    this.#columns = columns.length;
  }

  write({ rows, columns: [first, ...rest] }: ReplyBatch): Uint8Array[] {
    this.#kept.add({ rows, columns: rest });
    return [viewBytes(first)];
  }

  *finish(): Generator<Uint8Array> {
    for (let k = 0; k < this.#columns - 1; k++)
      for (const { columns } of this.#kept.batches) yield viewBytes(columns[k]);
  }
}
