/**
 * The interface between columnar formats and tables: a source yields parts of typed columns, and a sink
 * writes the same parts with columns of answers.
 */

/** Which values of a column are present: bit `offset + i` of the bytes, least bit first, is 1 for value i. */
export interface Validity {
  bits: Uint8Array;
  offset: number;
}

/** The arrays of numbers that a column may have. 64-bit integers are read as words, never as bigints. */
export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** A column of integers or floats. A format widens half floats to `Float32Array`. */
export interface NumberColumn {
  kind: 'number';
  values: NumberArray;
  validity?: Validity;
}

/** A column of decimals: the value i is a two's complement integer, divided by 10^`scale`. */
export interface DecimalColumn {
  kind: 'decimal';
  /** The integers, the least word first. */
  words: Uint32Array;
  /** The words of each integer: 1, 2, 4 or 8. */
  width: number;
  scale: number;
  validity?: Validity;
}

/** A column of text, or of values that are shown as text, such as timestamps and booleans. */
export interface StringColumn {
  kind: 'text';
  /** The number of values. */
  length: number;
  /** Returns the text of value i. It is not called for a value that is absent. */
  textAt(i: number): string;
  validity?: Validity;
}

/** A column whose value i is value `indices[i]` of `values`. */
export interface DictionaryColumn {
  kind: 'dictionary';
  indices: ArrayLike<number>;
  values: ColumnValues;
  validity?: Validity;
}

/** A column of lists: list i holds the values `starts[i]` to `starts[i] + lengths[i]`. */
export interface ListColumn {
  kind: 'list';
  starts: ArrayLike<number>;
  lengths: ArrayLike<number>;
  values: ColumnValues;
  validity?: Validity;
}

/** A column of lists of one length: list i holds the values `i * size` to `(i + 1) * size`. */
export interface FixedListColumn {
  kind: 'fixed-list';
  size: number;
  values: ColumnValues;
  validity?: Validity;
}

/** A column of structs. Each field has as many values as the column. */
export interface StructColumn {
  kind: 'struct';
  fields: readonly { name: string; values: ColumnValues }[];
  validity?: Validity;
}

/** The values of a column. */
export type ColumnValues =
  | NumberColumn
  | DecimalColumn
  | StringColumn
  | DictionaryColumn
  | ListColumn
  | FixedListColumn
  | StructColumn;

/**
 * What a column can be used as. A column of another kind is passed through by its format, and is an error as
 * an input. A dictionary has the type of its values.
 */
export type ColumnType =
  | { kind: 'number'; isInteger: boolean }
  | { kind: 'decimal'; scale: number }
  | { kind: 'text' }
  /** Values that are read as text only, such as timestamps and booleans: never points or IDs. */
  | { kind: 'shown' }
  | { kind: 'list'; item: ColumnType }
  | { kind: 'struct'; fields: readonly { name: string; type: ColumnType }[] }
  | { kind: 'other' };

/** How IDs are written in columnar formats. */
export type IdType = 'uint64' | 'int64' | 'string';
/** All types of IDs. */
export const ID_TYPES = ['uint64', 'int64', 'string'] as const satisfies readonly IdType[];

/** One column of a table. */
export interface TableField {
  name: string;
  type: ColumnType;
  /** The name of the type in messages, as the format spells it: `double`, `list<int64>`. */
  typeName: string;
  /** The type of IDs that the column holds, if its type is one of them. */
  idType?: IdType;
}

/** Rows of a table as they come: a row group, a record batch, or a few thousand rows. */
export interface TablePart {
  readonly rows: number;
  /** The columns that were asked for, in that order. */
  readonly columns: readonly ColumnValues[];
}

/** Reads a table of a columnar format. */
export interface ColumnarReader<P extends TablePart = TablePart> {
  /** Reads the columns of the table, in their order. Two of them may have one name. @throws TableError. */
  open(): Promise<readonly TableField[]>;
  /** The number of rows, if it is known once the reader is open. */
  readonly rowCount?: number;
  /**
   * Yields the rows in their order; may be called once, after `open`. The arrays stay valid until the part is
   * written.
   *
   * @param fields The columns that are wanted, by index.
   * @throws TableError for damaged content.
   */
  parts(fields: readonly number[]): AsyncIterable<P>;
  /** Frees what the reader holds, such as files. May be called twice. */
  close(): Promise<void>;
}

/** The type of a column of answers. `string` columns store each text once. */
export type AnswerType =
  | 'uint64'
  | 'int64'
  | 'uint32'
  | 'int32'
  | 'uint16'
  | 'int16'
  | 'uint8'
  | 'int8'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'string';

/** A column that is written. */
export interface AnswerField {
  name: string;
  type: AnswerType;
  /** The index of the column of the input that it replaces. Otherwise it is added after all columns. */
  replaces?: number;
}

/** The answers of one column for the rows of a part. */
export interface AnswerValues {
  /** The values; 0 and 1 for booleans; indices of `spellings` for strings. */
  values: NumberArray;
  /**
   * The texts of a column of strings. All parts of a batch share the array, and a part may add texts to it.
   */
  spellings?: string[];
  /** 1 for each row that has a value, 0 for null; undefined if all rows have one. */
  valid?: Uint8Array;
}

/** Writes a table of a columnar format: the columns of the input with columns of answers. */
export interface ColumnarWriter<P extends TablePart = TablePart> {
  /** Begins the table. Called once, before the first part. */
  begin(fields: readonly AnswerField[]): Promise<void>;
  /** Writes the rows of a part with their answers, one for each field. */
  write(part: P, answers: readonly AnswerValues[]): Promise<void>;
  /** Writes the rows of several parts at once, if the writer does not need the parts. */
  writeRows?(rows: number, answers: readonly AnswerValues[]): Promise<void>;
  /** Ends the table after the last part. It does not finish the sink of the bytes. */
  finish(): Promise<void>;
}

/** Returns whether value i is present. */
export const isPresent = ({ bits, offset }: Validity, i: number): boolean =>
  ((bits[(offset + i) >> 3] >> ((offset + i) & 7)) & 1) !== 0;

/** Returns whether the first `count` values are all present. */
export function areAllPresent({ bits, offset }: Validity, count: number): boolean {
  const end = offset + count;
  for (let at = offset; at < end;) {
    const left = Math.min(8 - (at & 7), end - at),
      mask = ((1 << left) - 1) << (at & 7);
    if ((bits[at >> 3] & mask) !== mask) return false;
    at += left;
  }
  return true;
}

/** Packs bytes of 1 and 0 into bits, least bit first. */
export function packBits(valid: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(valid.length / 8));
  for (let i = 0; i < valid.length; i++) bits[i >> 3] |= valid[i] << (i & 7);
  return bits;
}
