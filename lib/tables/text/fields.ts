/** A row of delimited text, cut into its fields. One object serves all rows in turn: `split` says which it is about. */
import { contentEnd } from './rows.ts';

const LF = 10,
  CR = 13,
  QUOTE = 34;

export class Fields {
  bytes: Buffer = Buffer.alloc(0);
  /** How many there are. */
  count = 0;
  readonly #delimiter: number;
  /** Field f is `bytes[spans[2f], spans[2f + 1])`, quotes included. */
  readonly #spans: number[] = [];

  constructor(delimiter: number) {
    this.#delimiter = delimiter;
  }

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

  /** A field without its quotes. */
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

  /** ` is empty`, or `: "its text" is` what it is. */
  describe(field: number, what: string): string {
    const text = this.text(field);
    return text.trim() === '' ? ' is empty' : `: ${JSON.stringify(text.slice(0, 60))} is ${what}`;
  }
}
