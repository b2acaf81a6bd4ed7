/**
 * CSV and TSV: the text of a row is kept as it is, answers are written behind it or over old ones.
 * A row whose number of fields is not the header's has no trustworthy columns: it is kept, gets no answer, and its status is its last field.
 * A later run sees by such an end that the row is one of those, and puts nothing behind it again.
 */
import { TableError } from '../../base/errors.ts';
import { PointStatus, statusText } from '../../points/status.ts';
import type { ByteWriter } from './byte-writer.ts';
import { isMissingPosition, parseDecimal, parseId, parsePosition } from './decimal.ts';
import { isMissing } from '../missing.ts';
import { contentEnd, type RowRules } from './rows.ts';
import { refuseOtherSeparators } from './separators.ts';
import {
  type Cells,
  type CellsOf,
  checkColumns,
  type ColumnChoice,
  type IdCells,
  type PointCells,
  type RowSpans,
  type TableColumns,
  type TableFormat,
} from '../table.ts';

const LF = 10,
  CR = 13,
  QUOTE = 34,
  POINT = 46,
  COMMA = 44;

/** What stands at the end of a row whose fields are not those of the header. */
const INVALID = [PointStatus.invalidPoint, PointStatus.invalidId].map((status) =>
  Buffer.from(statusText(status)),
);

export interface DelimitedOptions {
  /** One ASCII character. */
  delimiter: string;
  /** Whether the user said so: whatever else the header may hold, it is the one then. @default false */
  sure?: boolean;
  /** Whether coordinates have a decimal comma. @default false */
  decimalComma?: boolean;
  /** Names where the table has no header: it gets this one. */
  header?: readonly string[];
}

export class Delimited implements TableFormat {
  readonly rules: RowRules;
  readonly #options: DelimitedOptions;
  readonly #delimiter: number;
  readonly #mark: number;
  readonly #choice: ColumnChoice;
  /** Names where the table has none; its header is then ours. */
  readonly #given: readonly string[] | undefined;
  #columns!: TableColumns; // from the header on
  #fields = 0; // of the header
  /** Of the header that is written. */
  #fieldsOut = 0;
  /** Whether the header ends with a status: an ending that says so tells nothing then. */
  #endsWithStatus = false;
  #replaces = false;
  #pointFields: number[][] = [];
  #idFields: number[] = [];
  #textFields: number[] = [];
  /** Where answers go, left to right: a field written over, or Infinity for behind the row. */
  #places: { field: number; column: number }[] = [];
  /** Starts and ends of the fields of one row, reused. */
  readonly #spans: number[] = [];
  /** The row read last, or undefined where its fields are not those of the header. */
  #row: Buffer | undefined;

