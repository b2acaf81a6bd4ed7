/**
 * Reads and writes Python literals, which the headers of NumPy files are: strings, whole numbers, True,
 * False, None, tuples, lists and dictionaries.
 * Source: Python, "The Python Language Reference", section "Literals".
 */
import { TableError } from '../../base/errors.ts';

/** A tuple. An array is a list. */
export class PythonTuple {
  readonly items: readonly PythonValue[];
  constructor(items: readonly PythonValue[]) {
    this.items = items;
  }
}

/** A value that a literal can be. */
export type PythonValue =
  string | number | boolean | null | PythonTuple | readonly PythonValue[] | ReadonlyMap<string, PythonValue>;

const MAX_DEPTH = 32;
const WORDS: ReadonlyMap<string, PythonValue> = new Map([
  ['True', true],
  ['False', false],
  ['None', null],
] as const);
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** Reads a literal. Nothing is evaluated. @throws TableError BAD_FORMAT. */
export function parsePython(text: string): PythonValue {
  let at = 0;
  const broken = (): TableError =>
    new TableError(
      'BAD_FORMAT',
      `the header of the NumPy array is broken near ${JSON.stringify(text.slice(Math.max(0, at - 10), at + 30))}`,
    );
  const skipBlanks = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text[at])) at++;
  };
  const takes = (mark: string): boolean => {
    skipBlanks();
    if (text[at] !== mark) return false;
    at++;
    return true;
  };
  const readString = (): string => {
    const quote = text[at++];
    let value = '';
    for (; ; at++) {
      if (at >= text.length || text[at] === '\n') throw broken();
      if (text[at] === quote) break;
      if (text[at] !== '\\') {
        value += text[at];
        continue;
      }
      at++;
      const code = /^(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(text.slice(at, at + 9)),
        escape = ESCAPES[text[at]];
      if (code) {
        const point = parseInt(code[1] ?? code[2] ?? code[3], 16);
        if (point > 0x10ffff) throw broken();
        value += String.fromCodePoint(point);
        at += code[0].length - 1;
      } else if (escape !== undefined) value += escape;
      else throw broken();
    }
    at++;
    return value;
  };
  /** Reads the items up to a bracket. A comma may follow the last. */
  const readItems = (close: string, read: () => void): boolean => {
    let hasComma = false;
    for (let isFirst = true; !takes(close); isFirst = false) {
      if (!isFirst && !hasComma) throw broken();
      read();
      hasComma = takes(',');
    }
    return hasComma;
  };
  const readValue = (depth: number): PythonValue => {
    skipBlanks();
    if (depth > MAX_DEPTH) throw broken();
    if (text[at] === "'" || text[at] === '"') return readString();
    // Python 2 wrote an L after long numbers.
    const number = /^-?\d{1,20}(?=L?)/.exec(text.slice(at, at + 22))?.[0];
    if (number !== undefined) {
      at += number.length;
      if (text[at] === 'L') at++;
      const value = Number(number);
      if (!Number.isSafeInteger(value)) throw broken();
      return value;
    }
    const word = /^[A-Za-z]+/.exec(text.slice(at, at + 8))?.[0] ?? '';
    if (WORDS.has(word)) {
      at += word.length;
      return WORDS.get(word)!;
    }
    const items: PythonValue[] = [];
    const readItem = (): void => void items.push(readValue(depth + 1));
    if (takes('[')) {
      readItems(']', readItem);
      return items;
    }
    if (takes('(')) {
      const hasComma = readItems(')', readItem);
      return items.length === 1 && !hasComma ? items[0] : new PythonTuple(items);
    }
    if (!takes('{')) throw broken();
    const entries = new Map<string, PythonValue>();
    readItems('}', () => {
      const key = readValue(depth + 1);
      if (typeof key !== 'string' || !takes(':')) throw broken();
      entries.set(key, readValue(depth + 1));
    });
    return entries;
  };
  const value = readValue(0);
  skipBlanks();
  if (at < text.length) throw broken();
  return value;
}

/** Writes a literal as Python does. */
export function spellPython(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return spellString(value);
  if (value instanceof PythonTuple) {
    const items = value.items.map(spellPython);
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
  }
  if (value instanceof Map)
    return `{${[...(value as ReadonlyMap<string, PythonValue>)].map(([key, item]) => `${spellString(key)}: ${spellPython(item)}`).join(', ')}}`;
  return `[${(value as readonly PythonValue[]).map(spellPython).join(', ')}]`;
}

function spellString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replace(/[\\\x00-\x1f\x7f]|['"]/g, (c) => {
    if (c === "'" || c === '"') return c === quote ? `\\${c}` : c;
    return c === '\\' ? '\\\\' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return quote + inside + quote;
}
