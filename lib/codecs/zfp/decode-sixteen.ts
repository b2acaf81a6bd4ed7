/**
 * Decodes the values of a lossy zfp block of 4 x 4 from its bit planes, if these are at most 16: collects the
 * bits of each coefficient, undoes base -2 and the transform, and scales. All coefficients are in local
 * variables, because this takes two thirds of the time of arrays.
 *
 * Source: zfp (github.com/LLNL/zfp), src/template/decode.c, and docs/source/algorithm.rst. The bits are
 * collected by transposing square bit matrices, as in H. S. Warren, Hacker's Delight, section 7-3.
 * Copyright (c) 2014-2023, Lawrence Livermore National Security, LLC. BSD 3-Clause License, see
 * licenses/zfp.txt.
 */

const { fround } = Math;

/** A number of base -2 with digits u is (u ^ MASK) - MASK in two's complement. */
const MASK = 0xaaaaaaaa | 0;

/** How many planes {@link decodeSixteen} reads. */
export const PLANES_OF_SIXTEEN = 16;

/**
 * Decodes a block.
 *
 * @param start The lowest plane that is not 0. Planes above those of the word must be 0.
 * @param from The bit of that plane in a word.
 * @param scale The value of 1.
 * @param isSingle Whether values are rounded to float32 before they are scaled, too, as zfp does.
 * @param out Receives value (i, j) of the block at `at + i * stride + j * rowStride`.
 */
