/** What a table format does, and the check that all formats share. */
import { TableError } from '../base/errors.ts';
import type { ByteWriter } from './text/byte-writer.ts';
import type { RowRules } from './text/rows.ts';

/** Columns of one point: three of coordinates, or one whose cells hold all three. */
export type PointColumns = readonly [string, string, string] | readonly [string];

/** Which columns are read and written. */
export interface TableColumns {
  /** A row may have several points. */
  points?: readonly PointColumns[];
  /** Columns of uint64 IDs. */
  ids?: readonly string[];
  /** Columns whose text is asked for; an output among them need not be there yet. */
  texts?: readonly string[];
  /** Columns written, in this order. */
  outputs: readonly string[];
  /** Whether output columns that exist are replaced, in their place; otherwise they are an error. */
  replace: boolean;
  /** Whether a column may be read and replaced. @default false */
  rereads?: boolean;
  /** How outputs get other names. @default nothing to advise */
  advice?: string;
}

/** What the cells of a column hold in the rows that are known so far: those of the first batch. */
export type CellsOf = (name: string) => Iterable<string>;

/** How the columns follow from the names that the table has. @throws TableError MISSING_COLUMN. */
export type ColumnChoice = (found: readonly string[], cellsOf: CellsOf) => TableColumns;

/** Rows of a table, as spans of bytes. */
export type RowSpans = Iterable<{ bytes: Buffer; start: number; end: number }>;

/** The answers of a batch, a cell at a time: digits or a word; nothing is written, and false returned, where there is no answer. */
export interface Cells {
  write(out: ByteWriter, column: number, row: number): boolean;
  /** Whether what a row has in an output column stays as it is. */
  keeps?(column: number, row: number): boolean;
  /** Whether a cell is a number or a boolean, which JSON writes without quotes. */
  isBare?(column: number, row: number): boolean;
}

/** Where the points of one column (or of three) are read to: row r to `points[3r..3r + 2]`. */
export interface PointCells {
  points: Float64Array;
  /** Of rows that have no point (NaN then): `notLookedUp` where it is missing, else `invalidPoint`; 0 for all others. */
  given: Uint8Array;
}

/** Where the IDs of one column are read to, as pairs of uint32, low word first: row r to `words[2r]` and the word after. */
export interface IdCells {
  words: Uint32Array;
  /** Of rows that have no ID (0 then): `notLookedUp` where it is missing, else `invalidId`; 0 for all others. */
  given: Uint8Array;
}

/**
 * One format, bound to one table and its columns. Rows are handed in as `bytes[start, end)`, line end included.
 * Every error is a TableError; the caller adds the row's number.
 */
export interface TableFormat {
  readonly rules: RowRules;
  /**
   * Meets the first row (empty bytes when there is none), and checks the columns.
   * @param rows All rows of the first batch, this one too.
   * @returns whether it was a header, now written to `out`.
   */
  begin(bytes: Buffer, start: number, end: number, out: ByteWriter, rows: RowSpans): boolean;
  /** Reads the points of a row, to one of `out` each. @returns why some are mangled, or undefined. */
  readPoints(
    bytes: Buffer,
    start: number,
    end: number,
    out: readonly PointCells[],
    row: number,
  ): string | undefined;
  /** Reads the IDs of a row, to one of `out` each. @returns why some are mangled, or undefined. */
  readIds(
    bytes: Buffer,
    start: number,
    end: number,
    out: readonly IdCells[],
    row: number,
  ): string | undefined;
  /** Text of cell k of `texts` in the row read last; empty where there is none. */
  text(k: number): string;
  /** Writes a row with its answers. */
  writeRow(out: ByteWriter, bytes: Buffer, start: number, end: number, cells: Cells, row: number): void;
}

/**
 * @param hint What may be wrong with the table, if columns are missing.
 * @param present What is there already in every row.
 * @throws TableError MISSING_COLUMN, listing what is there; COLUMN_EXISTS.
 */
export function checkColumns(
  { points = [], ids = [], texts = [], outputs, replace, rereads = false, advice }: TableColumns,
  found: readonly string[],
  hint?: string,
  present = found,
): void {
  const wanted = [...points.flat(), ...ids, ...texts.filter((name) => !outputs.includes(name))];
  const twice = outputs.find((name, k) => outputs.indexOf(name) !== k);
  if (twice !== undefined)
    throw new TableError(
      'COLUMN_EXISTS',
      `column ${twice} would be written twice: what is asked about needs names that differ`,
    );
  const missing = wanted.filter((name) => !found.includes(name));
  if (missing.length > 0) {
    const list =
      found.length > 0
        ? `columns found: ${found.map((name) => (name === name.trim() ? name : JSON.stringify(name))).join(', ')}`
        : 'no columns found';
    throw new TableError(
      'MISSING_COLUMN',
      `no column ${missing.map((name) => JSON.stringify(name)).join(', ')}; ${list}${hint === undefined ? '' : ` (${hint})`}`,
    );
  }
  const existing = outputs.filter((name) => present.includes(name));
  if (existing.length > 0 && !replace) throw existsAlready(existing, advice);
  const read = outputs.find((name) => wanted.includes(name));
  if (read !== undefined && !rereads)
    throw new TableError('COLUMN_EXISTS', `column ${read} is read and would be written over`);
}

export function existsAlready(names: readonly string[], advice?: string): TableError {
  const [columns, exist, them] =
    names.length === 1 ? ['column', 'exists', 'it'] : ['columns', 'exist', 'them'];
  return new TableError(
    'COLUMN_EXISTS',
    `${columns} ${names.join(', ')} ${exist} already (${advice === undefined ? '' : `${advice}; `}--replace writes over ${them})`,
  );
}
