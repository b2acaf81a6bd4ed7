/**
 * The voxels within a radius of a voxel, nearest first: made once, walked for every point that looks for a label. Pure.
 * Distances are between voxel centres, in nanometres, and compared as the decimal numbers they are: no rounding parts what is equally far.
 * Voxels equally far follow each other by z, then y, then x, lowest first.
 */
import { UnitRatio } from '../base/unit-ratio.ts';
import { formatVec3, product, type Vec3 } from '../base/vec3.ts';
import { computeDistances, OUTSIDE_RADIUS } from './distances.ts';

/** Voxels of the box around a ball, about half of which are the ball: 4 bytes of each are kept. */
const MAX_BOX_VOXELS = 2 ** 23;

export class Ball {
  /** Voxels from the centre to the ball's end along x, y, z. */
  readonly reach: Vec3;
  /** By rank: voxels of the box around the ball, z, y, x side by side in bits. Rank 0 is the centre. */
  readonly #voxels: Uint32Array;
  /** Where y and z begin: at most 26 bits are taken. */
  readonly #yBit: number;
  readonly #zBit: number;
  /** Of the octant of voxels from the centre up, x fastest: which distance it is, by length; OUTSIDE beyond the radius. */
  readonly #distances: Uint32Array;
  /** By distance: its nanometres, and the first rank of it; one more stands for the end. */
  readonly #nm: Float64Array;
  readonly #firstRanks: Uint32Array;
  readonly #at = new Int32Array(3);

  /**
   * @param resolution Nanometres a voxel.
   * @throws RangeError when there are more voxels than can be looked through.
   */
  constructor(
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
    const { distances, nm } = computeDistances(resolution, radiusNm, this.reach);
    this.#distances = distances;
    this.#nm = nm;
    this.#firstRanks = new Uint32Array(nm.length + 1);
    this.#voxels = this.#nearestFirst();
  }

  /** Voxels in the ball. */
  get size(): number {
    return this.#voxels.length;
  }

  /** Voxels along x, y, z that no voxel of a lower rank is beyond; one more at most. */
  reachOf(rank: number): Vec3 {
    const nm = this.distanceNm(rank) * (1 + 1e-12);
    const along = (axis: 0 | 1 | 2): number =>
      Math.min(this.reach[axis], Math.floor(nm / this.resolution[axis]));
    return [along(0), along(1), along(2)];
  }

  /** Writes where the voxel of a rank is, from the centre, to `out[0..2]`. */
  voxelAt(rank: number, out: Int32Array): void {
    const voxel = this.#voxels[rank],
      yBit = this.#yBit,
      zBit = this.#zBit;
    out[0] = (voxel & ((1 << yBit) - 1)) - this.reach[0];
    out[1] = ((voxel & ((1 << zBit) - 1)) >>> yBit) - this.reach[1];
    out[2] = (voxel >>> zBit) - this.reach[2];
  }

  /** Rank of the voxel that is so far from the centre; `size` when it is not in the ball. */
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

  /** Nanometres from the centre to the voxel of a rank. */
  distanceNm(rank: number): number {
    const at = this.#at;
    this.voxelAt(rank, at);
    return this.#nm[this.#distanceOf(at[0], at[1], at[2])];
  }

  #distanceOf(x: number, y: number, z: number): number {
    const [rx, ry] = this.reach;
    return this.#distances[Math.abs(x) + (rx + 1) * (Math.abs(y) + (ry + 1) * Math.abs(z))];
  }

  /** Greater for a greater z, then y, then x. */
  #packed(x: number, y: number, z: number): number {
    return x + this.reach[0] + ((y + this.reach[1]) << this.#yBit) + ((z + this.reach[2]) << this.#zBit);
  }

  /** A counting sort by distance, stable: voxels are met by z, y, x. */
  #nearestFirst(): Uint32Array {
    const [rx, ry, rz] = this.reach,
      distances = this.#distances,
      firstRanks = this.#firstRanks;
    const eachVoxel = (visit: (distance: number, voxel: number) => void): void => {
      for (let z = -rz; z <= rz; z++)
        for (let y = -ry; y <= ry; y++) {
          const row = (rx + 1) * (Math.abs(y) + (ry + 1) * Math.abs(z));
          const first = this.#packed(0, y, z);
          for (let x = -rx; x <= rx; x++) {
            const distance = distances[row + Math.abs(x)];
            if (distance !== OUTSIDE_RADIUS) visit(distance, first + x);
          }
        }
    };
    eachVoxel((distance) => firstRanks[distance + 1]++);
    for (let distance = 1; distance < firstRanks.length; distance++)
      firstRanks[distance] += firstRanks[distance - 1];
    const voxels = new Uint32Array(firstRanks[firstRanks.length - 1]),
      next = firstRanks.slice();
    eachVoxel((distance, voxel) => (voxels[next[distance]++] = voxel));
    return voxels;
  }
}
