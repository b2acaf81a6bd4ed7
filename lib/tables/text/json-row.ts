/**
 * Reads one row of JSON Lines: its values as JSON, and its members as text. NaN, Infinity and -Infinity are
 * read, because Python's json module writes them.
 */
import { TableError } from '../../base/errors.ts';
import { isMissing } from '../missing.ts';
import { isMissingPosition, isSpace, parseDecimal, parsePosition } from './decimal.ts';

const QUOTE = 34,
  COMMA = 44,
  COLON = 58,
  OPEN = 123,
  BACKSLASH = 92;

/** Parses a row. @throws TableError BAD_ROW if it is not a JSON object. */
export function parseRow(bytes: Buffer, start: number, end: number): object {
  let row: unknown;
  try {
    row = parsePythonJson(bytes.toString('utf8', start, end));
  } catch (error) {
    // The line number of the parser is cut off, because the parser sees only one line.
    throw new TableError(
      'BAD_ROW',
      `not JSON: ${(error as Error).message.replace(/ \(line \d+ column \d+\)$/, '')}`,
    );
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new TableError('BAD_ROW', `${shown(row)} is not a JSON object`);
  return row;
}

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 60);

/**
 * A value of Python that JSON does not have (never a key), an escape, or a quote that begins or ends a
 * string.
 */
const PYTHON = /\\[^]|"|(?:-?\bInfinity|\bNaN)\b(?!\s*:)/g;

/** Parses JSON. Values that only Python writes become strings. @throws SyntaxError. */
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

/** Returns the value of a key; undefined if the row does not have it. */
export const memberValue = (row: object, name: string): unknown =>
  Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined;

/** Returns a value as text; empty if there is no value. */
export const plainText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

/**
 * Reads three coordinates, which may be strings.
 *
 * @returns The first axis that is not a finite number, or -1.
 */
export function readPoint(values: readonly unknown[], out: Float64Array, at: number): number {
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

/**
 * Reads a position: a list of three numbers, or the text that a CSV cell would have.
 *
 * @returns Whether it is one.
 */
export function readPosition(value: unknown, out: Float64Array, at: number): boolean {
  if (Array.isArray(value)) return value.length === 3 && readPoint(value, out, at) < 0;
  if (typeof value !== 'string') return false;
  const text = Buffer.from(value);
  return parsePosition(text, 0, text.length, out, at);
}

/** Returns whether a value marks a missing position. */
export const isMissingPositionValue = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length === 3 && value.every(isMissing)
    : typeof value === 'string'
      ? isMissingPosition(value)
      : isMissing(value);

/** Returns the index of the final brace of a row. The JSON must be valid. */
export function closingBrace(bytes: Buffer, end: number): number {
  let brace = end - 1;
  while (bytes[brace] !== OPEN + 2) brace--;
  return brace;
}

/**
 * Yields the key and the span of the value of each member of an object. The JSON must be valid.
 *
 * @param end The index of the final brace.
 */
export function* readMembers(
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
    while (isSpace(bytes[to - 1])) to--;
    yield { name, from, to };
    at++; // the comma
  }
}

function skipBlank(bytes: Buffer, at: number): number {
  while (isSpace(bytes[at])) at++;
  return at;
}

/** Returns the index after the closing quote of the string that opens at `at`. */
function skipString(bytes: Buffer, at: number): number {
  for (at++; bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
  return at + 1;
}

/** Returns the value of a key as the row writes it. */
export function memberText(bytes: Buffer, start: number, end: number, wanted: string): string {
  let text = '';
  for (const { name, from, to } of readMembers(bytes, start, closingBrace(bytes, end)))
    if (name === wanted) text = bytes.toString('utf8', from, to);
  return text;
}

/** Describes a value that cannot be read. @param text The value as the row writes it. */
export function describeInvalidValue(value: unknown, text: string, what: string): string {
  if (value === undefined) return ' is missing';
  if (value === null) return ' is null';
  return typeof value === 'string' && value.trim() === '' ? ' is empty' : `: ${text.slice(0, 60)} is ${what}`;
}
