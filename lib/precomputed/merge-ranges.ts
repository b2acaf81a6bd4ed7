/** Many wanted byte ranges of one object as few reads: the plan only, nothing is read here. */
import type { ByteRange } from '../storage/store.ts';

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
export function mergeRanges(ranges: readonly ByteRange[], { maxGapBytes, maxBytes }: MergeOptions): MergedRange[] {
  const order = Array.from(ranges.keys()).sort((a, b) => ranges[a].start - ranges[b].start || ranges[b].end - ranges[a].end);
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
