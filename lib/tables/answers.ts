/** The answers that are written into a batch of rows: columns of values, and one status per row. */
import { PointStatus } from '../points/status.ts';

const {
  outOfBounds,
  missingChunk,
  invalidPoint,
  invalidId,
  invalidTimestamp,
  failed,
  notLookedUp,
  rootFailed,
} = PointStatus;

/** Statuses of rows that could not be read, from the table or from the volume. */
const INVALID = [invalidPoint, invalidId, invalidTimestamp, failed],
  UNREAD = new Set<number>([...INVALID, outOfBounds, missingChunk]),
  UNANSWERED = new Set<number>([...INVALID, rootFailed, notLookedUp]);

/** Returns whether a row with this status was not read or looked up. */
export const isUnread = (status: number): boolean => UNREAD.has(status);

/** Returns whether a row with this status has no answer. Its old values are not overwritten with nothing. */
export const isUnanswered = (status: number): boolean => UNANSWERED.has(status);

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
  /**
   * Answers of other volumes for the same rows. Each side writes them after its own status, in this order.
   */
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

/** Where the cells of one output column come from: row r is at `first + r` in the arrays of its group. */
export interface AnswerPlace {
  group: RowAnswers;
  /** The column of the group; its number of columns stands for the status. */
  column: number;
  first: number;
}

/**
 * Returns where each output column comes from, in the order of the outputs.
 *
 * @param sides The number of sides of a row. Their answers are written one after the other.
 */
export function layOutAnswers(answers: RowAnswers, sides: number): AnswerPlace[] {
  const perSide = [answers, ...(answers.also ?? [])].flatMap((group) =>
      [...group.columns, undefined].map((_, column) => ({ group, column })),
    ),
    rows = answers.status.length / sides;
  return Array.from({ length: perSide.length * sides }, (_, output) => ({
    ...perSide[output % perSide.length],
    first: Math.floor(output / perSide.length) * rows,
  }));
}
