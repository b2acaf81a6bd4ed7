/**
 * Computes CRC-32C, eight bytes at a time (reflected polynomial 0x82f63b78, RFC 3720, appendix B.4).
 */
const CASTAGNOLI = 0x82f63b78;

/** `STEPS[256 * k + n]`: the CRC of byte n followed by k zero bytes. */
const STEPS = new Int32Array(8 * 256);
for (let n = 0; n < 256; n++) {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = timesX(crc);
  STEPS[n] = crc;
}
for (let n = 256; n < STEPS.length; n++) STEPS[n] = (STEPS[n - 256] >>> 8) ^ STEPS[STEPS[n - 256] & 255];

/** Advances a CRC by one bit: multiplication by x, where bit 31 is x^0 and bit 0 is x^31. */
export function timesX(crc: number): number {
  return crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
}

/** Advances a CRC by four zero bytes: multiplication by x^32. */
export const timesX32 = (crc: number): number =>
  STEPS[768 + (crc & 255)] ^
  STEPS[512 + ((crc >>> 8) & 255)] ^
  STEPS[256 + ((crc >>> 16) & 255)] ^
  STEPS[crc >>> 24];

/** Computes the CRC-32C of `view[from, to)`. */
export function crc32c(view: DataView, from: number, to: number): number {
  let crc = -1;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    const low = view.getInt32(at, true) ^ crc;
    const high = view.getInt32(at + 4, true);
    crc =
      STEPS[1792 + (low & 255)] ^
      STEPS[1536 + ((low >>> 8) & 255)] ^
      STEPS[1280 + ((low >>> 16) & 255)] ^
      STEPS[1024 + (low >>> 24)] ^
      STEPS[768 + (high & 255)] ^
      STEPS[512 + ((high >>> 8) & 255)] ^
      STEPS[256 + ((high >>> 16) & 255)] ^
      STEPS[high >>> 24];
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ STEPS[(crc ^ view.getUint8(at)) & 255];
  return ~crc >>> 0;
}
