/** Answers with their rows, built in one place. */
import type { Row, LookupStats } from '../points/result.ts';
import { statusText } from '../points/status.ts';

/** What all answers have. */
interface Shared {
  status: Uint8Array;
  stats: LookupStats;
  /** With `snap` only. */
  snapped?: { nm: Float32Array };
  /** Why the point, or the ID, at an index has no answer. */
  errorOf: (index: number) => Error | undefined;
}

type Answer<Columns, Fields> = Columns & {
  status: Uint8Array;
  stats: LookupStats;
  snappedNm?: Float32Array;
  rows(): IterableIterator<Row & Fields>;
};

/**
 * @param columns What else the answer holds.
 * @param fieldsOf What a row has of these columns.
 */
export const buildResult = <Columns, Fields>(
  { status, stats, snapped, errorOf }: Shared,
  columns: Columns,
  fieldsOf: (index: number) => Fields,
): Answer<Columns, Fields> => ({
  ...columns,
  status,
  stats,
  ...snappedNm(snapped?.nm),
  *rows() {
    for (let index = 0; index < status.length; index++)
      yield {
        index,
        ...fieldsOf(index),
        status: statusText(status[index]),
        ...snappedNm(snapped?.nm[index]),
        error: errorOf(index),
      };
  },
});

/** A member that is there only when it was asked for. */
const snappedNm = <T>(nm: T | undefined): { snappedNm?: T } => (nm === undefined ? {} : { snappedNm: nm });
