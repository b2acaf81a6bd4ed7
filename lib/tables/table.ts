/**
 * The interface between jobs and table formats: a source yields batches of columns, and a sink writes their
 * answers.
 */
import type { TableError } from '../base/errors.ts';
import type { RowAnswers } from './answers.ts';

/** The columns of one point: three columns of coordinates, or one column whose cells hold all three. */
export type PointColumns = readonly [string, string, string] | readonly [string];

/** The columns of a table that are read and written. */
export interface TableColumns {
  /** The columns of each point of a row. */
  points?: readonly PointColumns[];
  /** Columns of uint64 IDs. */
  ids?: readonly string[];
  /** Columns that are read as text. An output column among them may be absent. */
  texts?: readonly string[];
  /** Columns that are written, in this order. */
  outputs: readonly string[];
  /** Whether existing output columns are replaced in place; otherwise they are an error. */
  replace: boolean;
  /** Whether an input column may also be an output column. @default false */
  mayReplaceInputs?: boolean;
  /** Whether the batches tell the kinds of the numbers of each coordinate. @default false */
  notesNumbers?: boolean;
  /** How the user can rename the outputs, for the error about existing columns. */
  advice?: string;
}

/** Yields the cells of a column in the first batch. */
export type CellsOf = (name: string) => Iterable<string>;

/** Chooses the columns from the names that the table has. @throws TableError MISSING_COLUMN. */
export type ColumnChoice = (found: readonly string[], cellsOf: CellsOf) => TableColumns;

/** A bit of `numberKinds`. */
export const WHOLE_NUMBERS = 1,
  DECIMALS = 2;

/** A column of text: the text of row r is `spellings[indices[r]]`, without surrounding blanks. */
export interface TextColumn {
  spellings: readonly string[];
  indices: Uint32Array;
}

/** Rows that are read, looked up and written together. The consumer of the source may change the arrays. */
export interface Batch {
  /** The number of rows. In all arrays, row r of column k is at `k * rows + r`. */
  readonly rows: number;
  /** The number of the first row in the table. Data rows count from 1. */
  readonly firstRow: number;
  /** Three coordinates per point; NaN if there is no point. */
  readonly points: Float64Array;
  /**
   * 0 for a valid point, `notLookedUp` for a missing point, `invalidPoint` for a point that cannot be read.
   */
  readonly pointStatus: Uint8Array;
  /**
   * For each coordinate of each column of points: {@link WHOLE_NUMBERS} if some of its numbers are written as
   * whole numbers, plus {@link DECIMALS} if some are not. Only with `notesNumbers`.
   */
  readonly numberKinds: Uint8Array;
  /** The IDs; 0 if there is no ID. */
  readonly ids: BigUint64Array;
  /** 0 for a valid ID, `notLookedUp` for a missing ID, `invalidId` for an ID that cannot be read. */
  readonly idStatus: Uint8Array;
  readonly texts: readonly TextColumn[];
  /** The error that ended the reading of this batch. Only the rows before `row` are valid. */
  readonly readError?: { row: number; error: TableError };
  /** Describes what cannot be read in a row, with the text of the row. */
  describeInvalid(row: number): string;
  /** Returns the name of a row in messages, such as `row 17 (line 18)`. */
  nameOf(row: number): string;
}

/**
 * Yields the rows of a table.
 *
 * @typeParam B The batch type of the format. Its sink needs it to keep the columns that it does not write.
 */
export interface TableSource<B extends Batch = Batch> {
  /** Whether the format has a header, so that a table without rows still names its columns. */
  readonly hasHeader: boolean;
  /**
   * Yields the batches in order; may be called once.
   *
   * @throws TableError, after the batches before the error.
   */
  batches(): AsyncIterable<B>;
  /** Returns the name of a row that was read, counted from 1, in messages. @default `row 17` */
  readonly rowName?: (row: number) => string;
  /** Frees what the source holds besides its bytes. Called when the job has ended, also after an error. */
  close?(): Promise<void>;
}

/** Writes the rows of a table with their answers. */
export interface TableSink<B extends Batch = Batch> {
  /** Writes the rows of a batch with their answers. */
  write(batch: B, answers: RowAnswers): Promise<void>;
  /** Ends the table after the last batch. It does not finish the sink of the bytes. */
  finish(): Promise<void>;
}
