/**
 * CSV and TSV: the text of a row is kept as it is, answers are written behind it or over old ones.
 * A row whose number of fields is not the header's has no trustworthy columns: it is kept, gets no answer, and its status is its last field.
 */
import { TableError } from '../base/errors.ts';
import { PointStatus } from '../points/status.ts';
import type { ByteWriter } from './byte-writer.ts';
import { isMissingPosition, parseDecimal, parseId, parsePosition } from './decimal.ts';
import { isMissing } from './missing.ts';
import type { RowRules } from './rows.ts';
import { type Cells, type CellsOf, checkColumns, type ColumnChoice, type IdCells, type PointCells, type RowSpans, type TableColumns, type TableFormat } from './table.ts';

const LF = 10, CR = 13, QUOTE = 34;

export class Delimited implements TableFormat {
  readonly rules: RowRules;
  readonly #delimiter: number;
  readonly #choice: ColumnChoice;
  /** Names where the table has none; its header is then ours. */
  readonly #given: readonly string[] | undefined;
  #columns!: TableColumns; // from the header on
  #fields = 0; // of the header
  #pointFields: number[][] = [];
  #idFields: number[] = [];
  #textFields: number[] = [];
  /** Where answers go, left to right: a field written over, or Infinity for behind the row. */
  #places: { field: number; column: number }[] = [];
  /** Starts and ends of the fields of one row, reused. */
  readonly #spans: number[] = [];
  /** The row read last, or undefined where its fields are not those of the header. */
  #row: Buffer | undefined;

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

