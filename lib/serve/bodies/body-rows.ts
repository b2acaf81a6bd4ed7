/** The rows of a request: points or IDs, in batches. */
import type { FlatPoints } from '../../points/point-input.ts';

/** Some rows of a body. */
export interface BodyRows<Values> {
  values: Values;
  count: number;
  /** A status for each row that is not looked up; 0 for all others. */
  preset?: Uint8Array;
}

/** Points, xyz interleaved. */
export type BodyPoints = BodyRows<FlatPoints>;
/** uint64 IDs. */
export type BodyIds = BodyRows<BigUint64Array>;

/** The rows that a batch of a long body has, or a little more. */
export const BATCH_ROWS = 2 ** 16;
