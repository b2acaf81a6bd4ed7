/** The columns of CSV and TSV tables. */
import { TableError } from '../../base/errors.ts';
import type { BuiltColumn } from '../arrow/built-table.ts';
import { isMissing } from '../missing.ts';
import { isBlank, parseId } from '../text/decimal.ts';
import { withoutBlanks } from '../text/delimited.ts';
import { Fields } from '../text/fields.ts';
import { booleanOf, type CellType, CellTypes, notFinite } from './cell-types.ts';
import { BooleanBuilder, DoubleBuilder, IntegerBuilder, TextBuilder } from './column-builder.ts';
import type { RowBuilder, RowColumns, RowScanner } from './row-columns.ts';

const MINUS = 45;

/** Finds the columns of a CSV or TSV table. */
export class DelimitedScanner implements RowScanner {
  readonly #fields: Fields;
  readonly #delimiter: number;
  readonly #hasHeader: boolean;
  readonly #keepsTexts: boolean;
  #names: readonly string[];
  #types: CellTypes[];

  /**
   * @param keepsTexts Whether all columns are text, so that each cell stays as it is written.
   * @param givenNames The column names of a table without a header.
   */
  constructor(delimiter: number, keepsTexts: boolean, givenNames?: readonly string[]) {
    this.#keepsTexts = keepsTexts;
    this.#delimiter = delimiter;
    this.#fields = new Fields(delimiter);
    this.#hasHeader = givenNames === undefined;
    this.#names = givenNames ?? [];
    this.#types = this.#names.map(() => new CellTypes());
  }

  note(bytes: Buffer, start: number, end: number, isFirst: boolean): void {
    const fields = this.#fields.split(bytes, start, end);
    if (isFirst && this.#hasHeader) {
      this.#names = withoutBlanks(Array.from({ length: fields.count }, (_, k) => fields.text(k)));
      if (this.#types.length === 0) this.#types = this.#names.map(() => new CellTypes());
      return;
    }
    if (fields.count !== this.#types.length)
      throw new TableError(
        'BAD_ROW',
        `${fields.count} fields where the header has ${this.#types.length}: only an output in the format of the input keeps such a row`,
      );
    for (let k = 0; k < this.#types.length && !this.#keepsTexts; k++) {
      const [from, to] = fields.unquoted(k);
      this.#types[k].note(bytes, from, to);
    }
  }

  columns(): RowColumns {
    const types = this.#types.map(({ type }) => type),
      delimiter = this.#delimiter;
    return {
      fields: this.#names.map((name, k) => ({ name, type: types[k], hasNulls: this.#types[k].hasNulls })),
      builder: () => new DelimitedBuilder(delimiter, types),
    };
  }
}

/** Adds the text of a field to a column. */
type CellAdder = (bytes: Buffer, start: number, end: number, isQuoted: boolean) => void;

interface CellBuilder {
  add: CellAdder;
  take(): BuiltColumn;
  bytes?: () => number;
}

class DelimitedBuilder implements RowBuilder {
  readonly #fields: Fields;
  readonly #builders: readonly CellBuilder[];

  constructor(delimiter: number, types: readonly CellType[]) {
    this.#fields = new Fields(delimiter);
    this.#builders = types.map((type) => BUILDERS[type]());
  }

  get bytes(): number {
    return this.#builders.reduce((sum, { bytes }) => sum + (bytes?.() ?? 0), 0);
  }

  add(bytes: Buffer, start: number, end: number): void {
    const fields = this.#fields.split(bytes, start, end);
    for (let k = 0; k < this.#builders.length; k++) {
      const [from, to] = fields.unquoted(k);
      this.#builders[k].add(bytes, from, to, from > fields.start(k));
    }
  }

  take(): BuiltColumn[] {
    return this.#builders.map((builder) => builder.take());
  }
}

const trimmed = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString('utf8', start, end).trim();

function integers(): CellBuilder {
  const builder = new IntegerBuilder(),
    words = new Uint32Array(2);
  return {
    add(bytes, start, end) {
      if (isBlank(bytes, start, end)) return builder.addNull();
      if (parseId(bytes, start, end, words, 0)) return builder.add(words[0], words[1]);
      const text = trimmed(bytes, start, end);
      if (text.charCodeAt(0) === MINUS) builder.addBigint(BigInt(text));
      else builder.addNull(); // a word for a missing value
    },
    take: () => builder.take(),
  };
}

const BUILDERS: Readonly<Record<CellType, () => CellBuilder>> = {
  int64: integers,
  uint64: integers,
  float64() {
    const builder = new DoubleBuilder();
    return {
      add(bytes, start, end) {
        const text = trimmed(bytes, start, end),
          other = notFinite(text);
        builder.add(other ?? (isMissing(text) ? undefined : Number(text)));
      },
      take: () => builder.take(),
    };
  },
  boolean() {
    const builder = new BooleanBuilder();
    return {
      add: (bytes, start, end) => builder.add(booleanOf(trimmed(bytes, start, end))),
      take: () => builder.take(),
    };
  },
  string() {
    const builder = new TextBuilder();
    return {
      add(bytes, start, end, isQuoted) {
        // An empty field in quotes is a text, and one without quotes is missing, as in polars and DuckDB.
        if (start === end && !isQuoted) builder.add(undefined);
        else if (isQuoted && bytes.subarray(start, end).includes('""'))
          builder.add(bytes.toString('utf8', start, end).replaceAll('""', '"'));
        else builder.addBytes(bytes, start, end);
      },
      take: () => builder.take(),
      bytes: () => builder.bytes,
    };
  },
};
