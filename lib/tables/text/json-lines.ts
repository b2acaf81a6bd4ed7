/**
 * JSON Lines: the text of a row is kept, so that its numbers never pass through a double; answers are written before the final
 * brace, or over old ones. IDs are JSON strings, other numbers and booleans are not; null where there is no answer. NaN, Infinity and -Infinity, which Python's json module
 * writes and reads, are taken as values.
 */
import { TableError } from '../../base/errors.ts';
import { PointStatus } from '../../points/status.ts';
import type { ByteWriter } from './byte-writer.ts';
import { isMissingPosition, parseDecimal, parseId, parsePosition } from './decimal.ts';
import { isMissing } from '../missing.ts';
import {
  type Cells,
  type CellsOf,
  checkColumns,
  type ColumnChoice,
  existsAlready,
  type IdCells,
  type PointCells,
  type RowSpans,
  type TableColumns,
  type TableFormat,
} from '../table.ts';

const QUOTE = 34,
  COMMA = 44,
  COLON = 58,
  OPEN = 123,
  BACKSLASH = 92;

export class JsonLines implements TableFormat {
  readonly rules = { firstRow: 1 };
  readonly #choice: ColumnChoice;
  #columns!: TableColumns; // from the first row on
  /** `"supervoxel_id":` and so on. */
  #keys: Buffer[] = [];
  /** The row read last. */
  #row: object = {};

  constructor(columns: ColumnChoice) {
    this.#choice = columns;
  }

