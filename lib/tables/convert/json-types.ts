/**
 * Finds the types of JSON values. Values that no type holds exactly become their JSON as text, such as a
 * column with numbers and texts.
 */
import { TableError } from '../../base/errors.ts';
import type { BuiltType } from '../arrow/built-table.ts';
import { LONE_SURROGATE } from './column-builder.ts';
import { type ExactJson, JsonDecimal } from './json-values.ts';

/** Deeper values, and objects with more keys, are kept as JSON. */
const MAX_DEPTH = 16,
  MAX_KEYS = 256;
const MAX_INT64 = 2n ** 63n - 1n,
  MAX_UINT64 = 2n ** 64n - 1n;

/** The type of a JSON value. `json` is its JSON as text. */
export type JsonType =
  | 'int64'
  | 'uint64'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'json'
  | { item: JsonType }
  | { fields: ReadonlyMap<string, JsonType> };

/** Returns the type of the column that holds values of a type. */
export function builtTypeOf(type: JsonType): BuiltType {
  if (typeof type === 'string') return type === 'json' ? 'string' : type;
  if ('item' in type) return { kind: 'list', item: builtTypeOf(type.item) };
  return {
    kind: 'struct',
    fields: Array.from(type.fields, ([name, own]) => ({ name, type: builtTypeOf(own) })),
  };
}

/** What some JSON values are. */
export class JsonTypes {
  readonly #depth: number;
  #hasBooleans = false;
  #hasTexts = false;
  #hasWhole = false;
  #hasDecimals = false;
  #isUnsafe = false;
  #isUnsigned = false;
  #isNegative = false;
  #isJson = false;
  hasNulls = false;
  /** The number of rows that have the key, for a column of the table. */
  rows = 0;
  #item: JsonTypes | undefined;
  #fields: Map<string, JsonTypes> | undefined;

  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** Notes a value. */
  note(value: ExactJson | undefined): void {
    if (value === null || value === undefined) this.hasNulls = true;
    if (value === null || value === undefined || this.#isJson) return;
    switch (typeof value) {
      case 'boolean':
        this.#hasBooleans = true;
        return;
      case 'string':
        this.#hasTexts = true;
        if (LONE_SURROGATE.test(value))
          throw new TableError('BAD_ROW', 'a text holds half of a surrogate pair, which UTF-8 cannot hold');
        return;
      case 'number':
        this.#hasWhole = true;
        if (value < 0) this.#isNegative = true;
        return;
      case 'bigint':
        this.#hasWhole = this.#isUnsafe = true;
        if (value < 0n) this.#isNegative = true;
        if (value > MAX_INT64) this.#isUnsigned = true;
        if (value > MAX_UINT64 || value < -MAX_INT64 - 1n) this.#isJson = true;
        return;
    }
    if (value instanceof JsonDecimal) {
      this.#hasDecimals = true;
      if (!value.isExact) this.#isJson = true;
    } else if (this.#depth >= MAX_DEPTH) this.#isJson = true;
    else if (Array.isArray(value)) {
      const item = (this.#item ??= new JsonTypes(this.#depth + 1));
      for (const own of value) item.note(own);
    } else {
      const fields = (this.#fields ??= new Map<string, JsonTypes>());
      for (const [key, own] of Object.entries(value)) {
        let field = fields.get(key);
        if (!field) fields.set(key, (field = new JsonTypes(this.#depth + 1)));
        field.note(own);
      }
      if (fields.size > MAX_KEYS) this.#isJson = true;
    }
  }

  /** The type of all values. */
  get type(): JsonType {
    const kinds = [
      this.#hasBooleans,
      this.#hasTexts,
      this.#hasWhole || this.#hasDecimals,
      this.#item !== undefined,
      this.#fields !== undefined,
    ].filter(Boolean).length;
    if (this.#isJson || kinds > 1 || (this.#hasDecimals && this.#isUnsafe)) return 'json';
    if (this.#hasBooleans) return 'boolean';
    if (this.#hasDecimals) return 'float64';
    if (this.#hasWhole) return this.#isUnsigned ? (this.#isNegative ? 'json' : 'uint64') : 'int64';
    if (this.#item) return { item: this.#item.type };
    // Parquet cannot hold an object without keys.
    if (this.#fields)
      return this.#fields.size === 0
        ? 'json'
        : { fields: new Map(Array.from(this.#fields, ([key, own]) => [key, own.type])) };
    return 'string';
  }
}
