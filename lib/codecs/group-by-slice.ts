/** Groups the points of a chunk by their slice, for encodings that decode a slice at a time. */

/**
 * Sorts point indices by slice: those of slice z are at `sliceStart[z]` to before `sliceStart[z + 1]` of
 * `order`.
 */
export function groupBySlice(
  offsets: Uint32Array,
  sliceVoxels: number,
  slices: number,
): { order: Uint32Array; sliceStart: Uint32Array } {
  const sliceStart = new Uint32Array(slices + 1),
    order = new Uint32Array(offsets.length);
  for (let k = 0; k < offsets.length; k++) sliceStart[Math.floor(offsets[k] / sliceVoxels) + 1]++;
  for (let z = 0; z < slices; z++) sliceStart[z + 1] += sliceStart[z];
  const next = sliceStart.slice();
  for (let k = 0; k < offsets.length; k++) order[next[Math.floor(offsets[k] / sliceVoxels)]++] = k;
  return { order, sliceStart };
}
