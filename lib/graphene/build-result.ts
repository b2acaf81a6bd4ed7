/** Builds the results of look-ups: columns, statuses and rows. */
import type { Row, LookupStats } from '../points/result.ts';
import { statusText } from '../points/status.ts';

/** The parts that all results have. */
interface Shared {
  status: Uint8Array;
  stats: LookupStats;
  /** With `snap` only. */
  snapped?: { nm: Float32Array };
  /** Returns the error of the point or ID at an index. */
  errorOf: (index: number) => Error | undefined;
}

type Answer<Columns, Fields> = Columns & {
  status: Uint8Array;
  stats: LookupStats;
  snappedNm?: Float32Array;
  rows(): IterableIterator<Row & Fields>;
};

/**
 * Builds a result.
 * @param columns The columns of this kind of result.
 * @param fieldsOf Returns the fields of one row from those columns.
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
  rows: () => resultRows(status, snapped?.nm, fieldsOf, errorOf),
});

/** Iterates over the rows of a result. */
export function* resultRows<Fields>(
  status: Uint8Array,
  snapped: Float32Array | undefined,
  fieldsOf: (index: number) => Fields,
  errorOf: (index: number) => Error | undefined,
): IterableIterator<Row & Fields> {
  for (let index = 0; index < status.length; index++)
    yield {
      index,
      ...fieldsOf(index),
      status: statusText(status[index]),
      ...snappedNm(snapped?.[index]),
      error: errorOf(index),
    };
}

/** Leaves the member out when points were not snapped. */
const snappedNm = <T>(nm: T | undefined): { snappedNm?: T } => (nm === undefined ? {} : { snappedNm: nm });
