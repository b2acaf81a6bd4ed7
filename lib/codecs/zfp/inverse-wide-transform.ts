/**
 * Undoes the transform of one zfp block of 64-bit integers, kept as words `low` and `high`: along each axis,
 * the slowest first. Sums carry by hand, because a BigInt per value would take most of the time.
 *
 * Source: zfp (github.com/LLNL/zfp), src/template/decode.c and revdecode.c.
 * Copyright (c) 2014-2023, Lawrence Livermore National Security, LLC. BSD 3-Clause License, see licenses/zfp.txt.
 */

/** Undoes the lossy transform of the first `size` values, in place. */
export function inverseWideTransform(low: Int32Array, high: Int32Array, size: number): void {
  for (let stride = size >>> 2; stride > 0; stride >>>= 2)
    for (let line = 0; line < size; line += 4 * stride)
      for (let at = line; at < line + stride; at++) {
        const atY = at + stride,
          atZ = atY + stride,
          atW = atZ + stride;
        let x = low[at],
          xh = high[at],
          y = low[atY],
          yh = high[atY],
          z = low[atZ],
          zh = high[atZ],
          w = low[atW],
          wh = high[atW];
        let half = 0,
          twice = 0;
        // y += w >> 1
        half = (w >>> 1) | (wh << 31);
        y = (y + half) | 0;
        yh = (yh + (wh >> 1) + (y >>> 0 < half >>> 0 ? 1 : 0)) | 0;
        // w -= y >> 1
        half = (y >>> 1) | (yh << 31);
        wh = (wh - (yh >> 1) - (w >>> 0 < half >>> 0 ? 1 : 0)) | 0;
        w = (w - half) | 0;
        // y += w
        y = (y + w) | 0;
        yh = (yh + wh + (y >>> 0 < w >>> 0 ? 1 : 0)) | 0;
        // w = 2 w - y
        twice = w << 1;
        wh = (((wh << 1) | (w >>> 31)) - yh - (twice >>> 0 < y >>> 0 ? 1 : 0)) | 0;
        w = (twice - y) | 0;
        // z += x
        z = (z + x) | 0;
        zh = (zh + xh + (z >>> 0 < x >>> 0 ? 1 : 0)) | 0;
        // x = 2 x - z
        twice = x << 1;
        xh = (((xh << 1) | (x >>> 31)) - zh - (twice >>> 0 < z >>> 0 ? 1 : 0)) | 0;
        x = (twice - z) | 0;
        // y += z
        y = (y + z) | 0;
        yh = (yh + zh + (y >>> 0 < z >>> 0 ? 1 : 0)) | 0;
        // z = 2 z - y
        twice = z << 1;
        zh = (((zh << 1) | (z >>> 31)) - yh - (twice >>> 0 < y >>> 0 ? 1 : 0)) | 0;
        z = (twice - y) | 0;
        // w += x
        w = (w + x) | 0;
        wh = (wh + xh + (w >>> 0 < x >>> 0 ? 1 : 0)) | 0;
        // x = 2 x - w
        twice = x << 1;
        xh = (((xh << 1) | (x >>> 31)) - wh - (twice >>> 0 < w >>> 0 ? 1 : 0)) | 0;
        x = (twice - w) | 0;
        low[at] = x;
        high[at] = xh;
        low[atY] = y;
        high[atY] = yh;
        low[atZ] = z;
        high[atZ] = zh;
        low[atW] = w;
        high[atW] = wh;
      }
}

/** Undoes the lossless transform of the first `size` values, in place. */
export function inverseLosslessWideTransform(low: Int32Array, high: Int32Array, size: number): void {
  for (let stride = size >>> 2; stride > 0; stride >>>= 2)
    for (let line = 0; line < size; line += 4 * stride)
      for (let at = line; at < line + stride; at++) {
        const atY = at + stride,
          atZ = atY + stride,
          atW = atZ + stride;
        const x = low[at],
          xh = high[at];
        let y = low[atY],
          yh = high[atY],
          z = low[atZ],
          zh = high[atZ],
          w = low[atW],
          wh = high[atW];
        // w += z; z += y; w += z
        w = (w + z) | 0;
        wh = (wh + zh + (w >>> 0 < z >>> 0 ? 1 : 0)) | 0;
        z = (z + y) | 0;
        zh = (zh + yh + (z >>> 0 < y >>> 0 ? 1 : 0)) | 0;
        w = (w + z) | 0;
        wh = (wh + zh + (w >>> 0 < z >>> 0 ? 1 : 0)) | 0;
        // y += x; z += y; w += z
        y = (y + x) | 0;
        yh = (yh + xh + (y >>> 0 < x >>> 0 ? 1 : 0)) | 0;
        z = (z + y) | 0;
        zh = (zh + yh + (z >>> 0 < y >>> 0 ? 1 : 0)) | 0;
        w = (w + z) | 0;
        wh = (wh + zh + (w >>> 0 < z >>> 0 ? 1 : 0)) | 0;
        low[atY] = y;
        high[atY] = yh;
        low[atZ] = z;
        high[atZ] = zh;
        low[atW] = w;
        high[atW] = wh;
      }
}