export function decodeSixteen(
  planes: Int32Array,
  start: number,
  from: number,
  scale: number,
  isSingle: boolean,
  out: Int32Array | Float32Array | Float64Array,
  at: number,
  stride: number,
  rowStride: number,
): void {
  let a = pairOfPlanes(planes, start),
    b = pairOfPlanes(planes, start + 1),
    c = pairOfPlanes(planes, start + 2),
    d = pairOfPlanes(planes, start + 3),
    e = pairOfPlanes(planes, start + 4),
    f = pairOfPlanes(planes, start + 5),
    g = pairOfPlanes(planes, start + 6),
    h = pairOfPlanes(planes, start + 7);
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
  a ^= swapped << 1;
  b ^= swapped;
  swapped = ((c >>> 1) ^ d) & 0x55555555;
  c ^= swapped << 1;
  d ^= swapped;
  swapped = ((e >>> 1) ^ f) & 0x55555555;
  e ^= swapped << 1;
  f ^= swapped;
  swapped = ((g >>> 1) ^ h) & 0x55555555;
  g ^= swapped << 1;
  h ^= swapped;
  let v0 = ((((a & 0xffff) << from) ^ MASK) - MASK) | 0,
    v1 = ((((b & 0xffff) << from) ^ MASK) - MASK) | 0,
    v2 = ((((e & 0xffff) << from) ^ MASK) - MASK) | 0,
    v3 = ((((a >>> 16) << from) ^ MASK) - MASK) | 0,
    v4 = ((((c & 0xffff) << from) ^ MASK) - MASK) | 0,
    v5 = ((((d & 0xffff) << from) ^ MASK) - MASK) | 0,
    v6 = ((((g & 0xffff) << from) ^ MASK) - MASK) | 0,
    v7 = ((((d >>> 16) << from) ^ MASK) - MASK) | 0,
    v8 = ((((f & 0xffff) << from) ^ MASK) - MASK) | 0,
    v9 = ((((h & 0xffff) << from) ^ MASK) - MASK) | 0,
    v10 = ((((c >>> 16) << from) ^ MASK) - MASK) | 0,
    v11 = ((((f >>> 16) << from) ^ MASK) - MASK) | 0,
    v12 = ((((b >>> 16) << from) ^ MASK) - MASK) | 0,
    v13 = ((((e >>> 16) << from) ^ MASK) - MASK) | 0,
    v14 = ((((g >>> 16) << from) ^ MASK) - MASK) | 0,
    v15 = ((((h >>> 16) << from) ^ MASK) - MASK) | 0;
  // Along the slower axis.
  v4 = (v4 + (v12 >> 1)) | 0;
  v12 = (v12 - (v4 >> 1)) | 0;
  v4 = (v4 + v12) | 0;
  v12 = (2 * v12 - v4) | 0;
  v8 = (v8 + v0) | 0;
  v0 = (2 * v0 - v8) | 0;
  v4 = (v4 + v8) | 0;
  v8 = (2 * v8 - v4) | 0;
  v12 = (v12 + v0) | 0;
  v0 = (2 * v0 - v12) | 0;
  v5 = (v5 + (v13 >> 1)) | 0;
  v13 = (v13 - (v5 >> 1)) | 0;
  v5 = (v5 + v13) | 0;
  v13 = (2 * v13 - v5) | 0;
  v9 = (v9 + v1) | 0;
  v1 = (2 * v1 - v9) | 0;
  v5 = (v5 + v9) | 0;
  v9 = (2 * v9 - v5) | 0;
  v13 = (v13 + v1) | 0;
  v1 = (2 * v1 - v13) | 0;
  v6 = (v6 + (v14 >> 1)) | 0;
  v14 = (v14 - (v6 >> 1)) | 0;
  v6 = (v6 + v14) | 0;
  v14 = (2 * v14 - v6) | 0;
  v10 = (v10 + v2) | 0;
  v2 = (2 * v2 - v10) | 0;
  v6 = (v6 + v10) | 0;
  v10 = (2 * v10 - v6) | 0;
  v14 = (v14 + v2) | 0;
  v2 = (2 * v2 - v14) | 0;
  v7 = (v7 + (v15 >> 1)) | 0;
  v15 = (v15 - (v7 >> 1)) | 0;
  v7 = (v7 + v15) | 0;
  v15 = (2 * v15 - v7) | 0;
  v11 = (v11 + v3) | 0;
  v3 = (2 * v3 - v11) | 0;
  v7 = (v7 + v11) | 0;
  v11 = (2 * v11 - v7) | 0;
  v15 = (v15 + v3) | 0;
  v3 = (2 * v3 - v15) | 0;
  // Along the faster axis.
  v1 = (v1 + (v3 >> 1)) | 0;
  v3 = (v3 - (v1 >> 1)) | 0;
  v1 = (v1 + v3) | 0;
  v3 = (2 * v3 - v1) | 0;
  v2 = (v2 + v0) | 0;
  v0 = (2 * v0 - v2) | 0;
  v1 = (v1 + v2) | 0;
  v2 = (2 * v2 - v1) | 0;
  v3 = (v3 + v0) | 0;
  v0 = (2 * v0 - v3) | 0;
  out[at] = scale * (isSingle ? fround(v0) : v0);
  out[at + stride] = scale * (isSingle ? fround(v1) : v1);
  out[at + 2 * stride] = scale * (isSingle ? fround(v2) : v2);
  out[at + 3 * stride] = scale * (isSingle ? fround(v3) : v3);
  v5 = (v5 + (v7 >> 1)) | 0;
  v7 = (v7 - (v5 >> 1)) | 0;
  v5 = (v5 + v7) | 0;
  v7 = (2 * v7 - v5) | 0;
  v6 = (v6 + v4) | 0;
  v4 = (2 * v4 - v6) | 0;
  v5 = (v5 + v6) | 0;
  v6 = (2 * v6 - v5) | 0;
  v7 = (v7 + v4) | 0;
  v4 = (2 * v4 - v7) | 0;
  at += rowStride;
  out[at] = scale * (isSingle ? fround(v4) : v4);
  out[at + stride] = scale * (isSingle ? fround(v5) : v5);
  out[at + 2 * stride] = scale * (isSingle ? fround(v6) : v6);
  out[at + 3 * stride] = scale * (isSingle ? fround(v7) : v7);
  v9 = (v9 + (v11 >> 1)) | 0;
  v11 = (v11 - (v9 >> 1)) | 0;
  v9 = (v9 + v11) | 0;
  v11 = (2 * v11 - v9) | 0;
  v10 = (v10 + v8) | 0;
  v8 = (2 * v8 - v10) | 0;
  v9 = (v9 + v10) | 0;
  v10 = (2 * v10 - v9) | 0;
  v11 = (v11 + v8) | 0;
  v8 = (2 * v8 - v11) | 0;
  at += rowStride;
  out[at] = scale * (isSingle ? fround(v8) : v8);
  out[at + stride] = scale * (isSingle ? fround(v9) : v9);
  out[at + 2 * stride] = scale * (isSingle ? fround(v10) : v10);
  out[at + 3 * stride] = scale * (isSingle ? fround(v11) : v11);
  v13 = (v13 + (v15 >> 1)) | 0;
  v15 = (v15 - (v13 >> 1)) | 0;
  v13 = (v13 + v15) | 0;
  v15 = (2 * v15 - v13) | 0;
  v14 = (v14 + v12) | 0;
  v12 = (2 * v12 - v14) | 0;
  v13 = (v13 + v14) | 0;
  v14 = (2 * v14 - v13) | 0;
  v15 = (v15 + v12) | 0;
  v12 = (2 * v12 - v15) | 0;
  at += rowStride;
  out[at] = scale * (isSingle ? fround(v12) : v12);
  out[at + stride] = scale * (isSingle ? fround(v13) : v13);
  out[at + 2 * stride] = scale * (isSingle ? fround(v14) : v14);
  out[at + 3 * stride] = scale * (isSingle ? fround(v15) : v15);
}

/** Puts two planes of 16 bits, 8 planes apart, in one row: bits 0 to 7 of both, then bits 8 to 15 of both. */
function pairOfPlanes(planes: Int32Array, at: number): number {
  const row = planes[at] | (planes[at + 8] << 16),
    swapped = (row ^ (row >>> 8)) & 0xff00;
  return row ^ swapped ^ (swapped << 8);
}
