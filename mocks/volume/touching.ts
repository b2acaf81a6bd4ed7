/**
 * Finds the parts of a volume that share a face.
 *
 * @param parts The part of each voxel, x fastest, from 0; -1 for none.
 * @param size Size of the volume in voxels, xyz.
 * @returns Each pair once, with the smaller number first, in the order of their first shared face.
 */
export function touchingPairs(
  parts: Int32Array,
  [sx, sy, sz]: readonly [number, number, number],
): [number, number][] {
  const seen = new Set<number>();
  const pairs: [number, number][] = [];
  const count = parts.reduce((most, part) => Math.max(most, part), 0) + 1;
  const addPair = (a: number, b: number): void => {
    if (a === b || a < 0 || b < 0) return;
    const first = Math.min(a, b),
      second = Math.max(a, b),
      name = first * count + second; // far below 2^53
    if (seen.has(name)) return;
    seen.add(name);
    pairs.push([first, second]);
  };
  let at = 0;
  for (let z = 0; z < sz; z++)
    for (let y = 0; y < sy; y++)
      for (let x = 0; x < sx; x++, at++) {
        if (x > 0) addPair(parts[at - 1], parts[at]);
        if (y > 0) addPair(parts[at - sx], parts[at]);
        if (z > 0) addPair(parts[at - sx * sy], parts[at]);
      }
  return pairs;
}
