/**
 * Encodes `compresso`, format version 1, connectivity 4, windows of 8 x 8 x 1, in the simplest valid way:
 * without runs of windows, and with a label for each boundary voxel that the neighbours do not determine.
 * Source: seung-lab/compresso, README.md, "Compresso Stream Format", and compresso.hpp. None of its code is
 * used.
 */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { regionsOf } from './regions.ts';

const STEP = 8;
const LABEL_FOLLOWS = 6;

type Unsigned = BigUint64Array | Uint32Array | Uint16Array | Uint8Array;

/** Encodes a chunk. @param values One channel, x fastest. */
export function encodeCompresso(values: Unsigned, [sx, sy, sz]: Vec3): Uint8Array {
  const width = values.BYTES_PER_ELEMENT;
  const ids: bigint[] = [],
    locations: bigint[] = [],
    windows: bigint[] = [];
  const components: number[] = [],
    locationsBefore: number[] = [];
  const windowNumbers = new Map<bigint, number>();
  for (let z = 0; z < sz; z++) {
    const slice = values.subarray(z * sx * sy, (z + 1) * sx * sy);
    // A voxel is boundary if the voxel right of it or below it has another label.
    const isBoundary = new Uint8Array(sx * sy);
    for (let i = 0; i < isBoundary.length; i++)
      isBoundary[i] = Number(
        (i % sx < sx - 1 && slice[i + 1] !== slice[i]) ||
          (i + sx < slice.length && slice[i + sx] !== slice[i]),
      );
    const { first } = regionsOf(
      sx,
      sy,
      () => true,
      (voxel) => isBoundary[voxel] === 0,
    );
    for (const voxel of first) ids.push(BigInt(slice[voxel]));
    components.push(first.length);
    locationsBefore.push(locations.length);
    isBoundary.forEach((boundary, i) => {
      const isImplied = (i % sx > 0 && isBoundary[i - 1] === 0) || (i >= sx && isBoundary[i - sx] === 0);
      if (boundary === 1 && !isImplied) locations.push(BigInt(LABEL_FOLLOWS), BigInt(slice[i]));
    });
    for (const window of windowsOf(isBoundary, sx, sy)) {
      let number = windowNumbers.get(window);
      if (number === undefined) windowNumbers.set(window, (number = windowNumbers.size));
      windows.push(BigInt(2 * number)); // odd numbers would be runs
    }
  }
  const header = Buffer.alloc(36);
  header.write('cpso', 'latin1');
  header[4] = 1;
  header[5] = width;
  [sx, sy, sz].forEach((size, axis) => header.writeUInt16LE(size, 6 + 2 * axis));
  header.set([STEP, STEP, 1], 12);
  header.writeBigUInt64LE(BigInt(ids.length), 15);
  header.writeUInt32LE(windowNumbers.size, 23);
  header.writeBigUInt64LE(BigInt(locations.length), 27);
  header[35] = 4; // connectivity
  // Number of components of each slice, then the differences between the starts of the slices' locations.
  const index = [
    ...components,
    ...locationsBefore.map((start, z) => start - (locationsBefore[z - 1] ?? 0)),
  ].map(BigInt);
  return Buffer.concat([
    header,
    uints(ids, width),
    uints([...windowNumbers.keys()], 8),
    uints(locations, width),
    uints(windows, 8),
    uints(index, indexWidth(sx, sy)),
  ]);
}

/** The boundary bits of a slice, by window. Bits and windows have x fastest. */
function* windowsOf(isBoundary: Uint8Array, sx: number, sy: number): Generator<bigint> {
  for (let y0 = 0; y0 < sy; y0 += STEP)
    for (let x0 = 0; x0 < sx; x0 += STEP) {
      const words = new Uint32Array(2);
      for (let y = y0; y < Math.min(y0 + STEP, sy); y++)
        for (let x = x0; x < Math.min(x0 + STEP, sx); x++) {
          const bit = x - x0 + STEP * (y - y0);
          words[bit >> 5] |= isBoundary[x + sx * y] << (bit & 31);
        }
      yield (BigInt(words[1]) << 32n) | BigInt(words[0]);
    }
}

/**
 * Bytes of the narrowest integer for twice the voxels of a slice. The largest value of each width is not
 * used.
 */
function indexWidth(sx: number, sy: number): number {
  const most = 2 * sx * sy;
  return most < 0xff ? 1 : most < 0xffff ? 2 : most < 0xffffffff ? 4 : 8;
}

/** Unsigned integers of `width` bytes, little-endian. */
function uints(values: readonly bigint[], width: number): Uint8Array {
  const bytes = Buffer.alloc(values.length * width);
  values.forEach((value, k) =>
    width === 8 ? bytes.writeBigUInt64LE(value, 8 * k) : bytes.writeUIntLE(Number(value), width * k, width),
  );
  return bytes;
}
