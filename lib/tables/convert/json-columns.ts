/** The columns of JSON Lines tables. */
import { TableError } from '../../base/errors.ts';
import type { BuiltColumn } from '../arrow/built-table.ts';
import { parseRow } from '../text/json-row.ts';
import {
  BooleanBuilder,
  DoubleBuilder,
  IntegerBuilder,
  ListBuilder,
  StructBuilder,
  TextBuilder,
} from './column-builder.ts';
import {
  type ExactJson,
  type ExactObject,
  JsonDecimal,
  parseExactRow,
  writeExactJson,
} from './json-values.ts';
import { builtTypeOf, type JsonType, JsonTypes } from './json-types.ts';
import type { RowBuilder, RowColumns, RowScanner } from './row-columns.ts';

const MAX_COLUMNS = 10_000;

/** Finds the columns of a JSON Lines table: all keys, in the order in which they come. */
export class JsonScanner implements RowScanner {
  readonly #types = new Map<string, JsonTypes>();
  #rows = 0;

  note(bytes: Buffer, start: number, end: number): void {
    for (const [key, value] of Object.entries(readRow(bytes, start, end))) {
      let types = this.#types.get(key);
      if (!types) {
        if (this.#types.size === MAX_COLUMNS)
          throw new TableError('BAD_ROW', `the rows have more than ${MAX_COLUMNS} keys in all`);
        this.#types.set(key, (types = new JsonTypes()));
      }
      types.note(value);
      types.rows++;
    }
    this.#rows++;
  }

  columns(): RowColumns {
    if (this.#types.size === 0)
      throw new TableError(
        'BAD_FORMAT',
        'the table has no rows with keys, so that it has no columns: only JSON Lines can hold it',
      );
    const types = Array.from(this.#types, ([name, { type, rows, hasNulls }]) => ({
      name,
      type,
      hasNulls: hasNulls || rows < this.#rows,
    }));
    return {
      fields: types.map(({ name, type, hasNulls }) => ({ name, type: builtTypeOf(type), hasNulls })),
      builder: () => new JsonBuilder(types),
    };
  }
}

/** Parses a row that was not checked. @throws TableError BAD_ROW. */
function readRow(bytes: Buffer, start: number, end: number): ExactObject {
  try {
    const row: unknown = parseExactRow(bytes.toString('utf8', start, end));
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as ExactObject;
  } catch (error) {
    if (error instanceof TableError) throw error;
  }
  return parseRow(bytes, start, end) as ExactObject; // gives the error
}

/** Builds a column of JSON values. */
interface ValueBuilder {
  add(value: ExactJson | undefined): void;
  take(): BuiltColumn;
  bytes(): number;
}

class JsonBuilder implements RowBuilder {
  readonly #columns: readonly { name: string; builder: ValueBuilder }[];

  constructor(types: readonly { name: string; type: JsonType }[]) {
    this.#columns = types.map(({ name, type }) => ({ name, builder: builderOf(type) }));
  }

  get bytes(): number {
    return this.#columns.reduce((sum, { builder }) => sum + builder.bytes(), 0);
  }

  add(bytes: Buffer, start: number, end: number): void {
    const row = parseExactRow(bytes.toString('utf8', start, end));
    for (const { name, builder } of this.#columns) builder.add(Object.hasOwn(row, name) ? row[name] : null);
  }

  take(): BuiltColumn[] {
    return this.#columns.map(({ builder }) => builder.take());
  }
}

function builderOf(type: JsonType): ValueBuilder {
  if (typeof type !== 'string') return 'item' in type ? listBuilder(type.item) : structBuilder(type.fields);
  switch (type) {
    case 'boolean': {
      const builder = new BooleanBuilder();
      return plain(builder, (value) => builder.add((value ?? undefined) as boolean | undefined));
    }
    case 'float64': {
      const builder = new DoubleBuilder();
      return plain(builder, (value) =>
        builder.add(
          value instanceof JsonDecimal ? value.value : ((value ?? undefined) as number | undefined),
        ),
      );
    }
    case 'int64':
    case 'uint64': {
      const builder = new IntegerBuilder();
      return plain(builder, (value) => {
        if (typeof value === 'bigint') builder.addBigint(value);
        else if (typeof value === 'number') builder.addNumber(value);
        else builder.addNull();
      });
    }
    default: {
      const builder = new TextBuilder();
      return {
        add: (value) =>
          builder.add(
            value === null || value === undefined
              ? undefined
              : typeof value === 'string'
                ? value
                : writeExactJson(value),
          ),
        take: () => builder.take(),
        bytes: () => builder.bytes,
      };
    }
  }
}

const plain = (
  builder: { take(): BuiltColumn },
  add: (value: ExactJson | undefined) => void,
): ValueBuilder => ({ add, take: () => builder.take(), bytes: () => 0 });

function listBuilder(type: JsonType): ValueBuilder {
  const builder = new ListBuilder(),
    items = builderOf(type);
  return {
    add(value) {
      if (!Array.isArray(value)) return builder.add(undefined);
      for (const own of value) items.add(own);
      builder.add(value.length);
    },
    take: () => builder.take(items.take()),
    bytes: () => items.bytes(),
  };
}

function structBuilder(types: ReadonlyMap<string, JsonType>): ValueBuilder {
  const builder = new StructBuilder(),
    fields = Array.from(types, ([name, type]) => ({ name, values: builderOf(type) }));
  return {
    add(value) {
      const row = value === null || typeof value !== 'object' || Array.isArray(value) ? undefined : value;
      builder.add(row !== undefined);
      for (const { name, values } of fields)
        values.add(row && Object.hasOwn(row, name) ? (row as Record<string, ExactJson>)[name] : null);
    },
    take: () => builder.take(fields.map(({ values }) => values.take())),
    bytes: () => fields.reduce((sum, { values }) => sum + values.bytes(), 0),
  };
}
