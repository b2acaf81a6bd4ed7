/** Loads the points of a spill window by window: chunk after chunk, bounded in points and in chunks. */
import type { PlacedPoints } from '../points/chunk-order.ts';
import type { LoadedPoints, PointSpill, RunSlice } from '../spill/point-spill.ts';
import { chooseBoundaries, countPoints, cutByChunks, windowsOf } from '../spill/windows.ts';

/** The size of windows. */
export interface WindowSizes {
  /** A window has about this many points, and never more than 1.5 times as many. @default 1_000_000 */
  windowPoints: number;
  /** A window has at most this many chunks. @default 131_072 */
  windowChunks: number;
  /** Every how many points of a batch the chunk is noted in memory. @default 1024 */
  samplePoints: number;
}

/** The default size of windows. */
export const WINDOW_SIZES: WindowSizes = {
  windowPoints: 1_000_000,
  windowChunks: 2 ** 17,
  samplePoints: 1024,
};

/** Points that are looked up together. */
export interface Window extends LoadedPoints {
  slices: readonly RunSlice[];
}

/**
 * Yields all points, in the order of their chunks. A spill without points gives one window without points.
 */
export async function* loadWindows(
  spill: PointSpill,
  { windowPoints, windowChunks, samplePoints }: WindowSizes,
  order: { place(points: Float64Array): PlacedPoints },
): AsyncGenerator<Window> {
  const { runs } = spill;
  const boundaries = chooseBoundaries(
    runs.map(({ samples }) => samples),
    samplePoints,
    windowPoints,
  );
  const cuts: number[][] = [];
  for (const run of runs.keys())
    cuts.push(await spill.cutRun(run, boundaries, (points) => order.place(points)));
  const counts = runs.map(({ count }) => count);
  let hasPoints = false;
  for (const slices of windowsOf(cuts, counts, windowPoints)) {
    hasPoints = true;
    const window = { slices, ...(await spill.readPoints(slices)) };
    const placed = countPoints(slices) > windowChunks ? order.place(window.points) : undefined;
    if (!placed || placed.keys.length <= windowChunks) {
      yield window;
      continue;
    }
    const keys = Float64Array.from(placed.ordinals, (ordinal) => placed.keys[ordinal]);
    for (const part of cutByChunks(slices, keys, windowChunks))
      yield { slices: part, ...(await spill.readPoints(part)) };
  }
  if (!hasPoints) yield { slices: [], ...(await spill.readPoints([])) };
}
