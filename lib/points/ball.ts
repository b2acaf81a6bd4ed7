/**
 * The voxels within a radius of a centre voxel, nearest first. One ball serves every point that looks for a
 * label. Pure. Distances are in nanometres between voxel centres. They are compared as exact decimal numbers,
 * so rounding never orders two equal distances. Voxels at the same distance are ordered by z, then y, then x,
 * lowest first.
 */
import { inStretches, runWithoutPause, type PausableWork } from '../base/cooperative-work.ts';
import { UnitRatio } from '../base/unit-ratio.ts';
import { formatVec3, product, type Vec3 } from '../base/vec3.ts';
import { computeDistances, OUTSIDE_RADIUS } from './distances.ts';

/**
 * Largest box around a ball, in voxels. The ball keeps 4 bytes for each of its voxels, about half of the box.
 */
const MAX_BOX_VOXELS = 2 ** 23;
/** A ball in a box of this many voxels is built without a pause, in a few milliseconds. */
const AT_ONCE_BOX_VOXELS = 2 ** 16;
/** Number of voxels between two pauses. Each may touch a page of memory for the first time. */
const STRETCH = 4096;

/** Voxels around a centre, numbered by rank: rank 0 is the centre, and a higher rank is never nearer. */
export class Ball {
  /** Number of voxels from the centre to the edge of the ball, along x, y, z. */
  readonly reach: Vec3;
  /** Position of each rank in the box around the ball: z, y and x packed into one integer. */
  #voxels: Uint32Array = new Uint32Array(0);
  /** Bit offsets of y and z in a packed position. At most 26 bits are used. */
  readonly #yBit: number;
  readonly #zBit: number;
  /** Distance index of each voxel of the positive octant, x fastest; OUTSIDE_RADIUS beyond the radius. */
  #distances: Uint32Array = new Uint32Array(0);
  /** Nanometres and first rank of each distance index. `#firstRanks` has one more entry: the end. */
  #nm: Float64Array = new Float64Array(0);
  #firstRanks = new Uint32Array(1);
  readonly #at = new Int32Array(3);

  /**
   * Builds a ball. A large one takes up to a second, with pauses.
   * @param resolution Nanometres per voxel, xyz.
   * @throws RangeError when the box around the ball has more than 2^23 voxels.
   */
  static *create(resolution: Vec3, radiusNm: number): PausableWork<Ball> {
    const ball = new Ball(resolution, radiusNm),
      isSmall = product(ball.reach.map((r) => 2 * r + 1) as unknown as Vec3) <= AT_ONCE_BOX_VOXELS;
    if (isSmall) runWithoutPause(ball.#build());
    else yield* ball.#build();
    return ball;
  }

  private constructor(
    readonly resolution: Vec3,
    readonly radiusNm: number,
  ) {
    const along = (axis: 0 | 1 | 2): number => new UnitRatio(1, resolution[axis]).floor(radiusNm);
    this.reach = [along(0), along(1), along(2)];
    const box = this.reach.map((r) => 2 * r + 1) as unknown as Vec3;
    if (!(product(box) <= MAX_BOX_VOXELS))
      throw new RangeError(
        `a snap radius of ${radiusNm} nm spans ${box.join(' x ')} voxels of ${formatVec3(resolution)} nm; at most ${MAX_BOX_VOXELS} voxels can be spanned: take a smaller radius or a coarser mip`,
      );
    const bitsFor = (n: number): number => 32 - Math.clz32(n - 1);
    this.#yBit = bitsFor(box[0]);
    this.#zBit = this.#yBit + bitsFor(box[1]);
  }

  *#build(): PausableWork {
    const { distances, nm } = yield* computeDistances(this.resolution, this.radiusNm, this.reach);
    this.#distances = distances;
    this.#nm = nm;
    this.#firstRanks = new Uint32Array(nm.length + 1);
    this.#voxels = yield* this.#nearestFirst();
  }

  /** Number of voxels in the ball. */
  get size(): number {
    return this.#voxels.length;
  }

