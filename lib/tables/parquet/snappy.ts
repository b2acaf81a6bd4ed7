/** Compresses bytes as one Snappy block. Source: google/snappy, format_description.txt. */

/** Matches are sought within blocks of this size, so that offsets fit into two bytes. */
const BLOCK_BYTES = 2 ** 16;
const HASH_BITS = 14;
const MIN_MATCH = 4;

/** Returns the largest number of bytes that `length` bytes can become. */
const maxCompressed = (length: number): number => 32 + length + Math.ceil(length / 6);

/** Compresses bytes. @returns A view of new memory. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(maxCompressed(bytes.length)),
    table = new Uint16Array(2 ** HASH_BITS);
  let to = 0;
  for (let rest = bytes.length; ;) {
    if (rest < 128) {
      out[to++] = rest;
      break;
    }
    out[to++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
    table.fill(0);
    to = compressBlock(bytes, from, Math.min(bytes.length, from + BLOCK_BYTES), out, to, table);
  }
  return out.subarray(0, to);
}

function compressBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  to: number,
  table: Uint16Array,
): number {
  let literal = start,
    at = start + 1;
  const limit = end - MIN_MATCH;
  // The step grows where nothing matches, so that bytes that do not compress cost little.
  for (let missed = 32; at <= limit;) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24),
      slot = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS),
      match = start + table[slot];
    table[slot] = at - start;
    if (
      match >= at ||
      (bytes[match] | (bytes[match + 1] << 8) | (bytes[match + 2] << 16) | (bytes[match + 3] << 24)) !== word
    ) {
      at += missed++ >> 5;
      continue;
    }
    missed = 32;
    to = putLiteral(bytes, literal, at, out, to);
    let length = MIN_MATCH;
    while (at + length < end && bytes[match + length] === bytes[at + length]) length++;
    to = putCopy(at - match, length, out, to);
    at += length;
    literal = at;
  }
  return putLiteral(bytes, literal, end, out, to);
}

function putLiteral(bytes: Uint8Array, from: number, end: number, out: Uint8Array, to: number): number {
  const length = end - from;
  if (length === 0) return to;
  if (length <= 60) out[to++] = (length - 1) << 2;
  else if (length <= 256) {
    out[to++] = 60 << 2;
    out[to++] = length - 1;
  } else {
    out[to++] = 61 << 2;
    out[to++] = (length - 1) & 255;
    out[to++] = (length - 1) >> 8;
  }
  if (length < 64) for (let k = from; k < end; k++) out[to++] = bytes[k];
  else {
    out.set(bytes.subarray(from, end), to);
    to += length;
  }
  return to;
}

function putCopy(offset: number, length: number, out: Uint8Array, to: number): number {
  while (length > 0) {
    // The rest of a copy is never shorter than a match may be.
    const part = length > 64 && length < 68 ? 60 : Math.min(64, length);
    out[to++] = ((part - 1) << 2) | 2;
    out[to++] = offset & 255;
    out[to++] = offset >> 8;
    length -= part;
  }
  return to;
}
