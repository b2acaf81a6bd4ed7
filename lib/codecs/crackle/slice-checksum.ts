/**
 * The CRC-32C of a slice's components, written out as one uint32 a voxel, without writing them out.
 *
 * With the checksum's bits as a polynomial over GF(2) and N voxels v(0) … v(N-1), the checksum before its final complement is
 *
 *     sum over p of  v(p) * x^(32 (N-p)),  with v(0) first xored with the initial value.
 *
 * So a component number c counts c times the sum of the powers of all its voxels, and a run of voxels contributes a difference
 * of two sums of powers, G(q) = x^32 + x^64 + … + x^(32 q): two table entries a run, however long it is.
 * Then the powers of all components with bit b in their number are summed, for each b.
 */
import { timesX, timesX32 } from './crc.ts';
import type { SliceComponents } from './slice-components.ts';
import { scratchWords } from './scratch.ts';

/** Sums for slices above this many voxels (4 MB of sums) are made anew for each. */
const MAX_KEPT_SUMS = 2 ** 20;

const weightScratch = scratchWords();
let keptSums = new Int32Array(1);

/** `G(0) … G(count)`, or more. */
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

  // Component numbers below 2 ** (bit + 1): sum those with the bit, then drop it from their numbers.
  // the initial value: all 32 bits at v(0)
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
  for (let bit = 0; bit < 32; bit++) crc = timesX(crc) ^ ofBit[bit]; // bit b stands for x^(31 - b)
  return ~crc >>> 0;
}
