/**
 * Reads and writes CSV and TSV. The text of a row is kept; answers are appended to it or replace old answers.
 *
 * If the number of fields of a row differs from the header's, its columns cannot be trusted. The row is kept
 * without an answer, and its status is appended as its last field. A later run recognizes the row by that
 * last field and appends nothing again.
 */
import { TableError } from '../../base/errors.ts';
import { PointStatus, statusText } from '../../points/status.ts';
import { checkColumns } from '../check-columns.ts';
import type { CellsOf, ColumnChoice, TableColumns } from '../table.ts';
import type { BatchCells } from './batch-cells.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { AnswerCells } from './answer-cells.ts';
import { IdFieldReader, PointFieldReader } from './field-readers.ts';
import { Fields } from './fields.ts';
import { contentEnd, type RowRules, type RowSpans } from './rows.ts';
import { checkSeparator } from './separators.ts';
import type { TextFormat } from './text-format.ts';

/** The last field of a row whose fields do not match the header. */
const INVALID = [PointStatus.invalidPoint, PointStatus.invalidId].map((status) =>
  Buffer.from(statusText(status)),
);

/** How the text of a CSV or TSV table is written. */
export interface DelimitedOptions {
  /** One ASCII character. */
  delimiter: string;
  /**
   * Whether the user named the delimiter, so that the header is not checked for other separators.
   *
   * @default false
   */
  isDelimiterGiven?: boolean;
  /** Whether coordinates have a decimal comma. @default false */
  decimalComma?: boolean;
  /** The column names of a table without a header. They are written as its header. */
  header?: readonly string[];
}

/** The format of one CSV or TSV table. */
export class Delimited implements TextFormat {
  readonly rules: RowRules;
  readonly hasHeader = true;
  columns: TableColumns = { outputs: [], replace: false };
  readonly #options: DelimitedOptions;
  readonly #delimiter: number;
  readonly #choice: ColumnChoice;
  /** The column names of a table without a header. */
  readonly #givenNames: readonly string[] | undefined;
  /** The number of fields of the header that was read. */
  #fieldCount = 0;
  /** The number of fields of the header that is written. */
  #outputFieldCount = 0;
  /**
   * Whether the header ends with a status. Then a status in the last field does not mean that an earlier run
   * appended it.
   */
  #endsWithStatus = false;
  #points: PointFieldReader[] = [];
  #ids: IdFieldReader[] = [];
  /** -1 for a column that the table does not have. */
  #textFields: number[] = [];
  /** The fields that answers replace, left to right. */
  #replaced: { field: number; column: number }[] = [];
  /** The columns of answers that are appended to the row. */
  #added: number[] = [];
  /** The fields of the current row; reused for each row. */
  readonly #fields: Fields;

