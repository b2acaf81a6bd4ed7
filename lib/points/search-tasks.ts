/**
 * The searches of many points for the nearest label, in flat arrays. There can be hundreds of thousands at a
 * time: as objects they would keep the garbage collector busy.
 */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import { CellIndex } from './cell-index.ts';

/** The searches in one chunk, one per point. */
export interface ChunkSearches {
  /** Index of each point in the caller's order. */
  points: Uint32Array;
  /** Voxel of each point, counted from the volume's first voxel: x, y, z per point. */
  voxels: Float64Array;
  /** For each point a rank that no voxel of the chunk lies below. */
  firstRanks: Uint32Array;
}

/** The searches of one round of reads. */
export interface SearchRound {
  /** Numbers of the chunks in the grid of the scale, in order of their first search. */
  cells: Float64Array;
  searchesOf: (ordinal: number) => ChunkSearches;
}

/**
 * Chunks up to twice as far as the nearest one are read in the same round. Twice as far is 8 times the rank.
 */
const TOGETHER = 8;

const NO_RANK = 0xffffffff,
  LATER = 0xffffffff;
/** Searches between two pauses: several arrays are read and written in no order. */
const STRETCH = 2 ** 12;

/** Creates the searches of a number of points, to be filled in. */
export const createSearches = (count: number): ChunkSearches => ({
  points: new Uint32Array(count),
  voxels: new Float64Array(3 * count),
  firstRanks: new Uint32Array(count),
});

/** The part of some searches from `from` to `end`. */
export const partOfSearches = (
  { points, voxels, firstRanks }: ChunkSearches,
  from: number,
  end: number,
): ChunkSearches => ({
  points: points.subarray(from, end),
  voxels: voxels.subarray(3 * from, 3 * end),
  firstRanks: firstRanks.subarray(from, end),
});

/** Searches in neighbour chunks that still have to be done. */
export class SearchTasks {
  /** The points, and their voxels. */
  #points = new Uint32Array(256);
  #voxels = new Float64Array(3 * 256);
  #pointCount = 0;
  /** For each task its point (an index into the arrays above), its chunk, and the lowest rank there. */
  #owners = new Uint32Array(1024);
  #cells = new Float64Array(1024);
  #firstRanks = new Uint32Array(1024);
  #count = 0;

  /** Number of tasks. */
  get count(): number {
    return this.#count;
  }

  /** Index of a task's point in the caller's order. */
  pointOf(task: number): number {
    return this.#points[this.#owners[task]];
  }

  clear(): void {
    this.#count = this.#pointCount = 0;
  }

  /** Adds a point, whose tasks follow. */
  addPoint(point: number, x: number, y: number, z: number): void {
    const at = this.#pointCount++;
    if (at === this.#points.length) {
      this.#points = doubled(this.#points);
      this.#voxels = doubled(this.#voxels);
    }
    this.#points[at] = point;
    this.#voxels[3 * at] = x;
    this.#voxels[3 * at + 1] = y;
    this.#voxels[3 * at + 2] = z;
  }

  /** Adds a task of the last point: no voxel of the chunk has a lower rank than `firstRank`. */
  add(cell: number, firstRank: number): void {
    const at = this.#count++;
    if (at === this.#owners.length) {
      this.#owners = doubled(this.#owners);
      this.#cells = doubled(this.#cells);
      this.#firstRanks = doubled(this.#firstRanks);
    }
    this.#owners[at] = this.#pointCount - 1;
    this.#cells[at] = cell;
    this.#firstRanks[at] = firstRank;
  }

  /**
   * Takes the tasks of the next round, and drops those that cannot improve a point any more. The chunks of a
   * round are those that are among the nearest chunks of at least one point; all tasks in them belong to it.
   * @param limitOf Only a label of a lower rank can improve the point with this index.
   */
  *takeRound(limitOf: (point: number) => number): PausableWork<SearchRound> {
    const nearest = yield* this.#dropNeedless(limitOf);
    const owners = this.#owners,
      cells = this.#cells,
      firstRanks = this.#firstRanks,
      index = new CellIndex();
    yield* inStretches(
      this.#count,
      (from, end) => {
        for (let k = from; k < end; k++)
          if (firstRanks[k] <= TOGETHER * nearest[owners[k]]) index.add(cells[k]);
      },
      STRETCH,
    );
    const ordinals = new Uint32Array(this.#count),
      starts = new Uint32Array(index.size + 1);
    yield* inStretches(
      this.#count,
      (from, end) => {
        for (let k = from; k < end; k++) {
          const ordinal = index.find(cells[k]);
          ordinals[k] = ordinal ?? LATER;
          if (ordinal !== undefined) starts[ordinal + 1]++;
        }
      },
      STRETCH,
    );
    for (let ordinal = 0; ordinal < index.size; ordinal++) starts[ordinal + 1] += starts[ordinal];
    const searches = yield* this.#take(ordinals, starts);
    return {
      cells: index.cells.slice(),
      searchesOf: (ordinal) => partOfSearches(searches, starts[ordinal], starts[ordinal + 1]),
    };
  }

  /** Drops the tasks that cannot improve a point. Returns the lowest rank of the other tasks, per point. */
  *#dropNeedless(limitOf: (point: number) => number): PausableWork<Uint32Array> {
    const nearest = new Uint32Array(this.#pointCount).fill(NO_RANK);
    let kept = 0;
    yield* inStretches(
      this.#count,
      (from, end) => {
        for (let k = from; k < end; k++) {
          const owner = this.#owners[k],
            first = this.#firstRanks[k];
          if (first >= limitOf(this.#points[owner])) continue;
          if (first < nearest[owner]) nearest[owner] = first;
          this.#move(k, kept++);
        }
      },
      STRETCH,
    );
    this.#count = kept;
    return nearest;
  }

  /** Takes the tasks with an ordinal, sorted by it, and keeps the others. */
  *#take(ordinals: Uint32Array, starts: Uint32Array): PausableWork<ChunkSearches> {
    const next = starts.slice(),
      searches = createSearches(starts[starts.length - 1]);
    let kept = 0;
    yield* inStretches(
      this.#count,
      (from, end) => {
        for (let k = from; k < end; k++) {
          if (ordinals[k] === LATER) {
            this.#move(k, kept++);
            continue;
          }
          const at = next[ordinals[k]]++,
            owner = this.#owners[k];
          searches.points[at] = this.#points[owner];
          searches.firstRanks[at] = this.#firstRanks[k];
          for (let axis = 0; axis < 3; axis++)
            searches.voxels[3 * at + axis] = this.#voxels[3 * owner + axis];
        }
      },
      STRETCH,
    );
    this.#count = kept;
    return searches;
  }

  #move(from: number, to: number): void {
    this.#owners[to] = this.#owners[from];
    this.#cells[to] = this.#cells[from];
    this.#firstRanks[to] = this.#firstRanks[from];
  }
}

function doubled<T extends Uint32Array | Float64Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(2 * array.length);
  larger.set(array);
  return larger;
}
