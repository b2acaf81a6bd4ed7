/**
 * CSV and TSV: the text of a row is kept as it is, answers are written behind it or over old ones.
 * A row whose number of fields is not the header's has no trustworthy columns: it is kept, gets no answer, and its status is its last field.
 */
import { TableError } from '../base/errors.ts';
import type { ByteWriter } from './byte-writer.ts';
import { parseDecimal, parseId, parsePosition } from './decimal.ts';
import type { RowRules } from './rows.ts';
import { type Cells, checkColumns, chosen, type ColumnChoice, type TableColumns, type TableFormat } from './table.ts';

const LF = 10, CR = 13, QUOTE = 34;

export class Delimited implements TableFormat {
  readonly rules: RowRules;
  readonly #delimiter: number;
  readonly #choice: ColumnChoice;
  /** Names where the table has none; its header is then ours. */
  readonly #given: readonly string[] | undefined;
  #columns!: TableColumns; // from the header on
  #fields = 0; // of the header
  #pointFields: number[] = [];
  #idFields: number[] = [];
  #timestampField = -1;
  /** Where answers go, left to right: a field written over, or Infinity for behind the row. */
  #places: { field: number; column: number }[] = [];
  /** Starts and ends of the fields of one row, reused. */
  readonly #spans: number[] = [];
  #timestamp = '';
  #hasId = false;

  constructor(
    readonly delimiter: ',' | '\t',
    columns: ColumnChoice,
    header?: readonly string[],
  ) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#choice = columns;
    this.#given = header;
    this.rules = { delimiter: this.#delimiter, firstRow: header ? 1 : 0 };
  }

