/** Many wanted byte ranges of one object as few reads: the plan only, nothing is read here. */
import type { ByteRange } from '../storage/store.ts';
import { GAP_REQUEST_BYTES } from './request-weights.ts';

export interface MergeOptions {
  /** Two ranges at most this far apart are read as one: what a request costs, in bytes. */
  maxGapBytes: number;
  /** No merged read is longer than this; a single range may be. */
  maxBytes: number;
}

export interface MergedRange extends ByteRange {
  /** Indices of the wanted ranges that lie in this one, by their start. */
  members: number[];
}

/**
 * Every wanted range lies whole in exactly one merged range. Where two overlap and their union is too long, the overlap is read twice.
 *
 * @param ranges In any order; overlaps and repeats are allowed, and an empty range counts as wanted.
 * @returns In ascending order of `start`.
 */
export function mergeRanges(
  ranges: readonly ByteRange[],
  { maxGapBytes, maxBytes }: MergeOptions,
): MergedRange[] {
  const order = Array.from(ranges.keys()).sort(
    (a, b) => ranges[a].start - ranges[b].start || ranges[b].end - ranges[a].end,
  );
  const merged: MergedRange[] = [];
  for (const member of order) {
    const { start, end } = ranges[member];
    const last = merged.at(-1);
    const inside = last !== undefined && end <= last.end;
    if (inside || (last !== undefined && start - last.end <= maxGapBytes && end - last.start <= maxBytes)) {
      last.end = Math.max(last.end, end);
      last.members.push(member);
    } else merged.push({ start, end, members: [member] });
  }
  return merged;
}

/** A longer read saves nothing that counts, and its bytes are in memory at once. */
export const MAX_READ_BYTES = 8 * 1024 * 1024;
/** Unwanted bytes that are read for the sake of fewer requests: at most this part of the wanted ones… */
const MAX_WASTE = 1 / 5;
/** … or this much, which is nothing beside the request that remains. */
const FREE_BYTES = 16 * 1024;

/** The wanted ranges of one object as reads: the smallest gaps are read too, while each is cheaper than a request and all are a small part. */
export function planReads(ranges: readonly ByteRange[]): MergedRange[] {
  return mergeRanges(ranges, { maxGapBytes: affordableGap(ranges), maxBytes: MAX_READ_BYTES });
}

function affordableGap(ranges: readonly ByteRange[]): number {
  const ascending = [...ranges].sort((a, b) => a.start - b.start);
  const gaps: number[] = [];
  let wanted = 0,
    reached = ascending.length > 0 ? ascending[0].start : 0;
  for (const { start, end } of ascending) {
    if (start > reached && start - reached <= GAP_REQUEST_BYTES) gaps.push(start - reached);
    wanted += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  gaps.sort((a, b) => a - b);
  let left = Math.max(FREE_BYTES, wanted * MAX_WASTE);
  const tooMuch = gaps.find((gap) => (left -= gap) < 0) ?? Infinity;
  // Of gaps of one size, all are read or none.
  return gaps.findLast((gap) => gap < tooMuch) ?? 0;
}
