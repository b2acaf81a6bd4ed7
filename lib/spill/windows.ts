/** Cuts sorted runs into windows: parts of all runs that hold the points of the same chunks. Pure. */
import type { RunSlice } from './point-spill.ts';
import { lowerBound } from './sorted-run.ts';

/**
 * Chooses keys at which windows begin, so that each holds about `maxPoints` points at most. All points of one
 * key are in one window: a chunk with more points than that has a window of its own.
 * @param samples The sampled keys of each run.
 * @param samplePoints The number of points from one sampled key to the next.
 * @returns Ascending keys, without that of the first window.
 */
export function chooseBoundaries(
  samples: readonly Float64Array[],
  samplePoints: number,
  maxPoints: number,
): number[] {
  const all = new Float64Array(samples.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const keys of samples) {
    all.set(keys, end);
    end += keys.length;
  }
  all.sort();
  const boundaries: number[] = [],
    limit = Math.max(1, Math.floor(maxPoints / samplePoints));
  let held = 0;
  for (let from = 0; from < all.length;) {
    let to = from + 1;
    while (to < all.length && all[to] === all[from]) to++;
    if (from > 0 && held > 0 && held + to - from > limit) {
      boundaries.push(all[from]);
      held = 0;
    }
    held += to - from;
    from = to;
  }
  return boundaries;
}

/**
 * Makes the windows, in the order in which they are read.
 * @param cuts For each run, where each boundary cuts it.
 * @param counts The number of points of each run.
 * @param maxPoints A window with more than 1.5 times as many points is cut between any points.
 */
export function* windowsOf(
  cuts: readonly (readonly number[])[],
  counts: readonly number[],
  maxPoints: number,
): Generator<RunSlice[]> {
  const windows = (cuts[0]?.length ?? 0) + 1;
  for (let window = 0; window < windows; window++) {
    const slices = counts
      .map((count, run) => ({
        run,
        from: window === 0 ? 0 : cuts[run][window - 1],
        end: window === windows - 1 ? count : cuts[run][window],
      }))
      .filter(({ from, end }) => end > from);
    if (slices.length === 0) continue;
    if (countPoints(slices) <= 1.5 * maxPoints) yield slices;
    else yield* cutByCount(slices, maxPoints);
  }
}

/** Counts the points of slices. */
export const countPoints = (slices: readonly RunSlice[]): number =>
  slices.reduce((sum, { from, end }) => sum + end - from, 0);

function* cutByCount(slices: readonly RunSlice[], maxPoints: number): Generator<RunSlice[]> {
  let part: RunSlice[] = [],
    room = maxPoints;
  for (const { run, from, end } of slices)
    for (let at = from; at < end;) {
      const to = Math.min(end, at + room);
      part.push({ run, from: at, end: to });
      room -= to - at;
      at = to;
      if (room > 0) continue;
      yield part;
      part = [];
      room = maxPoints;
    }
  if (part.length > 0) yield part;
}

/**
 * Cuts a window into windows of at most `maxChunks` chunks.
 * @param keys The key of each point of the slices, one slice after the other; ascending within a slice.
 */
export function cutByChunks(
  slices: readonly RunSlice[],
  keys: Float64Array,
  maxChunks: number,
): RunSlice[][] {
  const distinct = Float64Array.from(new Set(keys)).sort();
  const cut: RunSlice[] = slices.map((slice) => ({ ...slice, end: slice.from }));
  const windows: RunSlice[][] = [];
  for (let next = maxChunks; next - maxChunks < distinct.length; next += maxChunks) {
    let before = 0;
    const window = slices.map(({ run, from, end }, k) => {
      const own = keys.subarray(before, before + end - from),
        start = cut[k].end;
      before += end - from;
      cut[k].end = next < distinct.length ? from + lowerBound(own, distinct[next], start - from) : end;
      return { run, from: start, end: cut[k].end };
    });
    windows.push(window.filter(({ from, end }) => end > from));
  }
  return windows;
}
