/**
 * Undoes the transform of one zfp block of 32-bit integers: along each axis, the slowest first.
 *
 * Source: zfp (github.com/LLNL/zfp), src/template/decode.c and revdecode.c.
 * Copyright (c) 2014-2023, Lawrence Livermore National Security, LLC. BSD 3-Clause License, see licenses/zfp.txt.
 */

/** Undoes the lossy transform of the first `size` values, in place. */
export function inverseTransform(block: Int32Array, size: number): void {
  if (size === 16) for (let at = 0; at < 4; at++) inverseLift(block, at, 4);
  else if (size > 16)
    for (let stride = size >>> 2; stride > 1; stride >>>= 2)
      for (let line = 0; line < size; line += 4 * stride)
        for (let at = line; at < line + stride; at++) inverseLift(block, at, stride);
  for (let at = 0; at < size; at += 4) inverseLift(block, at, 1);
}

/** Undoes the lossy transform of four values, the first one at `at`. */
function inverseLift(block: Int32Array, at: number, stride: number): void {
  let x = block[at],
    y = block[at + stride],
    z = block[at + 2 * stride],
    w = block[at + 3 * stride];
  y = (y + (w >> 1)) | 0;
  w = (w - (y >> 1)) | 0;
  y = (y + w) | 0;
  w = (2 * w - y) | 0;
  z = (z + x) | 0;
  x = (2 * x - z) | 0;
  y = (y + z) | 0;
  z = (2 * z - y) | 0;
  w = (w + x) | 0;
  x = (2 * x - w) | 0;
  block[at] = x;
  block[at + stride] = y;
  block[at + 2 * stride] = z;
  block[at + 3 * stride] = w;
}

/** Undoes the lossless transform of the first `size` values, in place. */
export function inverseLosslessTransform(block: Int32Array, size: number): void {
  for (let stride = size >>> 2; stride > 0; stride >>>= 2)
    for (let line = 0; line < size; line += 4 * stride)
      for (let at = line; at < line + stride; at++) {
        const x = block[at],
          y = block[at + stride],
          z = block[at + 2 * stride],
          w = block[at + 3 * stride];
        // Rows of Pascal's triangle.
        block[at + stride] = (x + y) | 0;
        block[at + 2 * stride] = (x + 2 * y + z) | 0;
        block[at + 3 * stride] = (x + 3 * (y + z) + w) | 0;
      }
}
