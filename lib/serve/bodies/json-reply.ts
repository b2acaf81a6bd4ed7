/** Answers as JSON: one list per column. IDs are decimal texts, because JSON numbers are rounded beyond 2^53. */
import { ByteWriter } from '../../tables/text/byte-writer.ts';
import { cellWriter } from './cell-texts.ts';
import { KeptRows, type ReplyBatch, type ReplyHead, type PromptReplyWriter } from './reply-columns.ts';

const STYLE = { quote: '"', missing: 'null' };

/** `{"timestamp": …, "supervoxel_id": […], …}`. Keeps all rows until the end, as numbers. */
export class JsonReply implements PromptReplyWriter {
  readonly #head: ReplyHead;
  readonly #kept = new KeptRows();

  constructor(head: ReplyHead) {
    this.#head = head;
  }

  write(batch: ReplyBatch): Uint8Array[] {
    this.#kept.add(batch);
    return [];
  }

  *finish(): Generator<Uint8Array> {
    const { timestamp, columns } = this.#head,
      isSmall = this.#kept.rows <= 2048,
      out = new ByteWriter(isSmall ? 1024 + 64 * this.#kept.rows : undefined);
    out.ascii(timestamp ? `{"timestamp":"${timestamp.toISOString()}"` : '{"timestamp":null');
    for (const [index, { name, kind }] of columns.entries()) {
      out.ascii(`,"${name}":[`);
      let isFirst = true;
      for (const values of this.#kept.column(index)) {
        const write = cellWriter(kind, values, STYLE);
        for (let row = 0; row < values.length; row++) {
          if (!isFirst) out.byte(44);
          isFirst = false;
          write(out, row);
        }
        if (!isSmall) yield out.take();
      }
      out.byte(93);
    }
    out.byte(125);
    yield out.take();
  }
}
