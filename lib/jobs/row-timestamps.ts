/** Reads the timestamps of the rows of a batch from a column. */
import { LookupError } from '../base/errors.ts';
import { parseTimestamp } from '../chunkedgraph/ids/timestamp.ts';
import { PointStatus } from '../points/status.ts';
import { isMissing } from '../tables/missing.ts';
import type { Batch } from '../tables/table.ts';
import type { PointTimestamps } from './point-lookup.ts';

/** The timestamps of the rows of a batch. */
export interface RowTimestamps extends PointTimestamps {
  /** Describes why the timestamp of a row is invalid. */
  describeInvalid(row: number): string;
}

/** The index of a row that uses the timestamp of the job. */
const JOB_TIMESTAMP = -1;

/**
 * Reads the timestamps from the first text column of a batch. A row without a timestamp uses that of the job.
 * If a timestamp cannot be read, the points of the row are removed from the batch and get the status
 * `invalid_timestamp`.
 */
export function readRowTimestamps(batch: Batch): RowTimestamps {
  const { rows, points, pointStatus } = batch,
    [{ spellings, indices: textIndices }] = batch.texts;
  const indices = new Int32Array(pointStatus.length);
  const timestamps: Date[] = [],
    byMs = new Map<number, number>();
  /** For each distinct text: the index of its timestamp (or that of the job), or why it cannot be read. */
  const parsed: (number | string)[] = [];
  const parse = (text: string): number | string => {
    if (isMissing(text) || /^(now|nat)$/i.test(text)) return JOB_TIMESTAMP;
    let timestamp: Date;
    try {
      timestamp = parseTimestamp(text);
    } catch (error) {
      if (error instanceof LookupError) return error.message;
      throw error;
    }
    let index = byMs.get(timestamp.getTime());
    if (index === undefined) {
      byMs.set(timestamp.getTime(), (index = timestamps.length));
      timestamps.push(timestamp);
    }
    return index;
  };
  for (let at = 0; at < indices.length; at++) {
    if (pointStatus[at] !== 0) continue;
    const textIndex = textIndices[at % rows],
      index = (parsed[textIndex] ??= parse(spellings[textIndex]));
    if (typeof index === 'number') indices[at] = index;
    else {
      pointStatus[at] = PointStatus.invalidTimestamp;
      points.fill(NaN, 3 * at, 3 * at + 3);
    }
  }
  return { indices, timestamps, describeInvalid: (row) => String(parsed[textIndices[row]]) };
}

/** Collects the distinct timestamps of points. @param times In ms, NaN for the timestamp of the job. */
export function timestampsOf(times: Float64Array): PointTimestamps {
  const timestamps: Date[] = [],
    byMs = new Map<number, number>();
  const indices = Int32Array.from(times, (ms) => {
    if (Number.isNaN(ms)) return JOB_TIMESTAMP;
    let index = byMs.get(ms);
    if (index === undefined) {
      byMs.set(ms, (index = timestamps.length));
      timestamps.push(new Date(ms));
    }
    return index;
  });
  return { indices, timestamps };
}
