/**
 * Turns the bit planes of one zfp block into its coefficients: collects the bits of each, undoes base -2, and
 * puts the coefficients in their places in the block.
 *
 * Source: zfp (github.com/LLNL/zfp), src/template/decode.c, and docs/source/algorithm.rst. The bits are
 * collected by transposing square bit matrices, as in H. S. Warren, Hacker's Delight, section 7-3.
 * Copyright (c) 2014-2023, Lawrence Livermore National Security, LLC. BSD 3-Clause License, see
 * licenses/zfp.txt.
 */
import { HIGHEST_PLANE, wordsPerPlane } from './bit-planes.ts';

/** A number of base -2 with digits u is (u ^ MASK) - MASK in two's complement. */
const MASK = 0xaaaaaaaa | 0;

/** A matrix of 32 rows of 32 bits. */
const rows = new Int32Array(32);

/**
 * Writes the coefficients of a block of 32-bit integers.
 *
 * @param first The plane of the lowest bit: 0, or 32 for the upper half of 64-bit integers.
 * @param lowest The lowest plane that was read; those below it count as 0.
 * @param places The place of each coefficient; as many as there are coefficients.
 */
export function collectCoefficients(
  planes: Int32Array,
  first: number,
  lowest: number,
  places: Uint8Array,
  block: Int32Array,
): void {
  collectDigits(planes, first, lowest, places, block, MASK);
}

/** Writes the coefficients of a block of 64-bit integers, as words `low` and `high`. */
export function collectWideCoefficients(
  planes: Int32Array,
  lowest: number,
  places: Uint8Array,
  low: Int32Array,
  high: Int32Array,
): void {
  const size = places.length;
  collectDigits(planes, 0, lowest, places, low, 0);
  collectDigits(planes, 32, lowest, places, high, 0);
  for (let i = 0; i < size; i++) {
    const digits = low[i] ^ MASK;
    low[i] = digits - MASK;
    // The low word borrows if its digits are less than the mask, as unsigned numbers.
    high[i] = (high[i] ^ MASK) - MASK - (digits >>> 0 < MASK >>> 0 ? 1 : 0);
  }
}

/** Writes (digits ^ mask) - mask for each coefficient, where bit k of its digits is in plane `first + k`. */
function collectDigits(
  planes: Int32Array,
  first: number,
  lowest: number,
  places: Uint8Array,
  out: Int32Array,
  mask: number,
): void {
  const size = places.length,
    width = wordsPerPlane(size),
    start = first * width,
    from = Math.min(32, Math.max(0, lowest - first));
  if (size < 64) {
    const end = Math.min(32, planes[HIGHEST_PLANE] - first + 1);
    if (end <= from) out.fill(0);
    else if (size === 4) collectFour(planes, start, from, end, out, mask);
    else {
      collectSixteen(planes, start, from, end);
      for (let i = 0; i < size; i++) out[places[i]] = (rows[i] ^ mask) - mask;
    }
  } else if (planes[HIGHEST_PLANE] < first + from + 16)
    // 16 planes of two words fill the matrix.
    for (let group = 0; group < width; group += 2) {
      const end = Math.min(16, 32 - from);
      for (let k = 0, at = start + from * width + group; k < end; k++, at += width) {
        rows[k] = planes[at];
        rows[k + 16] = planes[at + 1];
      }
      for (let k = end; k < 16; k++) rows[k] = rows[k + 16] = 0;
      transpose();
      for (let i = 0, coefficient = 32 * group; i < 32; i++, coefficient++) {
        out[places[coefficient]] = (((rows[i] & 0xffff) << from) ^ mask) - mask;
        out[places[coefficient + 32]] = (((rows[i] >>> 16) << from) ^ mask) - mask;
      }
    }
  else
    for (let group = 0; group < width; group++) {
      for (let k = 0; k < from; k++) rows[k] = 0;
      for (let k = from, at = start + from * width + group; k < 32; k++, at += width) rows[k] = planes[at];
      transpose();
      for (let i = 0, coefficient = 32 * group; i < 32; i++, coefficient++)
        out[places[coefficient]] = (rows[i] ^ mask) - mask;
    }
}

