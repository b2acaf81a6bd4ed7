/**
 * JSON Lines: the text of a row is kept, so that its numbers never pass through a double; answers are written before the final
 * brace, or over old ones. IDs are JSON strings; null where there is no answer. NaN, Infinity and -Infinity, which Python's json module
 * writes and reads, are taken as values.
 */
import { TableError } from '../base/errors.ts';
import type { ByteWriter } from './byte-writer.ts';
import { parseDecimal, parsePosition } from './decimal.ts';
import { type Cells, checkColumns, existsAlready, type TableColumns, type TableFormat } from './table.ts';

const QUOTE = 34, COMMA = 44, COLON = 58, OPEN = 123, BACKSLASH = 92;

export class JsonLines implements TableFormat {
  readonly rules = { firstRow: 1 };
  readonly #columns: TableColumns;
  /** `"supervoxel_id":` and so on. */
  readonly #keys: Buffer[];
  #timestamp = '';

  constructor(columns: TableColumns) {
    this.#columns = columns;
    this.#keys = columns.outputs.map((name) => Buffer.from(`${JSON.stringify(name)}:`));
  }

  begin(bytes: Buffer, start: number, end: number): boolean {
    if (end > start) checkColumns(this.#columns, Object.keys(parseRow(bytes, start, end)));
    return false;
  }

  readPoint(bytes: Buffer, start: number, end: number, out: Float64Array, at: number): string | undefined {
    const { point, timestamp, outputs, replace } = this.#columns;
    const row = parseRow(bytes, start, end);
    if (!replace) {
      const existing = outputs.filter((name) => Object.hasOwn(row, name));
      if (existing.length > 0) throw existsAlready(existing);
    }
    const time = timestamp === undefined ? undefined : valueOf(row, timestamp);
    this.#timestamp = typeof time === 'string' || typeof time === 'number' ? String(time).trim() : time == null ? '' : JSON.stringify(time);
    const values = point.map((name) => valueOf(row, name));
    if (point.length === 1) {
      const [value] = values;
      const list = typeof value === 'string' ? [] : value;
      if (typeof value === 'string') {
        const text = Buffer.from(value);
        if (parsePosition(text, 0, text.length, out, at)) return undefined;
      } else if (Array.isArray(list) && list.length === 3 && setPoint(list, out, at) < 0) return undefined;
      out.fill(NaN, at, at + 3);
      return `${point[0]}${wrong(value, 'no [x, y, z]')}`;
    }
    const broken = setPoint(values, out, at);
    if (broken < 0) return undefined;
    out.fill(NaN, at, at + 3);
    return `${point[broken]}${wrong(values[broken], 'no number')}`;
  }

  timestamp(): string {
    return this.#timestamp;
  }

  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: Cells, row: number): void {
    const answer = (column: number): void => {
      out.byte(QUOTE);
      if (cells.write(out, column, row)) return out.byte(QUOTE);
      out.length--;
      out.ascii('null');
    };
    let brace = end - 1;
    while (bytes[brace] !== OPEN + 2) brace--;
    let before = brace - 1;
    while (isBlank(bytes[before])) before--;
    let empty = bytes[before] === OPEN;
    let copied = start;
    const written = new Set<number>();
    if (this.#columns.replace)
      for (const { name, from, to } of members(bytes, start, brace)) {
        const column = this.#columns.outputs.indexOf(name);
        if (column < 0) continue;
        out.copy(bytes, copied, from);
        answer(column);
        copied = to;
        written.add(column);
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

const isBlank = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

const valueOf = (row: object, name: string): unknown => (Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined);

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 60);

function wrong(value: unknown, what: string): string {
  if (value === undefined) return ' is missing';
  if (value === null) return ' is null';
  return typeof value === 'string' && value.trim() === '' ? ' is empty' : `: ${shown(value)} is ${what}`;
}

function parseRow(bytes: Buffer, start: number, end: number): object {
  let row: unknown;
  try {
    row = parsePythonJson(bytes.toString('utf8', start, end));
  } catch (error) {
    // Without the parser's own line number: it knows one line only.
    throw new TableError('BAD_ROW', `no JSON: ${(error as Error).message.replace(/ \(line \d+ column \d+\)$/, '')}`);
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new TableError('BAD_ROW', `${shown(row)} is no JSON object`);
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
function* members(bytes: Buffer, start: number, end: number): Generator<{ name: string; from: number; to: number }> {
  let at = bytes.indexOf(OPEN, start) + 1;
  for (;;) {
    at = skipBlank(bytes, at);
    if (at >= end) return;
    const keyEnd = skipString(bytes, at);
    const name = JSON.parse(bytes.toString('utf8', at, keyEnd)) as string;
    const from = skipBlank(bytes, bytes.indexOf(COLON, keyEnd) + 1);
    let depth = 0;
    for (at = from; at < end && (depth > 0 || bytes[at] !== COMMA); ) {
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
