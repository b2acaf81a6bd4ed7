/**
 * The checksum of LZ4 frames: XXH32 with the seed 0.
 * Source: xxHash repository, doc/xxhash_spec.md.
 */

const PRIME_1 = 0x9e3779b1,
  PRIME_2 = 0x85ebca77,
  PRIME_3 = 0xc2b2ae3d,
  PRIME_4 = 0x27d4eb2f,
  PRIME_5 = 0x165667b1;

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Returns the XXH32 of `bytes[start, end)`, a uint32. */
export function xxHash32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const length = end - start;
  let at = start,
    hash: number;
  const lane = (): number => {
    const value = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    at += 4;
    return value;
  };
  if (length >= 16) {
    let a = (PRIME_1 + PRIME_2) | 0,
      b = PRIME_2 | 0,
      c = 0,
      d = -PRIME_1 | 0;
    while (at <= end - 16) {
      a = Math.imul(rotate((a + Math.imul(lane(), PRIME_2)) | 0, 13), PRIME_1);
      b = Math.imul(rotate((b + Math.imul(lane(), PRIME_2)) | 0, 13), PRIME_1);
      c = Math.imul(rotate((c + Math.imul(lane(), PRIME_2)) | 0, 13), PRIME_1);
      d = Math.imul(rotate((d + Math.imul(lane(), PRIME_2)) | 0, 13), PRIME_1);
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
  } else hash = PRIME_5;
  hash = (hash + length) | 0;
  while (at <= end - 4) hash = Math.imul(rotate((hash + Math.imul(lane(), PRIME_3)) | 0, 17), PRIME_4);
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at], PRIME_5)) | 0, 11), PRIME_1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
