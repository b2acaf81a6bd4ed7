/**
 * Computes the CRC-8 of the header of crackle streams (reflected polynomial 0xe7, initial 0xff). The rest has
 * CRC-32C: `base/crc32c.ts`.
 * Source: crackle, README.md, "A Note on CRCs", and src/crc.hpp.
 */
/** Computes the CRC-8 of `view[from, to)`. */
export function crc8(view: DataView, from: number, to: number): number {
  let crc = 0xff;
  for (let at = from; at < to; at++) {
    crc ^= view.getUint8(at);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xe7 : crc >>> 1;
  }
  return crc;
}
