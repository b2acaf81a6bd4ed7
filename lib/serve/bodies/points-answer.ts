/** What a request for points is answered with, before it is written in any form. */
import type { ValueArray } from '../../precomputed/data-type.ts';

/** The answers of one request, one per point. */
export interface PointsAnswer {
  /** The timestamp of the roots. */
  timestamp?: Date;
  /** The supervoxels; in a volume without a graph, its values, `channels` per point. */
  values: ValueArray | BigUint64Array;
  channels: number;
  roots?: BigUint64Array;
  status: Uint8Array;
  snappedNm?: Float32Array;
}
