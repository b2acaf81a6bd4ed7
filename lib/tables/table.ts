/** Tables as jobs see them: batches of columns come out of a source, and their answers go into a sink. Formats differ below this. */
import type { TableError } from '../base/errors.ts';
import type { RowAnswers } from './answers.ts';

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
  mayReplaceInputs?: boolean;
  /** How outputs get other names. @default nothing to advise */
  advice?: string;
}

/** What the cells of a column hold in the rows that are known so far: those of the first batch. */
export type CellsOf = (name: string) => Iterable<string>;

/** How the columns follow from the names that the table has. @throws TableError MISSING_COLUMN. */
export type ColumnChoice = (found: readonly string[], cellsOf: CellsOf) => TableColumns;

/** A column of text: the text of row r is `spellings[places[r]]`, without blanks around it. */
export interface TextColumn {
  spellings: readonly string[];
  indices: Uint32Array;
}

/** Rows that are read, asked about and written together. Its arrays belong to whoever takes it from the source. */
export interface Batch {
  /** How many; in all arrays row r of column k is at `k * rows + r`. */
  readonly rows: number;
  /** Number of row 0 in the table, where data rows count from 1. */
  readonly firstRow: number;
  /** Three coordinates a row; NaN where there is no point. */
  readonly points: Float64Array;
  /** Why a row has no point: `notLookedUp` where it is missing, `invalidPoint` where it cannot be read; else 0. */
  readonly pointStatus: Uint8Array;
  /** 0 where there is no ID. */
  readonly ids: BigUint64Array;
  /** Why a row has no ID: `notLookedUp` where it is missing, `invalidId` where it cannot be read; else 0. */
  readonly idStatus: Uint8Array;
  readonly texts: readonly TextColumn[];
  /** What broke off the reading of this batch: only the rows before are there. */
  readonly readError?: { row: number; error: TableError };
  /** What cannot be read in a row, in its own words. */
  describeInvalid(row: number): string;
  /** What messages call a row: `row 17 (line 18)`. */
  nameOf(row: number): string;
}

/** @typeParam B What the sink of the same format needs of a batch, so that columns it does not write stay as they are. */
export interface TableSource<B extends Batch = Batch> {
  /** Whether a table without rows still says what its columns are. */
  readonly hasHeader: boolean;
  /** In order, once. @throws TableError, after the batches before it. */
  batches(): AsyncIterable<B>;
}

export interface TableSink<B extends Batch = Batch> {
  /** Writes the rows of a batch with their answers. */
  write(batch: B, answers: RowAnswers): Promise<void>;
  /** All batches are written. The bytes are for their own sink to finish or abandon. */
  finish(): Promise<void>;
}
