/**
 * Decodes LZ4 frames, with all their checksums. Dictionaries are not supported. No package is used: lz4js
 * decodes some valid frames wrongly without an error, and the others need a native addon.
 * Source: lz4 repository, doc/lz4_Frame_format.md (version 1.6.4) and doc/lz4_Block_format.md.
 */
import { DecodeError } from '../base/errors.ts';
import { xxHash32 } from './xx-hash32.ts';

const MAGIC = 0x184d2204;
/** The magic number of a skippable frame without its last 4 bits, which may have any value. */
const SKIPPABLE = 0x184d2a5;
const MIN_MATCH = 4;

/**
 * Decodes all frames of `bytes`, one after the other.
 *
 * @param exactBytes The size of the content. It is allocated at once, so the caller must have bounded it.
 * @returns The content, in memory of its own.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE (the content is larger than
 *   `exactBytes`) or UNSUPPORTED (a dictionary).
 */
export function decodeLz4Frames(bytes: Uint8Array, exactBytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(exactBytes);
  let at = 0,
    written = 0;
  do {
    if (bytes.length - at < 4) throw cut();
    const magic = word(bytes, at);
    if (magic >>> 4 === SKIPPABLE) {
      if (bytes.length - at < 8) throw cut();
      at += 8 + word(bytes, at + 4);
      if (at > bytes.length) throw cut();
      continue;
    }
    if (magic !== MAGIC) throw new DecodeError('BAD_BITSTREAM', 'lz4: no frame begins where one should');
    ({ at, written } = decodeFrame(bytes, at + 4, out, written));
  } while (at < bytes.length);
  if (written !== exactBytes)
    throw new DecodeError('TRUNCATED', `lz4: ${written} bytes, where ${exactBytes} were expected`);
  return out;
}

/** Decodes the frame whose descriptor is at `at`, to `out[from…]`. */
function decodeFrame(
  bytes: Uint8Array,
  at: number,
  out: Uint8Array,
  from: number,
): { at: number; written: number } {
  const descriptor = at;
  if (bytes.length - at < 3) throw cut();
  const flags = bytes[at],
    blockSizeCode = (bytes[at + 1] >> 4) & 7;
  const isIndependent = (flags & 0x20) !== 0,
    hasBlockChecksums = (flags & 0x10) !== 0,
    hasContentSize = (flags & 0x08) !== 0,
    hasContentChecksum = (flags & 0x04) !== 0;
  if (flags >> 6 !== 1 || (flags & 2) !== 0 || (bytes[at + 1] & 0x8f) !== 0 || blockSizeCode < 4)
    throw new DecodeError('BAD_BITSTREAM', 'lz4: the header of a frame is broken');
  if (flags & 1) throw new DecodeError('UNSUPPORTED', 'lz4: the frame needs a dictionary');
  const maxBlock = 1 << (8 + 2 * blockSizeCode);
  at += hasContentSize ? 10 : 2;
  if (at >= bytes.length) throw cut();
  if (((xxHash32(bytes, descriptor, at) >>> 8) & 0xff) !== bytes[at])
    throw new DecodeError('BAD_CHECKSUM', 'lz4: the header of a frame does not match its checksum');
  at++;
  let written = from;
  for (;;) {
    if (bytes.length - at < 4) throw cut();
    const header = word(bytes, at),
      size = header & 0x7fffffff;
    at += 4;
    if (header === 0) break;
    if (size > maxBlock)
      throw new DecodeError('BAD_BITSTREAM', 'lz4: a block is larger than its frame allows');
    const end = at + size;
    if (end + (hasBlockChecksums ? 4 : 0) > bytes.length) throw cut();
    if (hasBlockChecksums && xxHash32(bytes, at, end) !== word(bytes, end))
      throw new DecodeError('BAD_CHECKSUM', 'lz4: a block does not match its checksum');
    const limit = Math.min(out.length, written + maxBlock);
    if (header >>> 31 === 1) {
      if (size > limit - written) throw tooLarge(out.length);
      out.set(bytes.subarray(at, end), written);
      written += size;
    } else written = decodeLz4Block(bytes, at, end, out, written, isIndependent ? written : from, limit);
    at = end + (hasBlockChecksums ? 4 : 0);
  }
  if (hasContentChecksum) {
    if (bytes.length - at < 4) throw cut();
    if (xxHash32(out, from, written) !== word(bytes, at))
      throw new DecodeError('BAD_CHECKSUM', 'lz4: the content does not match its checksum');
    at += 4;
  }
  if (hasContentSize && !hasSize(bytes, descriptor + 2, written - from))
    throw new DecodeError('BAD_BITSTREAM', 'lz4: the content does not have the size that its frame says');
  return { at, written };
}

/**
 * Decodes one block without a frame.
 * @param exactBytes The number of bytes of its content.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, TOO_LARGE.
 */
export function decodeLz4(bytes: Uint8Array, exactBytes: number): Uint8Array {
  const out = new Uint8Array(exactBytes),
    end = decodeLz4Block(bytes, 0, bytes.length, out, 0, 0, exactBytes);
  if (end !== exactBytes) throw cut();
  return out;
}

/**
 * Decodes the block `bytes[at, end)` to `out[to…]`.
 *
 * @param oldest The first byte of `out` that a match may copy.
 * @param limit Where the output must end.
 * @returns Where the output ends.
 */
function decodeLz4Block(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  to: number,
  oldest: number,
  limit: number,
): number {
  /** Adds the bytes that extend a length of 15. */
  const extend = (length: number): number => {
    for (let more = 255; more === 255; at++) {
      if (at >= end) throw cut();
      more = bytes[at];
      length += more;
    }
    return length;
  };
  while (at < end) {
    const token = bytes[at++];
    let literals = token >> 4;
    if (literals === 15) literals = extend(literals);
    if (literals > end - at) throw cut();
    if (literals > limit - to) throw tooLarge(out.length);
    if (literals > 32) {
      out.set(bytes.subarray(at, at + literals), to);
      to += literals;
      at += literals;
    } else for (let k = 0; k < literals; k++) out[to++] = bytes[at++];
    if (at === end) return to; // the last sequence has no match
    if (end - at < 2) throw cut();
    const distance = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) length = extend(length);
    length += MIN_MATCH;
    const from = to - distance;
    if (distance === 0 || from < oldest)
      throw new DecodeError('BAD_BITSTREAM', 'lz4: a match begins before the content');
    if (length > limit - to) throw tooLarge(out.length);
    if (distance === 1) {
      out.fill(out[from], to, to + length);
      to += length;
    } else if (length > 32 && distance >= length) {
      out.copyWithin(to, from, from + length);
      to += length;
    } else for (let k = 0; k < length; k++, to++) out[to] = out[to - distance]; // may overlap its own output
  }
  throw cut(); // a block ends with literals
}

/** Returns the uint32 at `at`. */
const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;

const hasSize = (bytes: Uint8Array, at: number, size: number): boolean =>
  word(bytes, at) === size % 2 ** 32 && word(bytes, at + 4) === Math.floor(size / 2 ** 32);

const cut = (): DecodeError => new DecodeError('TRUNCATED', 'lz4: the data ends inside a frame');

const tooLarge = (bytes: number): DecodeError =>
  new DecodeError('TOO_LARGE', `lz4: more than the ${bytes} bytes expected`);