  constructor(options: DelimitedOptions, columns: ColumnChoice) {
    this.#options = options;
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#choice = columns;
    this.#givenNames = options.header;
    this.#fields = new Fields(this.#delimiter);
    this.rules = { delimiter: this.#delimiter, firstRowNumber: options.header ? 1 : 0 };
  }

  readHeader(bytes: Buffer, start: number, end: number, out: ByteWriter, rows: RowSpans): boolean {
    if (start === end && !this.#givenNames)
      throw new TableError('BAD_FORMAT', 'the table is empty: it has no header');
    const names = this.#givenNames ?? this.#namesIn(bytes, start, end);
    this.#fieldCount = names.length;
    this.#bind(names, this.#choice(names, this.#cellsOf(names, rows)));
    const lineEnd = bytes.toString('latin1', contentEnd(bytes, start, end), end) || '\n';
    const ownHeader = this.#givenNames
      ?.map((name) => this.#quoted(name).toString())
      .join(this.#options.delimiter);
    const header = ownHeader === undefined ? bytes.subarray(start, end) : Buffer.from(ownHeader + lineEnd);
    const { outputs } = this.columns;
    const titles: AnswerCells = { write: (to, column) => (to.copy(this.#quoted(outputs[column])), true) };
    this.#writeWhole(out, this.#fields.split(header, 0, header.length), 0, header.length, titles, 0);
    return !this.#givenNames;
  }

  #namesIn(bytes: Buffer, start: number, end: number): readonly string[] {
    if (!this.#options.isDelimiterGiven) checkSeparator(bytes.subarray(start, end), this.#options.delimiter);
    const row = this.#fields.split(bytes, start, end);
    return withoutBlanks(Array.from({ length: row.count }, (_, field) => row.text(field)));
  }

  #bind(names: readonly string[], columns: TableColumns): void {
    const { points = [], ids = [], texts = [], outputs } = columns,
      { decimalComma = false } = this.#options;
    checkColumns(columns, names);
    if (decimalComma && points.some((axes) => axes.length === 1))
      throw new TableError('BAD_FORMAT', 'decimal commas need one column per coordinate');
    // Only an output, or a text column of earlier answers, may be absent.
    const fieldOf = (name: string): number => {
      const field = names.indexOf(name);
      if (field !== names.lastIndexOf(name))
        throw new TableError('BAD_FORMAT', `column ${name} occurs more than once`);
      return field;
    };
    this.columns = columns;
    this.#points = points.map((axes) => new PointFieldReader(axes, axes.map(fieldOf), decimalComma));
    this.#ids = ids.map((name) => new IdFieldReader(name, fieldOf(name)));
    this.#textFields = texts.map(fieldOf);
    const outputFields = outputs.map((name, column) => ({ field: fieldOf(name), column }));
    this.#replaced = outputFields.filter(({ field }) => field >= 0).sort((a, b) => a.field - b.field);
    this.#added = outputFields.filter(({ field }) => field < 0).map(({ column }) => column);
    this.#outputFieldCount = this.#fieldCount + this.#added.length;
    this.#endsWithStatus = this.#replaced.some(
      ({ field, column }) => field === this.#fieldCount - 1 && /(^|_)status$/.test(outputs[column]),
    );
  }

  /** Reads the cells of rows that match the header; the header itself is left out. */
  #cellsOf(names: readonly string[], rows: RowSpans): CellsOf {
    const fields = new Fields(this.#delimiter),
      header = this.#givenNames === undefined;
    return function* (name) {
      const field = names.indexOf(name);
      let isFirst = true;
      for (const { bytes, start, end } of field < 0 ? [] : rows) {
        const row = fields.split(bytes, start, end);
        if (!(isFirst && header) && row.count === names.length) yield row.text(field);
        isFirst = false;
      }
    };
  }

  readRow(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): void {
    const fields = this.#fields.split(bytes, start, end);
    if (!this.#isWhole(fields)) return cells.refuseRow(row);
    for (let k = 0; k < this.#points.length; k++) {
      const at = k * cells.rows + row,
        reader = this.#points[k];
      if (reader.read(fields, cells.points, 3 * at)) {
        if (this.columns.notesNumbers) cells.noteNumbers(k, reader.textsOf(fields));
        continue;
      }
      cells.clearPoint(at, reader.isMissing(fields) ? PointStatus.notLookedUp : PointStatus.invalidPoint);
    }
    for (let k = 0; k < this.#ids.length; k++) {
      const at = k * cells.rows + row,
        status = this.#ids[k].read(fields, cells.words, at);
      if (status !== 0) cells.clearId(at, status);
    }
    for (let k = 0; k < this.#textFields.length; k++) {
      const field = this.#textFields[k];
      if (field >= 0) cells.texts[k].set(row, fields.text(field).trim());
    }
  }

  describeInvalid(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): string {
    const fields = this.#fields.split(bytes, start, end);
    if (fields.count !== this.#fieldCount)
      return `${fields.count} fields where the header has ${this.#fieldCount}`;
    if (this.#wasExtended(fields))
      return 'its last field says that an earlier run found its number of fields wrong';
    const { invalidPoint, invalidId } = PointStatus,
      { rows } = cells;
    return [
      ...this.#points.filter((_, k) => cells.pointStatus[k * rows + row] === invalidPoint),
      ...this.#ids.filter((_, k) => cells.idStatus[k * rows + row] === invalidId),
    ]
      .map((reader) => reader.describeInvalid(fields))
      .join('; ');
  }

  /** Returns whether the fields of a row match the header. */
  #isWhole(fields: Fields): boolean {
    return fields.count === this.#fieldCount && !this.#wasExtended(fields);
  }

  /** Returns whether a row has as many fields as the header only because an earlier run appended some. */
  #wasExtended(fields: Fields): boolean {
    return this.#replaced.length > 0 && !this.#endsWithStatus && endsInvalid(fields);
  }

  writeRow(
    out: ByteWriter,
    bytes: Buffer,
    start: number,
    end: number,
    cells: AnswerCells,
    row: number,
  ): void {
    if (this.#replaced.length > 0) {
      const fields = this.#fields.split(bytes, start, end);
      if (this.#isWhole(fields)) this.#writeWhole(out, fields, start, end, cells, row);
      else this.#writeRagged(out, fields, start, end, cells, row);
      return;
    }
    // Answers that are only appended do not depend on the number of fields.
    const content = contentEnd(bytes, start, end);
    out.copy(bytes, start, content);
    this.#writeAdded(out, cells, row);
    out.copy(bytes, content, end);
  }

  #writeWhole(
    out: ByteWriter,
    fields: Fields,
    start: number,
    end: number,
    cells: AnswerCells,
    row: number,
  ): void {
    const { bytes } = fields,
      content = contentEnd(bytes, start, end);
    let copied = start;
    for (const { field, column } of this.#replaced) {
      if (cells.keeps?.(column, row)) continue;
      out.copy(bytes, copied, fields.start(field));
      copied = fields.end(field);
      cells.write(out, column, row);
    }
    out.copy(bytes, copied, content);
    this.#writeAdded(out, cells, row);
    out.copy(bytes, content, end);
  }

  #writeAdded(out: ByteWriter, cells: AnswerCells, row: number): void {
    for (const column of this.#added) {
      out.byte(this.#delimiter);
      cells.write(out, column, row);
    }
  }

  /**
   * Appends all answers to a row that does not match the header, its status last. They replace the answers of
   * an earlier run.
   */
  #writeRagged(
    out: ByteWriter,
    fields: Fields,
    start: number,
    end: number,
    cells: AnswerCells,
    row: number,
  ): void {
    const { bytes } = fields,
      content = contentEnd(bytes, start, end),
      last = this.columns.outputs.length - 1;
    if (endsInvalid(fields)) {
      out.copy(bytes, start, fields.start(fields.count - 1));
      cells.write(out, last, row);
    } else {
      out.copy(bytes, start, content);
      for (let column = 0; column <= last; column++) {
        // One more field, if the row would otherwise look like a row that matches the header.
        if (column === last && fields.count + last + 1 === this.#outputFieldCount && this.#endsWithStatus)
          out.byte(this.#delimiter);
        out.byte(this.#delimiter);
        cells.write(out, column, row);
      }
    }
    out.copy(bytes, content, end);
  }

  #quoted(name: string): Buffer {
    return Buffer.from(
      name.includes(this.#options.delimiter) || /["\r\n]/.test(name)
        ? `"${name.replaceAll('"', '""')}"`
        : name,
    );
  }
}

/** Returns whether a row ends with an empty field and an invalid status, as an earlier run leaves it. */
function endsInvalid(row: Fields): boolean {
  const last = row.count - 1;
  if (last < 1 || row.start(last - 1) !== row.end(last - 1)) return false;
  const text = row.bytes.subarray(row.start(last), row.end(last));
  return INVALID.some((word) => word.equals(text));
}

/** Trims column names. If two names differ only in blanks, all names stay as they are. */
export function withoutBlanks(names: readonly string[]): readonly string[] {
  const trimmed = names.map((name) => name.trim());
  return new Set(trimmed).size === new Set(names).size ? trimmed : names;
}