  /**
   * Writes how many voxels along x, y, z the voxels of lower ranks stay within to `out[0..2]`. May be too high by
   * one. From `size` on, it is the reach of the whole ball.
   */
  reachOf(rank: number, out: Int32Array): void {
    const nm = rank < this.size ? this.distanceNm(rank) * (1 + 1e-12) : Infinity;
    for (let axis = 0; axis < 3; axis++)
      out[axis] = Math.min(this.reach[axis], Math.floor(nm / this.resolution[axis]));
  }

  /** Writes the offset of a rank's voxel from the centre, xyz, to `out[0..2]`. */
  voxelAt(rank: number, out: Int32Array): void {
    const voxel = this.#voxels[rank],
      yBit = this.#yBit,
      zBit = this.#zBit;
    out[0] = (voxel & ((1 << yBit) - 1)) - this.reach[0];
    out[1] = ((voxel & ((1 << zBit) - 1)) >>> yBit) - this.reach[1];
    out[2] = (voxel >>> zBit) - this.reach[2];
  }

  /** Rank of the voxel at this offset from the centre; `size` when it is not in the ball. */
  rankOf(x: number, y: number, z: number): number {
    const [rx, ry, rz] = this.reach;
    if (Math.abs(x) > rx || Math.abs(y) > ry || Math.abs(z) > rz) return this.size;
    const distance = this.#distanceOf(x, y, z),
      voxel = this.#packed(x, y, z);
    if (distance === OUTSIDE_RADIUS) return this.size;
    let low = this.#firstRanks[distance],
      high = this.#firstRanks[distance + 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#voxels[middle] < voxel) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Nanometres from the centre to a rank's voxel. */
  distanceNm(rank: number): number {
    const at = this.#at;
    this.voxelAt(rank, at);
    return this.#nm[this.#distanceOf(at[0], at[1], at[2])];
  }

  #distanceOf(x: number, y: number, z: number): number {
    const [rx, ry] = this.reach;
    return this.#distances[Math.abs(x) + (rx + 1) * (Math.abs(y) + (ry + 1) * Math.abs(z))];
  }

  /** Packs an offset into an integer that sorts by z, then y, then x. */
  #packed(x: number, y: number, z: number): number {
    return x + this.reach[0] + ((y + this.reach[1]) << this.#yBit) + ((z + this.reach[2]) << this.#zBit);
  }

  /**
   * Sorts the voxels by distance. The counting sort is stable and visits voxels by z, y, x, which orders
   * ties.
   */
  *#nearestFirst(): PausableWork<Uint32Array> {
    const firstRanks = this.#firstRanks;
    yield* this.#eachVoxel((distance) => firstRanks[distance + 1]++);
    yield* inStretches(firstRanks.length - 1, (from, end) => {
      for (let distance = from; distance < end; distance++) firstRanks[distance + 1] += firstRanks[distance];
    });
    const voxels = new Uint32Array(firstRanks[firstRanks.length - 1]),
      next = firstRanks.slice();
    yield* this.#eachVoxel((distance, voxel) => (voxels[next[distance]++] = voxel));
    return voxels;
  }

  *#eachVoxel(visit: (distance: number, voxel: number) => void): PausableWork {
    const [rx, ry, rz] = this.reach,
      distances = this.#distances;
    const visitRow = (y: number, z: number, from: number, end: number): void => {
      const row = (rx + 1) * (Math.abs(y) + (ry + 1) * Math.abs(z)),
        first = this.#packed(0, y, z);
      for (let x = from; x < end; x++) {
        const distance = distances[row + Math.abs(x)];
        if (distance !== OUTSIDE_RADIUS) visit(distance, first + x);
      }
    };
    let left = STRETCH;
    for (let z = -rz; z <= rz; z++)
      for (let y = -ry; y <= ry; y++)
        for (let x = -rx; x <= rx;) {
          const end = Math.min(rx + 1, x + left);
          visitRow(y, z, x, end);
          left -= end - x;
          x = end;
          if (left > 0) continue;
          left = STRETCH;
          yield;
        }
  }
}
