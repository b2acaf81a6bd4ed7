/**
 * Reads and writes JSON Lines. The text of a row is kept, so that its numbers never become doubles. Answers
 * are written before the final brace, or replace old answers. IDs are written as strings, other numbers and
 * booleans are not; null means no answer.
 */
import { TableError } from '../../base/errors.ts';
import { PointStatus } from '../../points/status.ts';
import { checkColumns, columnExistsError } from '../check-columns.ts';
import { isMissing } from '../missing.ts';
import type { CellsOf, ColumnChoice, PointColumns, TableColumns } from '../table.ts';
import type { BatchCells } from './batch-cells.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { AnswerCells } from './answer-cells.ts';
import { isSpace, parseId, positionParts } from './decimal.ts';
import {
  closingBrace,
  isMissingPositionValue,
  readMembers,
  parseRow,
  plainText,
  readPoint,
  readPosition,
  memberText,
  memberValue,
  describeInvalidValue,
} from './json-row.ts';
import type { RowSpans } from './rows.ts';
import type { TextFormat } from './text-format.ts';

const QUOTE = 34,
  COMMA = 44,
  OPEN = 123;

/** The format of one JSON Lines table. */
export class JsonLines implements TextFormat {
  readonly rules = { firstRowNumber: 1 };
  readonly hasHeader = false;
  columns: TableColumns = { outputs: [], replace: false };
  readonly #choice: ColumnChoice;
  /** The keys of the outputs as they are written, such as `"supervoxel_id":`. */
  #keys: Buffer[] = [];

  constructor(columns: ColumnChoice) {
    this.#choice = columns;
  }

  readHeader(bytes: Buffer, start: number, end: number, _out: ByteWriter, rows: RowSpans): boolean {
    if (end === start) return false;
    const first = Object.keys(parseRow(bytes, start, end));
    this.columns = this.#choose(first, rows);
    this.#keys = this.columns.outputs.map((name) => Buffer.from(`${JSON.stringify(name)}:`));
    return false;
  }

