/** Finds the 4-connected regions of a slice, in the order in which crackle and compresso number them. */

/** The regions of a slice, numbered from 0 in the order of their first voxels, x fastest. */
export interface Regions {
  /** Region of each voxel; -1 where `isPart` is false. */
  of: Int32Array;
  /** The first voxel of each region. */
  first: number[];
}

/**
 * Finds the regions.
 * @param joined Whether two neighbouring voxels are in one region.
 * @param isPart Whether a voxel is in any region. By default every voxel is.
 */
export function regionsOf(
  sx: number,
  sy: number,
  joined: (a: number, b: number) => boolean,
  isPart: (voxel: number) => boolean = () => true,
): Regions {
  const of = new Int32Array(sx * sy).fill(-1);
  const first: number[] = [];
  const open: number[] = [];
  for (let start = 0; start < of.length; start++) {
    if (of[start] >= 0 || !isPart(start)) continue;
    const region = first.push(start) - 1;
    of[start] = region;
    open.push(start);
    for (let voxel = open.pop(); voxel !== undefined; voxel = open.pop()) {
      const x = voxel % sx;
      const near = [x > 0 ? voxel - 1 : -1, x < sx - 1 ? voxel + 1 : -1, voxel - sx, voxel + sx];
      for (const next of near) {
        if (next < 0 || next >= of.length || of[next] >= 0 || !isPart(next) || !joined(voxel, next)) continue;
        of[next] = region;
        open.push(next);
      }
    }
  }
  return { of, first };
}
