/**
 * JSON Lines: the text of a row is kept, so that its numbers never pass through a double; answers are written before the final
 * brace, or over old ones. IDs are JSON strings, other numbers and booleans are not; null where there is no answer.
 */
import { TableError } from '../../base/errors.ts';
import { PointStatus } from '../../points/status.ts';
import { checkColumns, columnExistsError } from '../check-columns.ts';
import { isMissing } from '../missing.ts';
import type { CellsOf, ColumnChoice, PointColumns, TableColumns } from '../table.ts';
import type { BatchCells } from './batch-cells.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { AnswerCells } from './answer-cells.ts';
import { isSpace, parseId } from './decimal.ts';
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

export class JsonLines implements TextFormat {
  readonly rules = { firstRowNumber: 1 };
  readonly hasHeader = false;
  columns: TableColumns = { outputs: [], replace: false };
  readonly #choice: ColumnChoice;
  /** `"supervoxel_id":` and so on. */
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

  /** A row may lack a key that others have: the first rows tell of the columns, and where that is not enough, all of the first batch. */
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
    const { points = [], ids = [], texts = [], outputs, replace, advice } = this.columns;
    const values = parseRow(bytes, start, end);
    const existing = replace ? [] : outputs.filter((name) => Object.hasOwn(values, name));
    if (existing.length > 0) throw columnExistsError(existing, advice);
    for (let k = 0; k < points.length; k++) {
      const at = k * cells.rows + row;
      const found = points[k].map((name) => memberValue(values, name));
      if (brokenPart(found, cells.points, 3 * at) < 0) continue;
      const missing = found.length === 1 ? isMissingPositionValue(found[0]) : found.every(isMissing);
      cells.clearPoint(at, missing ? PointStatus.notLookedUp : PointStatus.invalidPoint);
    }
    if (ids.length > 0) this.#readIds(bytes, start, end, values, cells, row);
    for (let k = 0; k < texts.length; k++)
      cells.texts[k].set(row, plainText(memberValue(values, texts[k])).trim());
  }

  /** Their digits are read from the text: a double would round them. Of a name that comes twice the last value counts, as in JSON.parse. */
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
        .map((names) => reason(brokenName(names, values), names.length === 1 ? 'no [x, y, z]' : 'no number')),
      ...ids
        .filter((_, k) => cells.idStatus[k * cells.rows + row] === invalidId)
        .map((name) => reason(name, 'no uint64 ID')),
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

/** Reads a point from the values of its columns to `out[at..at + 2]`. @returns which of them is broken or missing, or -1. */
const brokenPart = (values: readonly unknown[], out: Float64Array, at: number): number =>
  values.length > 1 ? readPoint(values, out, at) : readPosition(values[0], out, at) ? -1 : 0;

function brokenName(names: PointColumns, values: object): string {
  const found = names.map((name) => memberValue(values, name));
  return names[brokenPart(found, new Float64Array(3), 0)];
}

const FIRST_ROWS = 1000;

/** Names in the order met; what is not JSON is for the one to tell who reads it. */
function keysOf(rows: RowSpans, most: number): string[] {
  const keys = new Set<string>();
  for (const row of parsed(rows)) {
    for (const name of Object.keys(row)) keys.add(name);
    if (--most <= 0) break;
  }
  return [...keys];
}

const cellsOf = (rows: RowSpans): CellsOf =>
  function* (name) {
    for (const row of parsed(rows)) yield plainText(memberValue(row, name));
  };

function* parsed(rows: RowSpans): Generator<object> {
  try {
    for (const { bytes, start, end } of rows) yield parseRow(bytes, start, end);
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
  }
}
