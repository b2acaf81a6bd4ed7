/**
 * A row of delimited text, cut into its fields. One object is reused for all rows: `split` sets the current
 * row.
 */
import { contentEnd } from './rows.ts';

const LF = 10,
  CR = 13,
  QUOTE = 34;

/** The fields of the current row. */
export class Fields {
  bytes: Buffer = Buffer.alloc(0);
  /** The number of fields. */
  count = 0;
  readonly #delimiter: number;
  /** Field f is `bytes[spans[2f], spans[2f + 1])`, quotes included. */
  readonly #spans: number[] = [];

  constructor(delimiter: number) {
    this.#delimiter = delimiter;
  }

  /** Cuts the row `bytes[start, end)` into fields. */
  split(bytes: Buffer, start: number, end: number): this {
    const spans = this.#spans,
      delimiter = this.#delimiter;
    const stop = contentEnd(bytes, start, end);
    // blank lines before the row
    while (start < stop && (bytes[start] === LF || bytes[start] === CR)) start++;
    let used = 0;
    spans[used++] = start;
    let quoted = bytes[start] === QUOTE;
    for (let at = quoted ? start + 1 : start; at < stop; at++) {
      const c = bytes[at];
      if (quoted) {
        if (c !== QUOTE) continue;
        if (bytes[at + 1] === QUOTE && at + 1 < stop) at++;
        else quoted = false;
      } else if (c === delimiter) {
        spans[used++] = at;
        spans[used++] = at + 1;
        if (bytes[at + 1] === QUOTE && at + 1 < stop) {
          quoted = true;
          at++;
        }
      }
    }
    spans[used++] = stop;
    this.bytes = bytes;
    this.count = used / 2;
    return this;
  }

  start(field: number): number {
    return this.#spans[2 * field];
  }

  end(field: number): number {
    return this.#spans[2 * field + 1];
  }

  /** Returns where a field starts and ends without its quotes. */
  unquoted(field: number): [start: number, end: number] {
    const start = this.start(field),
      end = this.end(field);
    return end - start >= 2 && this.bytes[start] === QUOTE && this.bytes[end - 1] === QUOTE
      ? [start + 1, end - 1]
      : [start, end];
  }

  text(field: number): string {
    const [start, end] = this.unquoted(field);
    const text = this.bytes.toString('utf8', start, end);
    return start > this.start(field) ? text.replaceAll('""', '"') : text;
  }

  /** Describes a field that cannot be read: ` is empty`, or `: "its text" is ` and `what`. */
  describe(field: number, what: string): string {
    const text = this.text(field);
    return text.trim() === '' ? ' is empty' : `: ${JSON.stringify(text.slice(0, 60))} is ${what}`;
  }
}
