/**
 * Computes the CRC-32C of a slice's components as if they were written out with one uint32 per voxel, without
 * writing them out.
 *
 * With the checksum's bits as a polynomial over GF(2) and N voxels v(0) … v(N-1), the checksum before its
 * final complement is
 *
 *     sum over p of  v(p) * x^(32 (N-p)),  with v(0) first xored with the initial value.
 *
 * So component number c contributes c times the sum of the powers of all its voxels. A run of voxels
 * contributes a difference of two sums of powers, G(q) = x^32 + x^64 + … + x^(32 q), which takes two table
 * look-ups per run, however long it is. Then, for each bit b, the powers of all components with bit b in
 * their number are summed.
 */
import { timesX, timesX32 } from '../../base/crc32c.ts';
import type { SliceComponents } from './slice-components.ts';
import { scratchWords } from './scratch.ts';

/**
 * The most voxels of a slice whose sums are kept (4 MB). For larger slices they are computed for each slice.
 */
const MAX_KEPT_SUMS = 2 ** 20;

const weightScratch = scratchWords();
let keptSums = new Int32Array(1);

/** Returns `G(0) … G(count)`, or more. */
function sumsOfPowers(count: number): Int32Array {
  if (count < keptSums.length) return keptSums;
  const sums = new Int32Array(count + 1);
  let power = 1 << 31; // x^0
  for (let q = 1; q <= count; q++) {
    power = timesX32(power);
    sums[q] = sums[q - 1] ^ power;
  }
  if (count <= MAX_KEPT_SUMS) keptSums = sums;
  return sums;
}

/** Computes the checksum of a slice. */
export function sliceChecksum({ runs, starts, components, componentCount }: SliceComponents): number {
  const voxels = starts[runs];
  const sums = sumsOfPowers(voxels);
  const weights = weightScratch.take(componentCount).fill(0, 0, componentCount);
  let from = sums[voxels];
  for (let run = 0; run < runs; run++) {
    const to = sums[voxels - starts[run + 1]];
    weights[components[run]] ^= from ^ to;
    from = to;
  }

  // From the highest bit down: sum the components with this bit, then drop the bit from their numbers.
  // The start is the initial value of the checksum: all 32 bits at v(0).
  const ofBit = new Int32Array(32).fill(sums[voxels] ^ sums[voxels - 1]);
  let count = componentCount;
  for (let bit = 31 - Math.clz32(componentCount); bit >= 0; bit--) {
    const half = 1 << bit;
    for (let component = half; component < count; component++) {
      ofBit[bit] ^= weights[component];
      weights[component - half] ^= weights[component];
    }
    count = Math.min(count, half);
  }
  let crc = 0;
  for (let bit = 0; bit < 32; bit++) crc = timesX(crc) ^ ofBit[bit]; // bit b is x^(31 - b)
  return ~crc >>> 0;
}
