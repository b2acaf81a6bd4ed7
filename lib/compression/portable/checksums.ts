/**
 * CRC-32 and Adler-32, the checksums of gzip and zlib streams, computed piece by piece. Sources: RFC 1952,
 * section 8; RFC 1950, section 8.2.
 */

/** `STEPS[256 * k + n]`: the CRC of byte n followed by k zero bytes. */
const STEPS = new Int32Array(4 * 256);
for (let n = 0; n < 256; n++) {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  STEPS[n] = crc;
}
for (let n = 256; n < STEPS.length; n++) STEPS[n] = (STEPS[n - 256] >>> 8) ^ STEPS[STEPS[n - 256] & 255];

/** Computes a CRC-32. @param crc The CRC of all bytes before; 0 at the start. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let state = ~crc,
    at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    state ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    state =
      STEPS[768 + (state & 255)] ^
      STEPS[512 + ((state >>> 8) & 255)] ^
      STEPS[256 + ((state >>> 16) & 255)] ^
      STEPS[state >>> 24];
  }
  for (; at < bytes.length; at++) state = STEPS[(state ^ bytes[at]) & 255] ^ (state >>> 8);
  return ~state >>> 0;
}

const MODULUS = 65_521;
/** The number of bytes whose sums stay below 2^32 without a modulo. */
const UNREDUCED = 5552;

/** Computes an Adler-32. @param adler The Adler-32 of all bytes before; 1 at the start. */
export function adler32(bytes: Uint8Array, adler = 1): number {
  let low = adler & 0xffff,
    high = adler >>> 16;
  for (let from = 0; from < bytes.length; from += UNREDUCED) {
    const end = Math.min(bytes.length, from + UNREDUCED);
    for (let at = from; at < end; at++) high += low += bytes[at];
    low %= MODULUS;
    high %= MODULUS;
  }
  return high * 0x10000 + low;
}
