/** What a request asks of a volume, and its answers as columns. */
import type { LookupStats } from '../../points/result.ts';
import { PointStatus } from '../../points/status.ts';
import type { BodyRows } from '../bodies/body-rows.ts';
import type { ReplyBatch, ReplyColumn } from '../bodies/reply-columns.ts';

/** The answers of some rows. */
export interface Answered {
  /** The timestamp of the roots; undefined if none were looked up. */
  timestamp?: Date;
  batch: ReplyBatch;
  status: Uint8Array;
  stats?: LookupStats;
}

/** A look-up of one request. Failures are statuses. */
export interface LookUp<Values> {
  readonly columns: readonly ReplyColumn[];
  /** Looks up some rows. All calls have the same timestamp if `timestamp` was returned before and is passed on. */
  once(rows: BodyRows<Values>, signal: AbortSignal): Promise<Answered>;
  /** Looks up rows as they come, in order. */
  stream(rows: AsyncIterable<BodyRows<Values>>, signal: AbortSignal): AsyncGenerator<Answered>;
}

/** Overrides the statuses of rows that were not looked up. */
export function applyPreset(status: Uint8Array, preset: Uint8Array | undefined): void {
  if (preset) for (let row = 0; row < preset.length; row++) if (preset[row] !== 0) status[row] = preset[row];
}

/** Widens labels to uint64; those that are uint64 stay the same memory. */
export function toUint64(values: ArrayLike<number | bigint>): BigUint64Array {
  if (values instanceof BigUint64Array) return values;
  const ids = new BigUint64Array(values.length),
    words = new Uint32Array(ids.buffer);
  for (let row = 0; row < values.length; row++) words[2 * row] = values[row] as number;
  return ids;
}

/** The number of each status. */
export function countStatuses(status: Uint8Array): Uint32Array {
  const counts = new Uint32Array(Object.keys(PointStatus).length);
  for (let row = 0; row < status.length; row++) counts[status[row]]++;
  return counts;
}
