/** What a table format does, and the check that all formats share. */
import { TableError } from '../base/errors.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { RowRules } from './rows.ts';

/** Which columns are read and written. */
export interface TableColumns {
  /** Three columns of coordinates, or one whose cells hold all three. */
  point?: readonly [string, string, string] | readonly [string];
  /** Columns of uint64 IDs. */
  ids?: readonly string[];
  /** Column with a timestamp for each row. */
  timestamp?: string;
  /** Columns written, in this order. */
  outputs: readonly string[];
  /** Whether output columns that exist are replaced, in their place; otherwise they are an error. */
  replace: boolean;
  /** Whether a column may be read and replaced. @default false */
  rereads?: boolean;
}

/** Columns, or how they follow from the names that the table has. */
export type ColumnChoice = TableColumns | ((found: readonly string[]) => TableColumns);

export const chosen = (choice: ColumnChoice, found: readonly string[]): TableColumns => (typeof choice === 'function' ? choice(found) : choice);

/** The answers of a batch, a cell at a time: digits or a word; nothing is written, and false returned, where there is no answer. */
export interface Cells {
  write(out: ByteWriter, column: number, row: number): boolean;
  /** Whether what a row has in output columns stays as it is. */
  keeps?(row: number): boolean;
}

/**
 * One format, bound to one table and its columns. Rows are handed in as `bytes[start, end)`, line end included.
 * Every error is a TableError; the caller adds the row's number.
 */
export interface TableFormat {
  readonly rules: RowRules;
  /** Meets the first row (empty bytes when there is none), and checks the columns. @returns whether it was a header, now written to `out`. */
  begin(bytes: Buffer, start: number, end: number, out: ByteWriter): boolean;
  /** Reads the point of a row to `out[at..at + 2]`. @returns why it is no point (`out` is then NaN), or undefined. */
  readPoint(bytes: Buffer, start: number, end: number, out: Float64Array, at: number): string | undefined;
  /**
   * Reads the IDs of a row as uint32 pairs, low word first: column k to `out[k][2 * row]` and the word after; an empty cell gives 0.
   * @returns why one of them is no ID (all are then 0), or undefined.
   */
  readIds(bytes: Buffer, start: number, end: number, out: readonly Uint32Array[], row: number): string | undefined;
  /** Whether the first ID cell of the row read last held anything. */
  hasId(): boolean;
  /** Text of the timestamp cell of the row read last; empty where there is none. */
  timestamp(): string;
  /** Writes a row with its answers. */
  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: Cells, row: number): void;
}

/**
 * @param hint What may be wrong with the table, if columns are missing.
 * @throws TableError MISSING_COLUMN, listing what is there; COLUMN_EXISTS.
 */
export function checkColumns({ point, ids = [], timestamp, outputs, replace, rereads = false }: TableColumns, found: readonly string[], hint?: string): void {
  const wanted = [...(point ?? []), ...ids, ...(timestamp === undefined ? [] : [timestamp])];
  const missing = wanted.filter((name) => !found.includes(name));
  if (missing.length > 0) {
    const list = found.length > 0 ? `columns found: ${found.map((name) => (name === name.trim() ? name : JSON.stringify(name))).join(', ')}` : 'no columns found';
    throw new TableError('MISSING_COLUMN', `no column ${missing.map((name) => JSON.stringify(name)).join(', ')}; ${list}${hint === undefined ? '' : ` (${hint})`}`);
  }
  const existing = outputs.filter((name) => found.includes(name));
  if (existing.length > 0 && !replace) throw existsAlready(existing);
  const read = outputs.find((name) => wanted.includes(name));
  if (read !== undefined && !rereads) throw new TableError('COLUMN_EXISTS', `column ${read} is read and would be written over`);
}

export function existsAlready(names: readonly string[]): TableError {
  const [columns, exist, them] = names.length === 1 ? ['column', 'exists', 'it'] : ['columns', 'exist', 'them'];
  return new TableError('COLUMN_EXISTS', `${columns} ${names.join(', ')} ${exist} already (--replace writes over ${them})`);
}
