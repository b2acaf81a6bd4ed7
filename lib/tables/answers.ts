/** What is written into a batch of rows: columns of values, and the status of each row. */

/** Numbers of one kind, or uint64 IDs. */
type Values =
  | BigUint64Array
  | BigInt64Array
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** One column: the value of row i is `values[i * stride + offset]`. */
export interface AnswerColumn {
  values: Values;
  stride: number;
  offset: number;
  /** Whether 0 is no answer, unless the point is background. */
  zeroMeansMissing: boolean;
  /** Decimals that are written at most, for numbers where NaN is no answer. */
  decimals?: number;
  /** Words for the values 0, 1, …; no answer where there is none. */
  words?: readonly string[];
}

/** The first answers of all rows, then the second: those of one side of a row are its columns, and its status behind them. */
export interface RowAnswers {
  columns: readonly AnswerColumn[];
  status: Uint8Array;
  /** Statuses of rows that were not asked about; 0 for all others. */
  presetStatus?: Uint8Array;
  /**
   * Whether what a row has in an output column stays as it is; the status is the last column.
   * @default all but the status of a row that has no answer
   */
  keeps?: (row: number, column: number) => boolean;
}

/** IDs, one a row; 0 is no answer. */
export const idAnswerColumn = (values: BigUint64Array): AnswerColumn => ({
  values,
  stride: 1,
  offset: 0,
  zeroMeansMissing: true,
});