  /**
   * Chooses the columns from the keys of the first rows, or of the whole first batch if a column is missing:
   * a row may lack a key.
   */
  #choose(first: readonly string[], rows: RowSpans): TableColumns {
    const choose = (found: readonly string[]): TableColumns => {
      const columns = this.#choice(found, cellsOf(rows));
      checkColumns(columns, found, undefined, first);
      return columns;
    };
    const some = keysOf(rows, FIRST_ROWS);
    try {
      return choose(some);
    } catch (error) {
      const all =
        error instanceof TableError && error.code === 'MISSING_COLUMN' ? keysOf(rows, Infinity) : some;
      if (all.length === some.length) throw error;
      return choose(all);
    }
  }

  readRow(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): void {
    const { points = [], ids = [], texts = [], outputs, replace, advice, notesNumbers } = this.columns;
    const values = parseRow(bytes, start, end);
    const existing = replace ? [] : outputs.filter((name) => Object.hasOwn(values, name));
    if (existing.length > 0) throw columnExistsError(existing, advice);
    for (let k = 0; k < points.length; k++) {
      const at = k * cells.rows + row;
      const found = points[k].map((name) => memberValue(values, name));
      if (findBrokenPart(found, cells.points, 3 * at) < 0) {
        if (notesNumbers) {
          const written = points[k].map((name) => memberText(bytes, start, end, name));
          cells.noteNumbers(k, positionParts(written.join(' ')));
        }
        continue;
      }
      const missing = found.length === 1 ? isMissingPositionValue(found[0]) : found.every(isMissing);
      cells.clearPoint(at, missing ? PointStatus.notLookedUp : PointStatus.invalidPoint);
    }
    if (ids.length > 0) this.#readIds(bytes, start, end, values, cells, row);
    for (let k = 0; k < texts.length; k++)
      cells.texts[k].set(row, plainText(memberValue(values, texts[k])).trim());
  }

  /**
   * Reads IDs from the text, because a double would round them. If a key occurs twice, its last value counts,
   * as in JSON.parse.
   */
  #readIds(bytes: Buffer, start: number, end: number, values: object, cells: BatchCells, row: number): void {
    const { ids = [] } = this.columns;
    for (let k = 0; k < ids.length; k++) cells.clearId(k * cells.rows + row, PointStatus.notLookedUp);
    for (const { name, from, to } of readMembers(bytes, start, closingBrace(bytes, end))) {
      const k = ids.indexOf(name),
        value = memberValue(values, name);
      if (k < 0 || isMissing(value)) continue;
      const quoted = typeof value === 'string' ? 1 : 0,
        at = k * cells.rows + row;
      const isId = parseId(bytes, from + quoted, to - quoted, cells.words, 2 * at);
      cells.idStatus[at] = isId ? 0 : PointStatus.invalidId;
    }
  }

  describeInvalid(bytes: Buffer, start: number, end: number, cells: BatchCells, row: number): string {
    const { points = [], ids = [] } = this.columns,
      { invalidPoint, invalidId } = PointStatus;
    const values = parseRow(bytes, start, end);
    const reason = (name: string, what: string): string =>
      `${name}${describeInvalidValue(memberValue(values, name), memberText(bytes, start, end, name), what)}`;
    return [
      ...points
        .filter((_, k) => cells.pointStatus[k * cells.rows + row] === invalidPoint)
        .map((names) =>
          reason(findBrokenName(names, values), names.length === 1 ? 'not [x, y, z]' : 'not a number'),
        ),
      ...ids
        .filter((_, k) => cells.idStatus[k * cells.rows + row] === invalidId)
        .map((name) => reason(name, 'not a uint64 ID')),
    ].join('; ');
  }

  writeRow(
    out: ByteWriter,
    bytes: Buffer,
    start: number,
    end: number,
    cells: AnswerCells,
    row: number,
  ): void {
    const answer = (column: number): void => {
      const before = out.length,
        quotes = !cells.isUnquoted?.(column, row);
      if (quotes) out.byte(QUOTE);
      if (cells.write(out, column, row)) return quotes ? out.byte(QUOTE) : undefined;
      out.length = before;
      out.ascii('null');
    };
    const brace = closingBrace(bytes, end);
    let before = brace - 1;
    while (isSpace(bytes[before])) before--;
    let empty = bytes[before] === OPEN;
    let copied = start;
    const written = new Set<number>();
    if (this.columns.replace)
      for (const { name, from, to } of readMembers(bytes, start, brace)) {
        const column = this.columns.outputs.indexOf(name);
        if (column < 0) continue;
        written.add(column);
        if (cells.keeps?.(column, row)) continue;
        out.copy(bytes, copied, from);
        answer(column);
        copied = to;
      }
    out.copy(bytes, copied, brace);
    for (let column = 0; column < this.#keys.length; column++) {
      if (written.has(column)) continue;
      if (!empty) out.byte(COMMA);
      out.copy(this.#keys[column]);
      answer(column);
      empty = false;
    }
    out.copy(bytes, brace, end);
  }
}

/**
 * Reads a point from the values of its columns into `out[at..at + 2]`.
 *
 * @returns The index of the first unreadable value, or -1.
 */
const findBrokenPart = (values: readonly unknown[], out: Float64Array, at: number): number =>
  values.length > 1 ? readPoint(values, out, at) : readPosition(values[0], out, at) ? -1 : 0;

function findBrokenName(names: PointColumns, values: object): string {
  const found = names.map((name) => memberValue(values, name));
  return names[findBrokenPart(found, new Float64Array(3), 0)];
}

const FIRST_ROWS = 1000;

/**
 * Returns the keys of the first `most` rows, in the order met. It stops at a row that is not JSON, which
 * `readRow` reports.
 */
function keysOf(rows: RowSpans, most: number): string[] {
  const keys = new Set<string>();
  for (const row of parseRows(rows)) {
    for (const name of Object.keys(row)) keys.add(name);
    if (--most <= 0) break;
  }
  return [...keys];
}

const cellsOf = (rows: RowSpans): CellsOf =>
  function* (name) {
    for (const row of parseRows(rows)) yield plainText(memberValue(row, name));
  };

function* parseRows(rows: RowSpans): Generator<object> {
  try {
    for (const { bytes, start, end } of rows) yield parseRow(bytes, start, end);
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
  }
}