  begin(bytes: Buffer, start: number, end: number, out: ByteWriter): boolean {
    if (start === end && !this.#given) throw new TableError('BAD_FORMAT', 'the table is empty: it has no header');
    this.#fields = this.#given?.length ?? this.#split(bytes, start, end);
    const names = this.#given ?? Array.from({ length: this.#fields }, (_, field) => this.#text(bytes, field));
    this.#columns = chosen(this.#choice, names);
    const { point = [], ids = [], timestamp, outputs } = this.#columns;
    checkColumns(this.#columns, names, names.length === 1 ? otherSeparator(names[0], this.delimiter) : undefined);
    const fieldOf = (name: string): number => {
      const field = names.indexOf(name);
      if (field !== names.lastIndexOf(name)) throw new TableError('BAD_FORMAT', `column ${name} is there more than once`);
      return field;
    };
    this.#pointFields = point.map(fieldOf);
    this.#idFields = ids.map(fieldOf);
    this.#timestampField = timestamp === undefined ? -1 : fieldOf(timestamp);
    this.#places = outputs.map((name, column) => ({ field: names.includes(name) ? fieldOf(name) : Infinity, column }));
    this.#places.sort((a, b) => (a.field === b.field ? a.column - b.column : a.field - b.field));
    const header = this.#given ? Buffer.from(`${this.#given.join(this.delimiter)}${endsWithCrLf(bytes, start, end) ? '\r' : ''}\n`) : bytes.subarray(start, end);
    this.writeRow(out, header, 0, header.length, { write: (to, column) => (to.copy(this.#quoted(outputs[column])), true) });
    return !this.#given;
  }

  readPoint(bytes: Buffer, start: number, end: number, out: Float64Array, at: number): string | undefined {
    out[at] = out[at + 1] = out[at + 2] = NaN;
    this.#timestamp = '';
    const fields = this.#split(bytes, start, end);
    if (fields !== this.#fields) return `${fields} fields where the header has ${this.#fields}`;
    if (this.#timestampField >= 0) this.#timestamp = this.#text(bytes, this.#timestampField).trim();
    const names = this.#columns.point!;
    if (names.length === 1) {
      const field = this.#pointFields[0];
      const [from, to] = this.#inside(bytes, field);
      if (parsePosition(bytes, from, to, out, at)) return undefined;
      out.fill(NaN, at, at + 3);
      return `column ${names[0]}${this.#shown(bytes, field, 'no [x, y, z]')}`;
    }
    for (let axis = 0; axis < 3; axis++) {
      const field = this.#pointFields[axis];
      const quoted = bytes[this.#spans[2 * field]] === QUOTE ? 1 : 0;
      const number = parseDecimal(bytes, this.#spans[2 * field] + quoted, this.#spans[2 * field + 1] - quoted);
      if (Number.isNaN(number)) {
        out.fill(NaN, at, at + 3);
        return `column ${names[axis]}${this.#shown(bytes, field, 'no number')}`;
      }
      out[at + axis] = number;
    }
    return undefined;
  }

  readIds(bytes: Buffer, start: number, end: number, out: readonly Uint32Array[], row: number): string | undefined {
    const fields = this.#split(bytes, start, end);
    let reason = fields === this.#fields ? undefined : `${fields} fields where the header has ${this.#fields}`;
    this.#hasId = reason !== undefined;
    for (let k = 0; k < this.#idFields.length && reason === undefined; k++) {
      const [from, to] = this.#inside(bytes, this.#idFields[k]);
      if (k === 0) this.#hasId = !isBlank(bytes, from, to);
      if (!parseId(bytes, from, to, out[k], 2 * row)) reason = `column ${this.#columns.ids![k]}${this.#shown(bytes, this.#idFields[k], 'no uint64 ID')}`;
    }
    if (reason !== undefined) for (const words of out) words[2 * row] = words[2 * row + 1] = 0;
    return reason;
  }

  hasId(): boolean {
    return this.#hasId;
  }

  timestamp(): string {
    return this.#timestamp;
  }

  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: Cells, row = 0): void {
    const contentEnd = withoutLineEnd(bytes, start, end);
    const replaces = this.#places.length > 0 && this.#places[0].field !== Infinity;
    const fields = replaces && this.#split(bytes, start, end) === this.#fields ? this.#fields : 0;
    const keeps = cells.keeps?.(row) ?? false;
    let copied = start;
    for (const { field, column } of this.#places) {
      if (keeps && field < fields) continue;
      if (field < fields) {
        out.copy(bytes, copied, this.#spans[2 * field]);
        copied = this.#spans[2 * field + 1];
      } else {
        out.copy(bytes, copied, contentEnd);
        copied = contentEnd;
        out.byte(this.#delimiter);
      }
      cells.write(out, column, row);
    }
    out.copy(bytes, copied, end);
  }

  /** Finds the fields of a row: field f is `bytes[spans[2f], spans[2f + 1])`. @returns how many there are. */
  #split(bytes: Buffer, start: number, end: number): number {
    const spans = this.#spans;
    const delimiter = this.#delimiter;
    const stop = withoutLineEnd(bytes, start, end);
    while (start < stop && (bytes[start] === LF || bytes[start] === CR)) start++; // blank lines before the row
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
    return used / 2;
  }

  /** A field without its quotes. */
  #inside(bytes: Buffer, field: number): [start: number, end: number] {
    const start = this.#spans[2 * field], end = this.#spans[2 * field + 1];
    return end - start >= 2 && bytes[start] === QUOTE && bytes[end - 1] === QUOTE ? [start + 1, end - 1] : [start, end];
  }

  #text(bytes: Buffer, field: number): string {
    const [start, end] = this.#inside(bytes, field);
    const text = bytes.toString('utf8', start, end);
    return start > this.#spans[2 * field] ? text.replaceAll('""', '"') : text;
  }

  /** ` is empty`, or `: "its text" is` what it is. */
  #shown(bytes: Buffer, field: number, what: string): string {
    const text = this.#text(bytes, field);
    return text.trim() === '' ? ' is empty' : `: ${JSON.stringify(text.slice(0, 60))} is ${what}`;
  }

  #quoted(name: string): Buffer {
    return Buffer.from(name.includes(this.delimiter) || /["\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
  }
}

const endsWithCrLf = (bytes: Buffer, start: number, end: number): boolean => end - start >= 2 && bytes[end - 1] === LF && bytes[end - 2] === CR;

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  while (start < end && (bytes[start] === 32 || (bytes[start] >= 9 && bytes[start] <= CR))) start++;
  return start === end;
}

/** What to try when a header is one single column. */
function otherSeparator(name: string, delimiter: string): string | undefined {
  if (delimiter !== '\t' && name.includes('\t')) return 'the header has tabs: try --format tsv';
  if (delimiter !== ',' && name.includes(',')) return 'the header has commas: try --format csv';
  return name.includes(';') ? '; is no separator here: write the table with commas or tabs' : undefined;
}

/** Where the line end of a row starts: before LF or CR LF, or at its end. */
function withoutLineEnd(bytes: Buffer, start: number, end: number): number {
  if (end > start && bytes[end - 1] === LF) end--;
  else return end;
  return end > start && bytes[end - 1] === CR ? end - 1 : end;
}
