/**
 * The inverse of the cosine transform of a block, in integers of 32 bits, with the same results as the decoder that
 * libjpeg uses if nothing else is asked for.
 *
 * The algorithm, its constants and its roundings are those of libjpeg, jidctint.c. Copyright (C) 1991-1998,
 * Thomas G. Lane; see licenses/libjpeg.txt. It is due to Loeffler, Ligtenberg and Moschytz (ICASSP 1989).
 */
const { imul } = Math;

/** The constants have this many bits after the point. */
const CONSTANT_BITS = 13;
/** Kept between the passes, for precision. */
const PASS_BITS = 2;
/** What the second pass drops. The two passes make numbers 8 times as large. */
const LAST_BITS = PASS_BITS + 3;

const C0_298 = 2446,
  C0_390 = 3196,
  C0_541 = 4433,
  C0_765 = 6270,
  C0_899 = 7373,
  C1_175 = 9633,
  C1_501 = 12299,
  C1_847 = 15137,
  C1_961 = 16069,
  C2_053 = 16819,
  C2_562 = 20995,
  C3_072 = 25172;

/** Values of 10 bits are limited; numbers that are larger wrap around, as in libjpeg. */
const LIMITED = Uint8Array.from({ length: 1024 }, (_, k) => {
  const signed = k < 512 ? k : k - 1024;
  return Math.min(255, Math.max(0, signed + 128));
});

/** @param values 64 values, row by row, each times its divisor. They are overwritten with values of 0 to 255. */
export function invertCosines(values: Int32Array): void {
  for (let x = 0; x < 8; x++) invertEight(values, x, 8, CONSTANT_BITS - PASS_BITS, PASS_BITS, 0);
  for (let y = 0; y < 64; y += 8) invertEight(values, y, 1, CONSTANT_BITS + LAST_BITS, 0, LAST_BITS);
  for (let k = 0; k < 64; k++) values[k] = LIMITED[values[k] & 1023];
}

/** Transforms the eight values from `at`, `by` apart, and drops the lowest bits. */
function invertEight(v: Int32Array, at: number, by: number, drop: number, up: number, down: number): void {
  const v0 = v[at],
    v1 = v[at + by],
    v2 = v[at + 2 * by],
    v3 = v[at + 3 * by],
    v4 = v[at + 4 * by],
    v5 = v[at + 5 * by],
    v6 = v[at + 6 * by],
    v7 = v[at + 7 * by];
  if ((v1 | v2 | v3 | v4 | v5 | v6 | v7) === 0) {
    // The same result as below, unless that overflows.
    const value = ((v0 << up) + ((1 << down) >> 1)) >> down;
    for (let k = 0; k < 8; k++) v[at + k * by] = value;
    return;
  }
  const half = 1 << (drop - 1);
  // Even part
  const e1 = imul(v2 + v6, C0_541),
    e2 = (e1 - imul(v6, C1_847)) | 0,
    e3 = (e1 + imul(v2, C0_765)) | 0,
    sum = (v0 + v4) << CONSTANT_BITS,
    difference = (v0 - v4) << CONSTANT_BITS;
  const a0 = (sum + e3 + half) | 0,
    a3 = (sum - e3 + half) | 0,
    a1 = (difference + e2 + half) | 0,
    a2 = (difference - e2 + half) | 0;
  // Odd part
  const z5 = imul(v7 + v3 + (v5 + v1), C1_175),
    z1 = imul(v7 + v1, C0_899),
    z2 = imul(v5 + v3, C2_562),
    z3 = (z5 - imul(v7 + v3, C1_961)) | 0,
    z4 = (z5 - imul(v5 + v1, C0_390)) | 0;
  const b0 = (imul(v7, C0_298) - z1 + z3) | 0,
    b1 = (imul(v5, C2_053) - z2 + z4) | 0,
    b2 = (imul(v3, C3_072) - z2 + z3) | 0,
    b3 = (imul(v1, C1_501) - z1 + z4) | 0;
  v[at] = (a0 + b3) >> drop;
  v[at + 7 * by] = (a0 - b3) >> drop;
  v[at + by] = (a1 + b2) >> drop;
  v[at + 6 * by] = (a1 - b2) >> drop;
  v[at + 2 * by] = (a2 + b1) >> drop;
  v[at + 5 * by] = (a2 - b1) >> drop;
  v[at + 3 * by] = (a3 + b0) >> drop;
  v[at + 4 * by] = (a3 - b0) >> drop;
}
