/** Parses JSON so that no number is rounded and whole numbers stay apart from decimals. */
import { parse as parseLossless } from 'lossless-json';
import { TableError } from '../../base/errors.ts';
import { isExactDouble } from './cell-types.ts';

/** A number with a point or an exponent, or one of Python's that is not finite. */
export class JsonDecimal {
  readonly value: number;
  /** Whether the double is the number as it is written. */
  readonly isExact: boolean;
  readonly #text: string;

  constructor(value: number, text: string) {
    this.value = value;
    this.isExact = !Number.isFinite(value) || isExactDouble(text);
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** A value of JSON. A whole number above 2^53 is a bigint. */
export type ExactJson = null | boolean | number | bigint | string | JsonDecimal | ExactJson[] | ExactObject;
/** An object of JSON. */
export interface ExactObject {
  [key: string]: ExactJson;
}

/** Numbers that no one writes stand for those that JSON does not have. */
const STAND_INS: Readonly<Record<string, string>> = {
  NaN: '0.0e-99991',
  Infinity: '0.0e-99992',
  '-Infinity': '0.0e-99993',
};
const PYTHON_NUMBERS = new Map<string, [number, string]>([
  [STAND_INS.NaN, [NaN, 'NaN']],
  [STAND_INS.Infinity, [Infinity, 'Infinity']],
  [STAND_INS['-Infinity'], [-Infinity, '-Infinity']],
]);
/** A string, or a word of Python that is not in one. */
const STRING_OR_WORD = /"(?:\\[^]|[^"\\])*"|-?\bInfinity\b|\bNaN\b/g;
/** What only an exact parser reads right. */
const NEEDS_CARE = /\d{16}|\d[.eE]|-0|\bInfinity\b|\bNaN\b/;

/** Parses a row that is valid JSON, as Python writes it. @throws TableError BAD_ROW. */
export function parseExactRow(text: string): ExactObject {
  // The parser would set the prototype of the object.
  if (text.includes('"__proto__"'))
    throw new TableError('BAD_ROW', 'a key is __proto__, which is not read as a column');
  if (!NEEDS_CARE.test(text)) return JSON.parse(text) as ExactObject;
  const standard = text.replace(STRING_OR_WORD, (found) => STAND_INS[found] ?? found);
  return parseLossless(standard, undefined, {
    parseNumber: toNumber,
    onDuplicateKey: ({ newValue }: { newValue: unknown }) => newValue,
  }) as ExactObject;
}

function toNumber(text: string): number | bigint | JsonDecimal {
  const special = PYTHON_NUMBERS.get(text);
  if (special) return new JsonDecimal(...special);
  if (/[.eE]/.test(text) || text === '-0') return new JsonDecimal(Number(text), text);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** Writes a value as JSON, with its numbers as they were. */
export function writeExactJson(value: ExactJson): string {
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  if (value instanceof JsonDecimal) return String(value);
  if (Array.isArray(value)) return `[${value.map(writeExactJson).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, own]) => `${JSON.stringify(key)}:${writeExactJson(own)}`)
    .join(',')}}`;
}