  begin(bytes: Buffer, start: number, end: number, _out: ByteWriter, rows: RowSpans): boolean {
    if (end === start) return false;
    const first = Object.keys(parseRow(bytes, start, end));
    this.#columns = this.#choose(first, rows);
    this.#keys = this.#columns.outputs.map((name) => Buffer.from(`${JSON.stringify(name)}:`));
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

  readPoints(
    bytes: Buffer,
    start: number,
    end: number,
    out: readonly PointCells[],
    row: number,
  ): string | undefined {
    const values = this.#open(bytes, start, end);
    let reasons: string | undefined;
    this.#columns.points?.forEach((names, k) => {
      const { points, given } = out[k],
        cells = names.map((name) => valueOf(values, name));
      const broken =
        names.length === 1
          ? setPosition(cells[0], points, 3 * row)
            ? -1
            : 0
          : setPoint(cells, points, 3 * row);
      if (broken < 0) return;
      points.fill(NaN, 3 * row, 3 * row + 3);
      if (names.length === 1 ? isNoPosition(cells[0]) : cells.every(isMissing))
        return void (given[row] = PointStatus.notLookedUp);
      given[row] = PointStatus.invalidPoint;
      const reason = `${names[broken]}${wrong(cells[broken], textOf(bytes, start, end, names[broken]), names.length === 1 ? 'no [x, y, z]' : 'no number')}`;
      reasons = reasons === undefined ? reason : `${reasons}; ${reason}`;
    });
    return reasons;
  }

  readIds(
    bytes: Buffer,
    start: number,
    end: number,
    out: readonly IdCells[],
    row: number,
  ): string | undefined {
    const { ids = [] } = this.#columns;
    const values = this.#open(bytes, start, end);
    let reasons: string | undefined;
    for (const { words, given } of out) {
      words[2 * row] = words[2 * row + 1] = 0;
      given[row] = PointStatus.notLookedUp;
    }
    // Their digits are read from the text: a double would round them. Of a name that comes twice the last value counts, as in JSON.parse.
    for (const { name, from, to } of members(bytes, start, closingBrace(bytes, end))) {
      const k = ids.indexOf(name),
        value = valueOf(values, name);
      if (k < 0 || isMissing(value)) continue;
      const quoted = typeof value === 'string' ? 1 : 0;
      out[k].given[row] = parseId(bytes, from + quoted, to - quoted, out[k].words, 2 * row)
        ? 0
        : PointStatus.invalidId;
    }
    for (let k = 0; k < out.length; k++) {
      if (out[k].given[row] !== PointStatus.invalidId) continue;
      const reason = `${ids[k]}${wrong(valueOf(values, ids[k]), textOf(bytes, start, end, ids[k]), 'no uint64 ID')}`;
      reasons = reasons === undefined ? reason : `${reasons}; ${reason}`;
    }
    return reasons;
  }

  text(k: number): string {
    return plainText(valueOf(this.#row, this.#columns.texts![k])).trim();
  }

  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: Cells, row: number): void {
    const answer = (column: number): void => {
      const before = out.length,
        quotes = !cells.isBare?.(column, row);
      if (quotes) out.byte(QUOTE);
      if (cells.write(out, column, row)) return quotes ? out.byte(QUOTE) : undefined;
      out.length = before;
      out.ascii('null');
    };
    const brace = closingBrace(bytes, end);
    let before = brace - 1;
    while (isBlank(bytes[before])) before--;
    let empty = bytes[before] === OPEN;
    let copied = start;
    const written = new Set<number>();
    if (this.#columns.replace)
      for (const { name, from, to } of members(bytes, start, brace)) {
        const column = this.#columns.outputs.indexOf(name);
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

  #open(bytes: Buffer, start: number, end: number): object {
    const { outputs, replace } = this.#columns;
    const row = parseRow(bytes, start, end);
    const existing = replace ? [] : outputs.filter((name) => Object.hasOwn(row, name));
    if (existing.length > 0) throw existsAlready(existing, this.#columns.advice);
    return (this.#row = row);
  }
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
    for (const row of parsed(rows)) yield plainText(valueOf(row, name));
  };

function* parsed(rows: RowSpans): Generator<object> {
  try {
    for (const { bytes, start, end } of rows) yield parseRow(bytes, start, end);
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
  }
}

const plainText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

/** Where the object that ends a row is closed. The JSON is known to be valid. */
function closingBrace(bytes: Buffer, end: number): number {
  let brace = end - 1;
  while (bytes[brace] !== OPEN + 2) brace--;
  return brace;
}

const isBlank = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

const valueOf = (row: object, name: string): unknown =>
  Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined;

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 60);

/** What a row says of a name, as it is written there. */
function textOf(bytes: Buffer, start: number, end: number, wanted: string): string {
  let text = '';
  for (const { name, from, to } of members(bytes, start, closingBrace(bytes, end)))
    if (name === wanted) text = bytes.toString('utf8', from, to);
  return text;
}

/** @param text The value as the table has it. */
function wrong(value: unknown, text: string, what: string): string {
  if (value === undefined) return ' is missing';
  if (value === null) return ' is null';
  return typeof value === 'string' && value.trim() === '' ? ' is empty' : `: ${text.slice(0, 60)} is ${what}`;
}

/** Three numbers: a list of them, or the text that CSV would have. */
function setPosition(value: unknown, out: Float64Array, at: number): boolean {
  if (Array.isArray(value)) return value.length === 3 && setPoint(value, out, at) < 0;
  if (typeof value !== 'string') return false;
  const text = Buffer.from(value);
  return parsePosition(text, 0, text.length, out, at);
}

const isNoPosition = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length === 3 && value.every(isMissing)
    : typeof value === 'string'
      ? isMissingPosition(value)
      : isMissing(value);

function parseRow(bytes: Buffer, start: number, end: number): object {
  let row: unknown;
  try {
    row = parsePythonJson(bytes.toString('utf8', start, end));
  } catch (error) {
    // Without the parser's own line number: it knows one line only.
    throw new TableError(
      'BAD_ROW',
      `no JSON: ${(error as Error).message.replace(/ \(line \d+ column \d+\)$/, '')}`,
    );
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new TableError('BAD_ROW', `${shown(row)} is no JSON object`);
  return row;
}

/** A value of Python's that JSON has not (never a key), and what begins and ends strings. */
const PYTHON = /\\[^]|"|(?:-?\bInfinity|\bNaN)\b(?!\s*:)/g;

/** JSON; Python's values become strings. @throws SyntaxError. */
function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    let inString = false;
    const json = text.replace(PYTHON, (match) => {
      if (match === '"') inString = !inString;
      return inString || match === '"' || match.startsWith('\\') ? match : `"${match}"`;
    });
    return JSON.parse(json);
  }
}

/** @returns the first axis that is no finite number, or -1. Numbers may be written as strings. */
function setPoint(values: readonly unknown[], out: Float64Array, at: number): number {
  for (let axis = 0; axis < 3; axis++) {
    const value = values[axis];
    let number = NaN;
    if (typeof value === 'number') number = value;
    else if (typeof value === 'string') {
      const text = Buffer.from(value);
      number = parseDecimal(text, 0, text.length);
    }
    if (!Number.isFinite(number)) return axis;
    out[at + axis] = number;
  }
  return -1;
}

/** Names and value spans of the members of the object that `bytes[start, end)` holds, its final brace left out. The JSON is known to be valid. */
function* members(
  bytes: Buffer,
  start: number,
  end: number,
): Generator<{ name: string; from: number; to: number }> {
  let at = bytes.indexOf(OPEN, start) + 1;
  for (;;) {
    at = skipBlank(bytes, at);
    if (at >= end) return;
    const keyEnd = skipString(bytes, at);
    const name = JSON.parse(bytes.toString('utf8', at, keyEnd)) as string;
    const from = skipBlank(bytes, bytes.indexOf(COLON, keyEnd) + 1);
    let depth = 0;
    for (at = from; at < end && (depth > 0 || bytes[at] !== COMMA);) {
      const c = bytes[at];
      if (c === QUOTE) at = skipString(bytes, at);
      else {
        if (c === OPEN || c === 91) depth++;
        else if (c === 125 || c === 93) depth--;
        at++;
      }
    }
    let to = at;
    while (isBlank(bytes[to - 1])) to--;
    yield { name, from, to };
    at++; // the comma
  }
}

function skipBlank(bytes: Buffer, at: number): number {
  while (isBlank(bytes[at])) at++;
  return at;
}

/** @returns the index after the closing quote of the string that opens at `at`. */
function skipString(bytes: Buffer, at: number): number {
  for (at++; bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
  return at + 1;
}
