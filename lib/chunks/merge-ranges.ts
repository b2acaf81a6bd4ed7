/** Plans few reads for many byte ranges of one object. Pure: nothing is read here. */
import type { ByteRange } from '../storage/store.ts';
import { GAP_REQUEST_BYTES } from './request-weights.ts';

/** Limits for merging ranges, in bytes. */
export interface MergeOptions {
  /** Two ranges at most this far apart become one read. */
  maxGapBytes: number;
  /** Longest merged read. A single range may be longer. */
  maxBytes: number;
}

/** One planned read. */
export interface MergedRange extends ByteRange {
  /** Indices of the wanted ranges in this read, ordered by their start. */
  members: number[];
}

/**
 * Merges ranges into reads. Each wanted range lies completely in one read. If two ranges overlap and their
 * union is too long, the overlap is read twice.
 *
 * @param ranges In any order. May overlap, repeat or be empty.
 * @returns The reads in ascending order of `start`.
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

/** Longest merged read. A longer one would not be faster, and would need more memory. */
export const MAX_READ_BYTES = 8 * 1024 * 1024;
/** Gap bytes that may be read to save requests: at most this share of the wanted bytes, or `FREE_BYTES`. */
const MAX_WASTE = 1 / 5;
/** Gap bytes that may always be read: their cost is negligible. */
const FREE_BYTES = 16 * 1024;

/**
 * Plans the reads for ranges of one object. Reads across the smallest gaps, as long as each gap is cheaper
 * than a request and all gaps together are a small part.
 */
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
  // Gaps of equal size are either all read or all skipped.
  return gaps.findLast((gap) => gap < tooMuch) ?? 0;
}
