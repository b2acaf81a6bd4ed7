/** Widens half floats, which JavaScript has no array for. Source: IEEE 754, binary16. */

/** Returns the values of half floats. */
export function widenHalfFloats(halves: Uint16Array): Float32Array {
  const wide = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i],
      exponent = (half >> 10) & 31,
      fraction = half & 1023;
    const value =
      exponent === 31
        ? fraction === 0
          ? Infinity
          : NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    wide[i] = half >> 15 === 1 ? -value : value;
  }
  return wide;
}