/** Writes 4 coefficients, which are in their places, from planes `from` to `end`. */
function collectFour(
  planes: Int32Array,
  start: number,
  from: number,
  end: number,
  out: Int32Array,
  mask: number,
): void {
  let a = 0,
    b = 0,
    c = 0,
    d = 0;
  for (let k = end - 1; k >= from; k--) {
    const plane = planes[start + k];
    a = (a << 1) | (plane & 1);
    b = (b << 1) | ((plane >> 1) & 1);
    c = (c << 1) | ((plane >> 2) & 1);
    d = (d << 1) | (plane >> 3);
  }
  out[0] = ((a << from) ^ mask) - mask;
  out[1] = ((b << from) ^ mask) - mask;
  out[2] = ((c << from) ^ mask) - mask;
  out[3] = ((d << from) ^ mask) - mask;
}

/** Collects the digits of 16 coefficients in `rows`: two planes share a row of the matrix. */
function collectSixteen(planes: Int32Array, start: number, from: number, end: number): void {
  for (let i = 0; i < 16; i++) rows[i] = 0;
  for (let k = from; k < end; k++) rows[k & 15] |= planes[start + k] << (k & 16);
  for (let k = 0; k < 8; k++) {
    const a = rows[k],
      b = rows[k + 8],
      swapped = ((a >>> 8) ^ b) & 0x00ff00ff;
    rows[k] = a ^ (swapped << 8);
    rows[k + 8] = b ^ swapped;
  }
  transposeEights(0);
  transposeEights(8);
}

/** Transposes `rows`: swaps quarters of 16 by 16 bits, then of 8 by 8, and so on. */
function transpose(): void {
  for (let k = 0; k < 8; k++) {
    let a = rows[k],
      b = rows[k + 8],
      c = rows[k + 16],
      d = rows[k + 24];
    let swapped = ((a >>> 16) ^ c) & 0xffff;
    a ^= swapped << 16;
    c ^= swapped;
    swapped = ((b >>> 16) ^ d) & 0xffff;
    b ^= swapped << 16;
    d ^= swapped;
    swapped = ((a >>> 8) ^ b) & 0x00ff00ff;
    rows[k] = a ^ (swapped << 8);
    rows[k + 8] = b ^ swapped;
    swapped = ((c >>> 8) ^ d) & 0x00ff00ff;
    rows[k + 16] = c ^ (swapped << 8);
    rows[k + 24] = d ^ swapped;
  }
  for (let k = 0; k < 32; k += 8) transposeEights(k);
}

/** Transposes each square of 8 by 8 bits in 8 rows. */
function transposeEights(k: number): void {
  let a = rows[k],
    b = rows[k + 1],
    c = rows[k + 2],
    d = rows[k + 3],
    e = rows[k + 4],
    f = rows[k + 5],
    g = rows[k + 6],
    h = rows[k + 7];
  let swapped = ((a >>> 4) ^ e) & 0x0f0f0f0f;
  a ^= swapped << 4;
  e ^= swapped;
  swapped = ((b >>> 4) ^ f) & 0x0f0f0f0f;
  b ^= swapped << 4;
  f ^= swapped;
  swapped = ((c >>> 4) ^ g) & 0x0f0f0f0f;
  c ^= swapped << 4;
  g ^= swapped;
  swapped = ((d >>> 4) ^ h) & 0x0f0f0f0f;
  d ^= swapped << 4;
  h ^= swapped;
  swapped = ((a >>> 2) ^ c) & 0x33333333;
  a ^= swapped << 2;
  c ^= swapped;
  swapped = ((b >>> 2) ^ d) & 0x33333333;
  b ^= swapped << 2;
  d ^= swapped;
  swapped = ((e >>> 2) ^ g) & 0x33333333;
  e ^= swapped << 2;
  g ^= swapped;
  swapped = ((f >>> 2) ^ h) & 0x33333333;
  f ^= swapped << 2;
  h ^= swapped;
  swapped = ((a >>> 1) ^ b) & 0x55555555;
  rows[k] = a ^ (swapped << 1);
  rows[k + 1] = b ^ swapped;
  swapped = ((c >>> 1) ^ d) & 0x55555555;
  rows[k + 2] = c ^ (swapped << 1);
  rows[k + 3] = d ^ swapped;
  swapped = ((e >>> 1) ^ f) & 0x55555555;
  rows[k + 4] = e ^ (swapped << 1);
  rows[k + 5] = f ^ swapped;
  swapped = ((g >>> 1) ^ h) & 0x55555555;
  rows[k + 6] = g ^ (swapped << 1);
  rows[k + 7] = h ^ swapped;
}
