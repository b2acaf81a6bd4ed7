/**
 * The voxels within a radius of a voxel, nearest first: made once, walked for every point that looks for a label. Pure.
 * Distances are between voxel centres, in nanometres. Voxels equally far follow each other by z, then y, then x, lowest first.
 */
import { formatVec3, product, type Vec3 } from '../base/vec3.ts';

/** Voxels of the box around a ball, about half of which are the ball: 4 bytes of each are kept. */
const MAX_BOX_VOXELS = 2 ** 23;
/** 3 voxels of 1.1 nm are a little over 3.3 nm in double precision, and meant to be within. */
const ROUNDING = 1 + 1e-12;
const OUTSIDE = 0xffffffff;

export class Ball {
  /** Voxels from the centre to the ball's end along x, y, z. */
  readonly reach: Vec3;
  /** By rank: voxels of the box around the ball, z, y, x side by side in bits. Rank 0 is the centre. */
  readonly #voxels: Uint32Array;
  /** Where y and z begin: at most 26 bits are taken. */
  readonly #yBit: number;
  readonly #zBit: number;
  readonly #at = new Int32Array(3);

  /**
   * @param resolution Nanometres a voxel.
   * @throws RangeError when there are more voxels than can be looked through.
   */
  constructor(
    readonly resolution: Vec3,
    readonly radiusNm: number,
  ) {
    this.reach = this.reachOf(radiusNm);
    const box = this.reach.map((r) => 2 * r + 1) as unknown as Vec3;
    if (!(product(box) <= MAX_BOX_VOXELS))
      throw new RangeError(
        `a snap radius of ${radiusNm} nm spans ${box.join(' x ')} voxels of ${formatVec3(resolution)} nm; at most ${MAX_BOX_VOXELS} voxels can be spanned: take a smaller radius or a coarser mip`,
      );
    const bitsFor = (n: number): number => 32 - Math.clz32(n - 1);
    this.#yBit = bitsFor(box[0]);
    this.#zBit = this.#yBit + bitsFor(box[1]);
    this.#voxels = this.#nearestFirst();
  }

  /** Voxels in the ball. */
  get size(): number {
    return this.#voxels.length;
  }

  /** Voxels that `nm` nanometres reach along x, y, z. */
  reachOf(nm: number): Vec3 {
    const along = (axis: 0 | 1 | 2): number => Math.floor((nm * ROUNDING) / this.resolution[axis]);
    return [along(0), along(1), along(2)];
  }

  /** Writes where the voxel of a rank is, from the centre, to `out[0..2]`. */
  voxelAt(rank: number, out: Int32Array): void {
    const voxel = this.#voxels[rank], yBit = this.#yBit, zBit = this.#zBit;
    out[0] = (voxel & ((1 << yBit) - 1)) - this.reach[0];
    out[1] = ((voxel & ((1 << zBit) - 1)) >>> yBit) - this.reach[1];
    out[2] = (voxel >>> zBit) - this.reach[2];
  }

  /** Rank of the voxel that is so far from the centre; `size` when it is not in the ball. */
  rankOf(x: number, y: number, z: number): number {
    const [rx, ry, rz] = this.reach;
    if (Math.abs(x) > rx || Math.abs(y) > ry || Math.abs(z) > rz) return this.size;
    const square = this.#square(x, y, z), voxel = this.#packed(x, y, z);
    let low = 0, high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1, other = this.#squareAt(middle);
      if (other < square || (other === square && this.#voxels[middle] < voxel)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Nanometres from the centre to the voxel of a rank. */
  distanceNm(rank: number): number {
    return Math.sqrt(this.#squareAt(rank));
  }

  #squareAt(rank: number): number {
    const at = this.#at;
    this.voxelAt(rank, at);
    return this.#square(at[0], at[1], at[2]);
  }

  #square(x: number, y: number, z: number): number {
    const [dx, dy, dz] = this.resolution;
    return (x * dx) ** 2 + (y * dy) ** 2 + (z * dz) ** 2;
  }

  /** Greater for a greater z, then y, then x. */
  #packed(x: number, y: number, z: number): number {
    return x + this.reach[0] + ((y + this.reach[1]) << this.#yBit) + ((z + this.reach[2]) << this.#zBit);
  }

  /** A counting sort by distance, stable: voxels are met by z, y, x. The eight octants are alike, and one is measured. */
  #nearestFirst(): Uint32Array {
    const [rx, ry, rz] = this.reach;
    const most = (this.radiusNm * ROUNDING) ** 2;
    const squares = new Float64Array((rx + 1) * (ry + 1) * (rz + 1));
    for (let z = 0, at = 0; z <= rz; z++) for (let y = 0; y <= ry; y++) for (let x = 0; x <= rx; x++) squares[at++] = this.#square(x, y, z);
    const sorted = squares.filter((square) => square <= most).sort();
    const bins = new Uint32Array(squares.length);
    for (let at = 0; at < squares.length; at++) bins[at] = squares[at] <= most ? lowerBound(sorted, squares[at]) : OUTSIDE;
    const eachVoxel = (visit: (bin: number, voxel: number) => void): void => {
      for (let z = -rz; z <= rz; z++)
        for (let y = -ry; y <= ry; y++) {
          const row = (rx + 1) * (Math.abs(y) + (ry + 1) * Math.abs(z));
          const first = this.#packed(0, y, z);
          for (let x = -rx; x <= rx; x++) {
            const bin = bins[row + Math.abs(x)];
            if (bin !== OUTSIDE) visit(bin, first + x);
          }
        }
    };
    const next = new Uint32Array(sorted.length + 1);
    eachVoxel((bin) => next[bin + 1]++);
    for (let bin = 0; bin < sorted.length; bin++) next[bin + 1] += next[bin];
    const voxels = new Uint32Array(next[sorted.length]);
    eachVoxel((bin, voxel) => (voxels[next[bin]++] = voxel));
    return voxels;
  }
}

function lowerBound(ascending: Float64Array, value: number): number {
  let low = 0, high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
