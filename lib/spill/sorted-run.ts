/** Sorts the points of one batch of rows by the chunks they lie in. Pure. */

/** The points of a batch, in the order in which they are kept on disk. */
export interface SortedRun {
  /** The place of each point in its batch: column of points * rows + row. */
  places: Uint32Array;
  /** x, y and z of each point. Whole numbers of 32 bits take half of the space. */
  coordinates: Int32Array | Float64Array;
  /** The timestamp of each point in ms, NaN for that of the job; undefined if rows have none of their own. */
  timestamps?: Float64Array;
  /** The key of every `samplePoints`th point. Keys ascend. */
  samples: Float64Array;
  /** The places that are not looked up, and their statuses. */
  presetPlaces: Uint32Array;
  presetStatus: Uint8Array;
}

/** The points of a batch, in the order of its rows. */
export interface UnsortedPoints {
  points: Float64Array;
  /** The status of a place without a valid point, otherwise 0. */
  pointStatus: Uint8Array;
  timestamps?: Float64Array;
}

/** The chunk of each point, by its index in `keys`, and the key of each chunk. */
export interface SortKeys {
  ordinals: Uint32Array;
  keys: Float64Array;
}

/**
 * Sorts points by the keys of their chunks. Points of equal key keep their order.
 * @param samplePoints The number of points from one sampled key to the next.
 */
export function sortRun(
  { points, pointStatus, timestamps }: UnsortedPoints,
  { ordinals, keys }: SortKeys,
  samplePoints: number,
): SortedRun {
  const { ranks, sortedKeys } = rankKeys(keys);
  const starts = new Uint32Array(sortedKeys.length + 1);
  let count = 0;
  for (let at = 0; at < pointStatus.length; at++)
    if (pointStatus[at] === 0) {
      starts[ranks[ordinals[at]] + 1]++;
      count++;
    }
  for (let rank = 0; rank < sortedKeys.length; rank++) starts[rank + 1] += starts[rank];
  const samples = sampleKeys(sortedKeys, starts, count, samplePoints);
  const places = new Uint32Array(count),
    coordinates = holdsInt32(points, pointStatus) ? new Int32Array(3 * count) : new Float64Array(3 * count),
    sortedTimestamps = timestamps && new Float64Array(count),
    presetPlaces = new Uint32Array(pointStatus.length - count),
    presetStatus = new Uint8Array(presetPlaces.length);
  let presets = 0;
  for (let at = 0; at < pointStatus.length; at++) {
    if (pointStatus[at] !== 0) {
      presetPlaces[presets] = at;
      presetStatus[presets++] = pointStatus[at];
      continue;
    }
    const to = starts[ranks[ordinals[at]]]++;
    places[to] = at;
    coordinates[3 * to] = points[3 * at];
    coordinates[3 * to + 1] = points[3 * at + 1];
    coordinates[3 * to + 2] = points[3 * at + 2];
    if (sortedTimestamps) sortedTimestamps[to] = timestamps[at];
  }
  return { places, coordinates, timestamps: sortedTimestamps, samples, presetPlaces, presetStatus };
}

/** Returns the distinct keys in ascending order, and for each key its index among them. */
function rankKeys(keys: Float64Array): { ranks: Uint32Array; sortedKeys: Float64Array } {
  const sorted = keys.slice().sort();
  let distinct = 0;
  for (let k = 0; k < sorted.length; k++)
    if (k === 0 || sorted[k] !== sorted[distinct - 1]) sorted[distinct++] = sorted[k];
  const sortedKeys = sorted.subarray(0, distinct);
  return { ranks: Uint32Array.from(keys, (key) => lowerBound(sortedKeys, key)), sortedKeys };
}

/** Returns the index of the first value that is not below `wanted`, in ascending values. */
export function lowerBound(ascending: ArrayLike<number>, wanted: number, first = 0): number {
  let low = first,
    high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sampleKeys(
  sortedKeys: Float64Array,
  starts: Uint32Array,
  count: number,
  samplePoints: number,
): Float64Array {
  const samples = new Float64Array(Math.ceil(count / samplePoints));
  for (let k = 0, rank = 0; k < samples.length; k++) {
    while (starts[rank + 1] <= k * samplePoints) rank++;
    samples[k] = sortedKeys[rank];
  }
  return samples;
}

function holdsInt32(points: Float64Array, pointStatus: Uint8Array): boolean {
  for (let at = 0; at < pointStatus.length; at++)
    if (
      pointStatus[at] === 0 &&
      (points[3 * at] !== (points[3 * at] | 0) ||
        points[3 * at + 1] !== (points[3 * at + 1] | 0) ||
        points[3 * at + 2] !== (points[3 * at + 2] | 0))
    )
      return false;
  return true;
}
