/**
 * Compressed Morton codes: the uint64 chunk IDs of sharded volumes. The bits of x, y and z take turns from
 * the lowest up. An axis drops out once its grid needs no more bits.
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "Compressed morton code".
 */
import { InfoError } from '../base/errors.ts';
import { formatVec3, type Vec3 } from '../base/vec3.ts';

/** Lists where each bit of a code comes from, lowest first: the axis (0 to 2) and the bit of its position. */
export function codeBits(gridShape: Vec3): { axis: number; bit: number }[] {
  const bits: { axis: number; bit: number }[] = [];
  for (let bit = 0; gridShape.some((cells) => 2 ** bit < cells); bit++)
    for (let axis = 0; axis < 3; axis++) if (2 ** bit < gridShape[axis]) bits.push({ axis, bit });
  return bits;
}

/**
 * Computes the chunk IDs of many cells of a grid.
 *
 * @param gridShape Cells along x, y, z; each at least 1. Any shape whose codes fit in 64 bits.
 * @param positions The cells' positions, xyz interleaved, counted from the volume's first chunk.
 * @returns One pair of uint32 per cell, low word first.
 * @throws InfoError BAD_INFO if the grid needs more than 64 bits; RangeError for a cell outside the grid.
 */
export function compressedMortonCodes(gridShape: Vec3, positions: Float64Array | Uint32Array): Uint32Array {
  const bits = codeBits(gridShape);
  if (bits.length > 64)
    throw new InfoError(
      'BAD_INFO',
      `a grid of ${formatVec3(gridShape)} chunks needs chunk IDs of ${bits.length} bits; sharded volumes have 64`,
    );
  // The low and high words of x, y, z in turn: shifts work on 32 bits only, and an axis may need more.
  const words = new Uint32Array(6);
  const word = Uint8Array.from(bits, ({ axis, bit }) => 2 * axis + (bit >>> 5));
  const shift = Uint8Array.from(bits, ({ bit }) => bit & 31);
  const lowBits = Math.min(bits.length, 32);
  const count = positions.length / 3;
  const codes = new Uint32Array(2 * count);
  for (let k = 0; k < count; k++) {
    for (let axis = 0; axis < 3; axis++) {
      const at = positions[3 * k + axis];
      if (!(at >= 0 && at < gridShape[axis]))
        throw new RangeError(
          `cell ${formatVec3(positions.slice(3 * k, 3 * k + 3))} is outside a grid of ${formatVec3(gridShape)}`,
        );
      words[2 * axis] = at; // stored modulo 2^32
      words[2 * axis + 1] = at / 0x1_0000_0000;
    }
    let low = 0,
      high = 0;
    for (let j = 0; j < lowBits; j++) low |= ((words[word[j]] >>> shift[j]) & 1) << j;
    // A shift by j counts modulo 32.
    for (let j = 32; j < bits.length; j++) high |= ((words[word[j]] >>> shift[j]) & 1) << j;
    codes[2 * k] = low;
    codes[2 * k + 1] = high;
  }
  return codes;
}
