/** Answers as CSV, with a header. A missing value is an empty cell. */
import { ByteWriter } from '../../tables/text/byte-writer.ts';
import { cellWriter } from './cell-texts.ts';
import { PIECE_ROWS, type ReplyBatch, type ReplyHead, type PromptReplyWriter } from './reply-columns.ts';

const STYLE = { quote: '', missing: '' };

/** Writes row by row, and keeps nothing. */
export class CsvReply implements PromptReplyWriter {
  readonly #columns: ReplyHead['columns'];
  readonly #out = new ByteWriter();

  constructor({ columns }: ReplyHead) {
    this.#columns = columns;
    this.#out.ascii(`${columns.map(({ name }) => name).join(',')}\n`);
  }

  *write({ rows, columns }: ReplyBatch): Generator<Uint8Array> {
    const out = this.#out,
      cells = this.#columns.map(({ kind }, k) => cellWriter(kind, columns[k], STYLE));
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < cells.length; k++) {
        if (k > 0) out.byte(44);
        cells[k](out, row);
      }
      out.byte(10);
      if (row % PIECE_ROWS === PIECE_ROWS - 1) yield out.take();
    }
  }

  *finish(): Generator<Uint8Array> {
    yield this.#out.take();
  }
}
