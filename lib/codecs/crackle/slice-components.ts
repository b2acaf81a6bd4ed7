/**
 * Finds the 4-connected components of one slice from its walls, without visiting single voxels: a row is cut
 * into runs at its walls, and runs of neighbouring rows are joined where no wall is between them.
 *
 * Components are numbered in the order of their first voxels, x fastest. Labels and checksums refer to these
 * numbers.
 * Source: crackle, src/cc3d.hpp.
 */
import type { Cracks } from './crack-code.ts';
import { scratchWords } from './scratch.ts';

/**
 * A slice as runs of voxels: run r has voxels `starts[r]` to before `starts[r + 1]`, x fastest. Valid until
 * the next slice is decoded.
 */
export interface SliceComponents {
  runs: number;
  /** The first voxel of each run, and after them the number of voxels: `runs + 1` entries. */
  starts: Int32Array;
  /** The component of each run. */
  components: Int32Array;
  componentCount: number;
}

const startScratch = scratchWords();
const parentScratch = scratchWords();

/**
 * Finds the components of one slice.
 * @param permissible Whether the bitmaps hold the edges without walls, rather than the walls.
 */
export function findComponents(
  { words, stride, horizontal }: Cracks,
  sx: number,
  sy: number,
  permissible: boolean,
): SliceComponents {
  const starts = startScratch.take(sx * sy + 1);
  const parents = parentScratch.take(sx * sy);
  const flip = permissible ? -1 : 0;
  const lastWord = (sx - 1) >>> 5;
  const lastMask = -1 >>> (31 - ((sx - 1) & 31)); // the voxels in a row's last word
  let run = -1;
  let above = -1;
  for (let y = 0; y < sy; y++) {
    const row = y * stride;
    for (let word = 0; word <= lastWord; word++) {
      const first = word === 0 ? 1 : 0; // a row always starts a run
      const mask = word === lastWord ? lastMask : -1;
      const here = ((words[row + word] ^ flip) | first) & mask;
      const before = y === 0 ? 0 : ((words[row - stride + word] ^ flip) | first) & mask;
      const floor = y === 0 ? -1 : words[horizontal + row + word] ^ flip;
      const left = y * sx + 32 * word;
      // Between two breaks, each of the two rows has a single run, so one edge between them decides whether
      // they are joined.
      for (let breaks = here | before; breaks !== 0; breaks &= breaks - 1) {
        const bit = breaks & -breaks;
        if (before & bit) above++;
        if (here & bit) {
          starts[++run] = left + 31 - Math.clz32(bit);
          parents[run] = run;
        }
        if ((floor & bit) === 0) join(parents, run, above);
      }
    }
  }
  const runs = run + 1;
  starts[runs] = sx * sy;

  // A parent never comes after its child, so it already has its component's number.
  let componentCount = 0;
  for (let r = 0; r < runs; r++) {
    const parent = parents[r];
    parents[r] = parent === r ? componentCount++ : parents[parent];
  }
  return { runs, starts, components: parents, componentCount };
}

/** Joins two runs (union-find). The root of a component is its first run. */
function join(parents: Int32Array, run: number, above: number): void {
  while (parents[above] !== above) above = parents[above] = parents[parents[above]];
  while (parents[run] !== run) run = parents[run] = parents[parents[run]];
  if (run < above) parents[above] = run;
  else parents[run] = above;
}

/** Returns the component of the voxel at `position` in the slice, x fastest. */
export function componentAt({ runs, starts, components }: SliceComponents, position: number): number {
  let low = 0;
  let high = runs;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle] <= position) low = middle;
    else high = middle;
  }
  return components[low];
}