  constructor(options: DelimitedOptions, columns: ColumnChoice) {
    this.#options = options;
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#mark = options.decimalComma ? COMMA : POINT;
    this.#choice = columns;
    this.#given = options.header;
    this.rules = { delimiter: this.#delimiter, firstRow: options.header ? 1 : 0 };
  }

  begin(bytes: Buffer, start: number, end: number, out: ByteWriter, rows: RowSpans): boolean {
    if (start === end && !this.#given)
      throw new TableError('BAD_FORMAT', 'the table is empty: it has no header');
    this.#fields = this.#given?.length ?? this.#split(bytes, start, end);
    if (!this.#given && !this.#options.sure)
      refuseOtherSeparators(bytes.subarray(start, end), this.#options.delimiter);
    const names =
      this.#given ??
      withoutBlanks(Array.from({ length: this.#fields }, (_, field) => this.#text(bytes, field)));
    this.#columns = this.#choice(names, this.#cellsOf(names, rows));
    const { points = [], ids = [], texts = [], outputs } = this.#columns;
    checkColumns(this.#columns, names);
    if (this.#options.decimalComma && points.some((columns) => columns.length === 1))
      throw new TableError('BAD_FORMAT', 'decimal commas are read in columns of one coordinate each');
    const fieldOf = (name: string): number => {
      const field = names.indexOf(name);
      if (field !== names.lastIndexOf(name))
        throw new TableError('BAD_FORMAT', `column ${name} is there more than once`);
      return field;
    };
    this.#pointFields = points.map((columns) => columns.map(fieldOf));
    this.#idFields = ids.map(fieldOf);
    this.#textFields = texts.map(fieldOf);
    this.#places = outputs.map((name, column) => ({
      field: names.includes(name) ? fieldOf(name) : Infinity,
      column,
    }));
    this.#places.sort((a, b) => (a.field === b.field ? a.column - b.column : a.field - b.field));
    this.#replaces = this.#places.length > 0 && this.#places[0].field !== Infinity;
    this.#fieldsOut = this.#fields + this.#places.filter(({ field }) => field === Infinity).length;
    this.#endsWithStatus = this.#places.some(
      ({ field, column }) => field === this.#fields - 1 && /(^|_)status$/.test(outputs[column]),
    );
    const lineEnd = bytes.toString('latin1', contentEnd(bytes, start, end), end) || '\n';
    const ownHeader = this.#given?.map((name) => this.#quoted(name).toString()).join(this.#options.delimiter);
    const header = ownHeader === undefined ? bytes.subarray(start, end) : Buffer.from(ownHeader + lineEnd);
    this.#split(header, 0, header.length);
    this.#writeFields(
      out,
      header,
      0,
      header.length,
      { write: (to, column) => (to.copy(this.#quoted(outputs[column])), true) },
      0,
      this.#fields,
    );
    return !this.#given;
  }

  #cellsOf(names: readonly string[], rows: RowSpans): CellsOf {
    const isCell = (bytes: Buffer, start: number, end: number): boolean =>
      this.#split(bytes, start, end) === names.length;
    const text = (bytes: Buffer, field: number): string => this.#text(bytes, field),
      header = this.#given === undefined;
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
    const fields = this.#split(bytes, start, end),
      fits = fields === this.#fields,
      wasExtended = fits && this.#wasExtended(bytes);
    this.#row = fits && !wasExtended ? bytes : undefined;
    if (wasExtended) return 'an earlier run found that it has not the fields of the header, as its end says';
    return fits ? undefined : `${fields} fields where the header has ${this.#fields}`;
  }

  /** Whether the row split last has as many fields as the header only because an earlier run put some behind it. */
  #wasExtended(bytes: Buffer): boolean {
    return this.#replaces && !this.#endsWithStatus && this.#endsInvalid(bytes, this.#fields);
  }

  /** Whether the row split last, of so many fields, ends as those do that an earlier run found to be invalid: an empty field and the word. */
  #endsInvalid(bytes: Buffer, fields: number): boolean {
    if (fields < 2 || this.#spans[2 * fields - 4] !== this.#spans[2 * fields - 3]) return false;
    const start = this.#spans[2 * fields - 2],
      end = this.#spans[2 * fields - 1];
    return INVALID.some((word) => word.length === end - start && word.equals(bytes.subarray(start, end)));
  }

  readPoints(
    bytes: Buffer,
    start: number,
    end: number,
    out: readonly PointCells[],
    row: number,
  ): string | undefined {
    const ragged = this.#open(bytes, start, end);
    let reasons = ragged;
    for (let k = 0; k < out.length; k++) {
      const { points, given } = out[k],
        fields = this.#pointFields[k];
      if (
        ragged === undefined &&
        (fields.length === 1
          ? this.#readPosition(bytes, fields[0], points, 3 * row)
          : this.#readAxes(bytes, fields, points, 3 * row))
      )
        continue;
      points.fill(NaN, 3 * row, 3 * row + 3);
      const reason = ragged === undefined ? this.#whyNoPoint(bytes, k) : undefined;
      given[row] =
        ragged === undefined && reason === undefined ? PointStatus.notLookedUp : PointStatus.invalidPoint;
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
      const start = this.#spans[2 * fields[axis]],
        quoted = bytes[start] === QUOTE ? 1 : 0;
      const number = parseDecimal(
        bytes,
        start + quoted,
        this.#spans[2 * fields[axis] + 1] - quoted,
        this.#mark,
      );
      if (Number.isNaN(number)) return false;
      out[at + axis] = number;
    }
    return true;
  }

  /** @returns undefined where it is missing. */
  #whyNoPoint(bytes: Buffer, k: number): string | undefined {
    const fields = this.#pointFields[k],
      names = this.#columns.points![k];
    if (fields.length === 1)
      return isMissingPosition(this.#text(bytes, fields[0]))
        ? undefined
        : `column ${names[0]}${this.#shown(bytes, fields[0], 'no [x, y, z]')}`;
    if (fields.every((field) => isMissing(this.#text(bytes, field)))) return undefined;
    const axis = fields.findIndex((field) => {
      const [from, to] = this.#inside(bytes, field);
      return Number.isNaN(parseDecimal(bytes, from, to, this.#mark));
    });
    return `column ${names[axis]}${this.#shown(bytes, fields[axis], this.#whyNoNumber(bytes, fields[axis]))}`;
  }

  readIds(
    bytes: Buffer,
    start: number,
    end: number,
    out: readonly IdCells[],
    row: number,
  ): string | undefined {
    const ragged = this.#open(bytes, start, end);
    let reasons = ragged;
    for (let k = 0; k < out.length; k++) {
      const { words, given } = out[k];
      if (ragged !== undefined) {
        given[row] = PointStatus.invalidId;
        continue;
      }
      const field = this.#idFields[k],
        [from, to] = this.#inside(bytes, field);
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

  #whyNoNumber(bytes: Buffer, field: number): string {
    const text = this.#text(bytes, field).trim();
    if (this.#mark === POINT && /^[+-]?[\d.]*,\d+$/.test(text))
      return 'no number with a decimal point: --decimal , reads decimal commas';
    return this.#mark === COMMA && /^[+-]?[\d,]*\.\d+$/.test(text)
      ? 'no number with a decimal comma, which --decimal , is for'
      : 'no number';
  }

  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: Cells, row = 0): void {
    // Behind the row it makes no difference how many fields there are.
    const fields = this.#replaces ? this.#split(bytes, start, end) : this.#fields;
    if (fields === this.#fields && !this.#wasExtended(bytes))
      this.#writeFields(out, bytes, start, end, cells, row, fields);
    else this.#writeRagged(out, bytes, start, end, cells, row, fields);
  }

  #writeFields(
    out: ByteWriter,
    bytes: Buffer,
    start: number,
    end: number,
    cells: Cells,
    row: number,
    fields: number,
  ): void {
    const content = contentEnd(bytes, start, end);
    let copied = start;
    for (const { field, column } of this.#places) {
      if (field < fields) {
        if (cells.keeps?.(column, row)) continue;
        out.copy(bytes, copied, this.#spans[2 * field]);
        copied = this.#spans[2 * field + 1];
      } else {
        out.copy(bytes, copied, content);
        copied = content;
        out.byte(this.#delimiter);
      }
      cells.write(out, column, row);
    }
    out.copy(bytes, copied, end);
  }

  /** All answers behind the row, in their order, so that its status is last; in place of what an earlier run put there. */
  #writeRagged(
    out: ByteWriter,
    bytes: Buffer,
    start: number,
    end: number,
    cells: Cells,
    row: number,
    fields: number,
  ): void {
    const content = contentEnd(bytes, start, end),
      count = this.#columns.outputs.length;
    if (this.#endsInvalid(bytes, fields)) {
      out.copy(bytes, start, this.#spans[2 * fields - 2]);
      cells.write(out, count - 1, row);
    } else {
      out.copy(bytes, start, content);
      for (let column = 0; column < count; column++) {
        // One more where it would look like a row of the header's fields.
        if (column === count - 1 && fields + count === this.#fieldsOut && this.#endsWithStatus)
          out.byte(this.#delimiter);
        out.byte(this.#delimiter);
        cells.write(out, column, row);
      }
    }
    out.copy(bytes, content, end);
  }

  /** Finds the fields of a row: field f is `bytes[spans[2f], spans[2f + 1])`. @returns how many there are. */
  #split(bytes: Buffer, start: number, end: number): number {
    const spans = this.#spans;
    const delimiter = this.#delimiter;
    const stop = contentEnd(bytes, start, end);
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
    const start = this.#spans[2 * field],
      end = this.#spans[2 * field + 1];
    return end - start >= 2 && bytes[start] === QUOTE && bytes[end - 1] === QUOTE
      ? [start + 1, end - 1]
      : [start, end];
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
    return Buffer.from(
      name.includes(this.#options.delimiter) || /["\r\n]/.test(name)
        ? `"${name.replaceAll('"', '""')}"`
        : name,
    );
  }
}

/** Names of columns as they are meant; blanks stay where they alone tell two apart. */
function withoutBlanks(names: readonly string[]): readonly string[] {
  const trimmed = names.map((name) => name.trim());
  return new Set(trimmed).size === new Set(names).size ? trimmed : names;
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  while (start < end && (bytes[start] === 32 || (bytes[start] >= 9 && bytes[start] <= CR))) start++;
  return start === end;
}
