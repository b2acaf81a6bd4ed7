/**
 * Reads the bit planes of one zfp block: highest plane first, in each plane the bits of the coefficients that
 * are already known to be significant, then run lengths up to each newly significant one.
 *
 * Positions are bits from the start of `words`, lowest bit of each word first. `words` must reach
 * {@link READ_AHEAD_WORDS} past the last position of a block's start; what is read there is the caller's to
 * reject.
 *
 * Source: zfp (github.com/LLNL/zfp), src/template/decode.c, and docs/source/algorithm.rst, "Embedded coding".
 * Copyright (c) 2014-2023, Lawrence Livermore National Security, LLC. BSD 3-Clause License, see licenses/zfp.txt.
 */

/** No block takes more bits, whatever its header says: 256 coefficients of 64 planes, and their group tests. */
export const MAX_CODED_BITS = 65 * 256;
/** Room for one block that starts at the end, its headers, and one word more. */
export const READ_AHEAD_WORDS = MAX_CODED_BITS / 32 + 4;

/** Words per plane, by the coefficients of the block: 1 for 4 and 16, 2 for 64, 8 for 256. */
export const wordsPerPlane = (size: number): number => (size + 31) >>> 5;

/** Where {@link readPlanes} leaves the number of the last plane that it wrote. */
export const LOWEST_PLANE = 64 * 8;
/** Where it leaves the number of the first plane with a bit that is set; -1 if there is none. */
export const HIGHEST_PLANE = LOWEST_PLANE + 1;

/** Memory for the planes of any block: word j of plane k is at `k * wordsPerPlane(size) + j`. */
export const makePlanes = (): Int32Array => new Int32Array(HIGHEST_PLANE + 1);

/**
 * Reads planes into `planes`. Those below the number in `planes[LOWEST_PLANE]` are not written and count as 0.
 *
 * @param end Position at which the block's budget ends.
 * @param size Coefficients in the block.
 * @param highest One more than the number of the first plane: 32 or 64.
 * @param lowest The last plane to be read, unless the budget ends before.
 * @param known How many coefficients are significant from planes that were read before.
 * @param highestSet The first of those planes with a bit that is set; -1 if there is none.
 * @returns The position after the block's bits.
 */
export function readPlanes(
  words: Int32Array,
  position: number,
  end: number,
  size: number,
  planes: Int32Array,
  highest: number,
  lowest: number,
  known = 0,
  highestSet = -1,
): number {
  const last = size - 1,
    width = (size + 31) >>> 5;
  let p = position | 0,
    significant = known,
    first = highestSet,
    k = highest;
  while (k > lowest && p < end) {
    k--;
    const row = k * width;
    // Bits of the significant coefficients, as many as the budget has.
    let left = significant < end - p ? significant : end - p,
      at = row;
    while (left >= 32) {
      planes[at++] = (words[p >>> 5] >>> (p & 31)) | ((words[(p >>> 5) + 1] << 1) << (31 - (p & 31)));
      p += 32;
      left -= 32;
    }
    let word = 0;
    if (left > 0) {
      word = (words[p >>> 5] >>> (p & 31)) | ((words[(p >>> 5) + 1] << 1) << (31 - (p & 31)));
      word &= (1 << left) - 1;
      p += left;
    }
    for (let next = row + width; at < next; word = 0) planes[at++] = word;
    // Group tests: 1, then a run of zeros up to the next significant coefficient.
    while (significant < size && p < end) {
      const ahead = (words[p >>> 5] >>> (p & 31)) | ((words[(p >>> 5) + 1] << 1) << (31 - (p & 31)));
      p++;
      if ((ahead & 1) === 0) break;
      // A run that reaches the last coefficient, or the end of the budget, has no final 1.
      const limit = last - significant < end - p ? last - significant : end - p;
      let zeros = 31 - Math.clz32((ahead >>> 1) & -(ahead >>> 1));
      if (zeros < 0) zeros = limit < 32 ? 31 : 31 + countZeros(words, p + 31, limit - 31);
      if (zeros < limit) p += zeros + 1;
      else p += zeros = limit;
      significant += zeros;
      planes[row + (significant >>> 5)] |= 1 << significant; // JavaScript shifts by the number modulo 32
      significant++;
    }
    if (significant > 0 && first < 0) first = k;
  }
  planes[LOWEST_PLANE] = k;
  planes[HIGHEST_PLANE] = first;
  return p;
}