  begin(bytes: Buffer, start: number, end: number, out: ByteWriter, rows: RowSpans): boolean {
    if (start === end && !this.#given) throw new TableError('BAD_FORMAT', 'the table is empty: it has no header');
    this.#fields = this.#given?.length ?? this.#split(bytes, start, end);
    const names = this.#given ?? Array.from({ length: this.#fields }, (_, field) => this.#text(bytes, field));
    this.#columns = this.#choice(names, this.#cellsOf(names, rows));
    const { points = [], ids = [], texts = [], outputs } = this.#columns;
    checkColumns(this.#columns, names, names.length === 1 ? otherSeparator(names[0], this.delimiter) : undefined);
    const fieldOf = (name: string): number => {
      const field = names.indexOf(name);
      if (field !== names.lastIndexOf(name)) throw new TableError('BAD_FORMAT', `column ${name} is there more than once`);
      return field;
    };
    this.#pointFields = points.map((columns) => columns.map(fieldOf));
    this.#idFields = ids.map(fieldOf);
    this.#textFields = texts.map(fieldOf);
    this.#places = outputs.map((name, column) => ({ field: names.includes(name) ? fieldOf(name) : Infinity, column }));
    this.#places.sort((a, b) => (a.field === b.field ? a.column - b.column : a.field - b.field));
    const ownHeader = this.#given?.map((name) => this.#quoted(name).toString()).join(this.delimiter);
    const header = ownHeader === undefined ? bytes.subarray(start, end) : Buffer.from(`${ownHeader}${endsWithCrLf(bytes, start, end) ? '\r' : ''}\n`);
    this.writeRow(out, header, 0, header.length, { write: (to, column) => (to.copy(this.#quoted(outputs[column])), true) });
    return !this.#given;
  }

  #cellsOf(names: readonly string[], rows: RowSpans): CellsOf {
    const isCell = (bytes: Buffer, start: number, end: number): boolean => this.#split(bytes, start, end) === names.length;
    const text = (bytes: Buffer, field: number): string => this.#text(bytes, field), header = this.#given === undefined;
    return function* (name) {
      const field = names.indexOf(name);
      let isFirst = true;
      for (const { bytes, start, end } of field < 0 ? [] : rows) {
        if (!(isFirst && header) && isCell(bytes, start, end)) yield text(bytes, field);
        isFirst = false;
      }
    };
  }

  /** Splits a row. @returns what is wrong with the number of its fields, or undefined. */
  #open(bytes: Buffer, start: number, end: number): string | undefined {
    const fields = this.#split(bytes, start, end), fits = fields === this.#fields;
    this.#row = fits ? bytes : undefined;
    return fits ? undefined : `${fields} fields where the header has ${this.#fields}`;
  }

  readPoints(bytes: Buffer, start: number, end: number, out: readonly PointCells[], row: number): string | undefined {
    const ragged = this.#open(bytes, start, end);
    let reasons = ragged;
    for (let k = 0; k < out.length; k++) {
      const { points, given } = out[k], fields = this.#pointFields[k];
      if (ragged === undefined && (fields.length === 1 ? this.#readPosition(bytes, fields[0], points, 3 * row) : this.#readAxes(bytes, fields, points, 3 * row))) continue;
      points.fill(NaN, 3 * row, 3 * row + 3);
      const reason = ragged === undefined ? this.#whyNoPoint(bytes, k) : undefined;
      given[row] = ragged === undefined && reason === undefined ? PointStatus.notLookedUp : PointStatus.invalidPoint;
      if (reason !== undefined) reasons = reasons === undefined ? reason : `${reasons}; ${reason}`;
    }
    return reasons;
  }

  #readPosition(bytes: Buffer, field: number, out: Float64Array, at: number): boolean {
    const [from, to] = this.#inside(bytes, field);
    return parsePosition(bytes, from, to, out, at);
  }

  #readAxes(bytes: Buffer, fields: readonly number[], out: Float64Array, at: number): boolean {
    for (let axis = 0; axis < 3; axis++) {
      const start = this.#spans[2 * fields[axis]], quoted = bytes[start] === QUOTE ? 1 : 0;
      const number = parseDecimal(bytes, start + quoted, this.#spans[2 * fields[axis] + 1] - quoted);
      if (Number.isNaN(number)) return false;
      out[at + axis] = number;
    }
    return true;
  }

  /** @returns undefined where it is missing. */
  #whyNoPoint(bytes: Buffer, k: number): string | undefined {
    const fields = this.#pointFields[k], names = this.#columns.points![k];
    if (fields.length === 1) return isMissingPosition(this.#text(bytes, fields[0])) ? undefined : `column ${names[0]}${this.#shown(bytes, fields[0], 'no [x, y, z]')}`;
    if (fields.every((field) => isMissing(this.#text(bytes, field)))) return undefined;
    const axis = fields.findIndex((field) => {
      const [from, to] = this.#inside(bytes, field);
      return Number.isNaN(parseDecimal(bytes, from, to));
    });
    return `column ${names[axis]}${this.#shown(bytes, fields[axis], 'no number')}`;
  }

  readIds(bytes: Buffer, start: number, end: number, out: readonly IdCells[], row: number): string | undefined {
    const ragged = this.#open(bytes, start, end);
    let reasons = ragged;
    for (let k = 0; k < out.length; k++) {
      const { words, given } = out[k];
      if (ragged !== undefined) {
        given[row] = PointStatus.invalidId;
        continue;
      }
      const field = this.#idFields[k], [from, to] = this.#inside(bytes, field);
      const isId = parseId(bytes, from, to, words, 2 * row);
      if (isId && (words[2 * row] !== 0 || words[2 * row + 1] !== 0 || !isBlank(bytes, from, to))) continue;
      if (isId || isMissing(this.#text(bytes, field))) given[row] = PointStatus.notLookedUp;
      else {
        const reason = `column ${this.#columns.ids![k]}${this.#shown(bytes, field, 'no uint64 ID')}`;
        given[row] = PointStatus.invalidId;
        reasons = reasons === undefined ? reason : `${reasons}; ${reason}`;
      }
    }
    return reasons;
  }

  text(k: number): string {
    const field = this.#textFields[k];
    return this.#row === undefined || field < 0 ? '' : this.#text(this.#row, field).trim();
  }

  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: Cells, row = 0): void {
    const contentEnd = withoutLineEnd(bytes, start, end);
    const replaces = this.#places.length > 0 && this.#places[0].field !== Infinity;
    const fields = replaces && this.#split(bytes, start, end) === this.#fields ? this.#fields : 0;
    let copied = start;
    for (const { field, column } of this.#places) {
      if (field < fields) {
        if (cells.keeps?.(column, row)) continue;
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
