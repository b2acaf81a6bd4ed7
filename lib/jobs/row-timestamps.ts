/** The moments that the rows of a batch are asked at, from a column of timestamps. */
import { LookupError } from '../base/errors.ts';
import { parseTimestamp } from '../chunkedgraph/ids/timestamp.ts';
import { PointStatus } from '../points/status.ts';
import { isMissing } from '../tables/missing.ts';
import type { Batch } from '../tables/table.ts';
import type { PointTimestamps } from './point-lookup.ts';

export interface RowTimestamps extends PointTimestamps {
  /** Why a row has no moment. */
  describeInvalid(row: number): string;
}

const OWN_MOMENT = -1;

/**
 * Reads the first column of text of a batch. A missing timestamp means the job's own; where one cannot be read, the points of its row are
 * taken from the batch, and are `invalid_timestamp`.
 */
export function readRowTimestamps(batch: Batch): RowTimestamps {
  const { rows, points, pointStatus: noPoint } = batch,
    [{ spellings, indices: places }] = batch.texts;
  const of = new Int32Array(noPoint.length);
  const instants: Date[] = [],
    byMs = new Map<number, number>();
  /** By spelling: the index of its instant (or the job's own), or why it is none. */
  const moments: (number | string)[] = [];
  const parse = (text: string): number | string => {
    if (isMissing(text) || /^(now|nat)$/i.test(text)) return OWN_MOMENT;
    let instant: Date;
    try {
      instant = parseTimestamp(text);
    } catch (error) {
      if (error instanceof LookupError) return error.message;
      throw error;
    }
    let moment = byMs.get(instant.getTime());
    if (moment === undefined) {
      byMs.set(instant.getTime(), (moment = instants.length));
      instants.push(instant);
    }
    return moment;
  };
  for (let at = 0; at < of.length; at++) {
    if (noPoint[at] !== 0) continue;
    const place = places[at % rows],
      moment = (moments[place] ??= parse(spellings[place]));
    if (typeof moment === 'number') of[at] = moment;
    else {
      noPoint[at] = PointStatus.invalidTimestamp;
      points.fill(NaN, 3 * at, 3 * at + 3);
    }
  }
  return { indices: of, timestamps: instants, describeInvalid: (row) => String(moments[places[row]]) };
}
