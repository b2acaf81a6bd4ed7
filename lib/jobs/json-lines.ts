/**
 * JSON Lines: the text of a row is kept, so that its numbers never pass through a double; answers are written before the final
 * brace, or over old ones. IDs are JSON strings; null where there is no answer. NaN, Infinity and -Infinity, which Python's json module
 * writes and reads, are taken as values.
 */
import { TableError } from '../base/errors.ts';
import type { ByteWriter } from './byte-writer.ts';
import { parseDecimal, parseId, parsePosition } from './decimal.ts';
import { type Cells, checkColumns, chosen, type ColumnChoice, existsAlready, type TableColumns, type TableFormat } from './table.ts';

const QUOTE = 34, COMMA = 44, COLON = 58, OPEN = 123, BACKSLASH = 92;

export class JsonLines implements TableFormat {
  readonly rules = { firstRow: 1 };
  readonly #choice: ColumnChoice;
  #columns!: TableColumns; // from the first row on
  /** `"supervoxel_id":` and so on. */
  #keys: Buffer[] = [];
  #timestamp = '';
  #hasId = false;

  constructor(columns: ColumnChoice) {
    this.#choice = columns;
  }

  begin(bytes: Buffer, start: number, end: number): boolean {
    if (end === start) return false;
    const found = Object.keys(parseRow(bytes, start, end));
    this.#columns = chosen(this.#choice, found);
    this.#keys = this.#columns.outputs.map((name) => Buffer.from(`${JSON.stringify(name)}:`));
    checkColumns(this.#columns, found);
    return false;
  }

  readPoint(bytes: Buffer, start: number, end: number, out: Float64Array, at: number): string | undefined {
    const { point = [], timestamp } = this.#columns;
    const row = this.#row(bytes, start, end);
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

  readIds(bytes: Buffer, start: number, end: number, out: readonly Uint32Array[], row: number): string | undefined {
    const { ids = [] } = this.#columns;
    const values = this.#row(bytes, start, end), first = ids.length > 0 ? valueOf(values, ids[0]) : null;
    this.#hasId = first !== null && (typeof first !== 'string' || first.trim() !== '');
    let reason: string | undefined;
    for (const words of out) words[2 * row] = words[2 * row + 1] = 0;
    // Their digits are read from the text: a double would round them.
    for (const { name, from, to } of members(bytes, start, closingBrace(bytes, end))) {
      const k = ids.indexOf(name), value = valueOf(values, name);
      if (k < 0 || value === null || value === '') continue;
      const quoted = typeof value === 'string' ? 1 : 0;
      if (!parseId(bytes, from + quoted, to - quoted, out[k], 2 * row)) reason ??= `${name}${wrong(value, 'no uint64 ID')}`;
    }
    const missing = ids.find((name) => !Object.hasOwn(values, name));
    if (missing !== undefined) reason ??= `${missing} is missing`;
    if (reason !== undefined) for (const words of out) words[2 * row] = words[2 * row + 1] = 0;
    return reason;
  }

  hasId(): boolean {
    return this.#hasId;
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
    const keeps = cells.keeps?.(row) ?? false;
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
        if (keeps) continue;
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

  #row(bytes: Buffer, start: number, end: number): object {
    const { outputs, replace } = this.#columns;
    const row = parseRow(bytes, start, end);
    const existing = replace ? [] : outputs.filter((name) => Object.hasOwn(row, name));
    if (existing.length > 0) throw existsAlready(existing);
    return row;
  }
}

/** Where the object that ends a row is closed. The JSON is known to be valid. */
function closingBrace(bytes: Buffer, end: number): number {
  let brace = end - 1;
  while (bytes[brace] !== OPEN + 2) brace--;
  return brace;
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
