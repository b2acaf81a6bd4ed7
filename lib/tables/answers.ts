/** The answers that are written into a batch of rows: columns of values, and one status per row. */

/** Numbers of one type, or uint64 IDs. */
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

/** One column of answers: the value of row i is `values[i * stride + offset]`. */
export interface AnswerColumn {
  values: Values;
  stride: number;
  offset: number;
  /** Whether 0 means that there is no answer, unless the point is background. */
  zeroMeansMissing: boolean;
  /** Maximum number of decimals written. NaN then means that there is no answer. */
  decimals?: number;
  /** Text to write for the values 0, 1, …. A value without a text means that there is no answer. */
  words?: readonly string[];
}

/**
 * The answers of a batch. A row may have several sides, such as the two sides of a synapse. The answers of
 * all rows for the first side come first, then those for the second side. Each side writes all `columns`,
 * then its status.
 */
export interface RowAnswers {
  columns: readonly AnswerColumn[];
  status: Uint8Array;
  /**
   * Statuses of rows that were not looked up, because their input is missing or invalid; 0 for all other
   * rows.
   */
  presetStatus?: Uint8Array;
  /**
   * Whether a row keeps the old value of an output column. The status is the last column.
   * @default A row without an answer keeps all old values except its status.
   */
  keeps?: (row: number, column: number) => boolean;
  /** Answers of other volumes for the same rows. Each side writes them after its own status, in this order. */
  also?: readonly RowAnswers[];
}

/** Returns the number of cells that each side writes. */
export const cellsPerSide = ({ columns, also = [] }: RowAnswers): number =>
  also.reduce((sum, answers) => sum + cellsPerSide(answers), columns.length + 1);

/** Makes a column of IDs, one per row; 0 means that there is no answer. */
export const idAnswerColumn = (values: BigUint64Array): AnswerColumn => ({
  values,
  stride: 1,
  offset: 0,
  zeroMeansMissing: true,
});