/**
 * Reads planes as {@link readPlanes} does, for blocks of 4 or 16 coefficients: all bits of a plane are in the 32
 * bits from its start, so that they are loaded once. The planes above the first one that is set are 0.
 */
export function readNarrowPlanes(
  words: Int32Array,
  position: number,
  end: number,
  size: number,
  planes: Int32Array,
  highest: number,
  lowest: number,
): number {
  const last = size - 1,
    // The most bits of a plane: a group test and a bit per coefficient, and the last bit is known.
    longest = 2 * size - 1;
  let p = position | 0,
    significant = 0,
    first = -1,
    k = highest;
  while (k > lowest && significant < size && end - p >= longest) {
    let ahead = (words[p >>> 5] >>> (p & 31)) | ((words[(p >>> 5) + 1] << 1) << (31 - (p & 31)));
    let plane = ahead & ((1 << significant) - 1);
    p += significant;
    ahead >>= significant;
    while ((ahead & 1) !== 0) {
      // The run of zeros ends at the last coefficient without a final 1.
      const rest = (ahead >> 1) | (1 << (last - significant)),
        zeros = 31 - Math.clz32(rest & -rest);
      significant += zeros;
      plane |= 1 << significant;
      significant++;
      p += zeros + 2;
      ahead >>= zeros + 2;
      if (significant === size) break;
    }
    // After the last coefficient there is neither a final 1 nor a test.
    p += significant === size ? -1 : 1;
    k--;
    planes[k] = plane;
    if (plane !== 0 && first < 0) first = k;
  }
  for (const mask = (1 << size) - 1; k > lowest && significant === size && end - p >= size; p += size) {
    k--;
    planes[k] = ((words[p >>> 5] >>> (p & 31)) | ((words[(p >>> 5) + 1] << 1) << (31 - (p & 31)))) & mask;
  }
  // The last planes of a budget may be cut.
  if (k > lowest && p < end) return readPlanes(words, p, end, size, planes, k, lowest, significant, first);
  planes[LOWEST_PLANE] = k;
  planes[HIGHEST_PLANE] = first;
  return p;
}

/** Moves over the planes of a block as {@link readPlanes} does, without keeping them. */
export function skipPlanes(
  words: Int32Array,
  position: number,
  end: number,
  size: number,
  count: number,
): number {
  const last = size - 1;
  let p = position | 0,
    significant = 0;
  for (let k = count; k > 0 && p < end; k--) {
    p += significant < end - p ? significant : end - p;
    while (significant < size && p < end) {
      const ahead = (words[p >>> 5] >>> (p & 31)) | ((words[(p >>> 5) + 1] << 1) << (31 - (p & 31)));
      p++;
      if ((ahead & 1) === 0) break;
      const limit = last - significant < end - p ? last - significant : end - p;
      let zeros = 31 - Math.clz32((ahead >>> 1) & -(ahead >>> 1));
      if (zeros < 0) zeros = limit < 32 ? 31 : 31 + countZeros(words, p + 31, limit - 31);
      if (zeros < limit) p += zeros + 1;
      else p += zeros = limit;
      significant += zeros + 1;
    }
  }
  return p;
}

/** Counts zero bits from a position on, at most `limit`. */
function countZeros(words: Int32Array, position: number, limit: number): number {
  for (let counted = 0; counted < limit; counted += 32) {
    const p = position + counted;
    const ahead = (words[p >>> 5] >>> (p & 31)) | ((words[(p >>> 5) + 1] << 1) << (31 - (p & 31)));
    if (ahead !== 0) return counted + 31 - Math.clz32(ahead & -ahead);
  }
  return limit;
}
