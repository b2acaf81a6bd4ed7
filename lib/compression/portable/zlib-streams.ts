/**
 * Reads gzip and zlib streams: the headers, members and checksums around raw deflate. Sources: RFC 1952 and
 * RFC 1950.
 */
import { DecodeError } from '../../base/errors.ts';
import type { PausableWork } from '../../base/cooperative-work.ts';
import type { OnWindow, ZlibFormat } from '../inflater.ts';
import { adler32, crc32 } from './checksums.ts';
import { inflateRaw } from './deflate.ts';

/** Flags of a gzip header. Flag 1 (the content is text) has no effect. */
const HAS_HEADER_CRC = 2,
  HAS_EXTRA = 4,
  HAS_NAME = 8,
  HAS_COMMENT = 16,
  RESERVED = 0xe0;
const DEFLATE = 8;

/**
 * Decompresses a stream and passes its content to `onWindow` in pieces.
 * @returns The size of the content in bytes.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE; what `onWindow` throws.
 */
export function* inflateStream(
  format: Exclude<ZlibFormat, 'br'>,
  bytes: Uint8Array,
  maxBytes: number,
  onWindow: OnWindow,
): PausableWork<number> {
  const stream = { format, bytes, total: 0, maxBytes, onWindow };
  if (format === 'deflate') yield* readZlib(stream);
  else yield* readMembers(stream);
  return stream.total;
}

interface Stream {
  format: string;
  bytes: Uint8Array;
  /** Bytes of content so far. */
  total: number;
  maxBytes: number;
  onWindow: OnWindow;
}

/** Reads all gzip members. Zero bytes after them are padding, as in zlib. */
function* readMembers(stream: Stream): PausableWork {
  const { bytes } = stream;
  let at = 0;
  do {
    let crc = 0,
      length = 0;
    const end = yield* inflateRaw(bytes, memberContent(stream, at), (piece) => {
      crc = crc32(piece, crc);
      length += piece.length;
      pass(stream, piece);
    });
    if (wordAt(stream, end, true) !== crc) throw wrongChecksum(stream);
    if (wordAt(stream, end + 4, true) !== length % 2 ** 32) throw wrongChecksum(stream);
    at = end + 8;
  } while (at < bytes.length && bytes[at] !== 0);
}

function* readZlib(stream: Stream): PausableWork {
  const method = byteAt(stream, 0),
    flags = byteAt(stream, 1);
  if ((method * 256 + flags) % 31 !== 0) throw broken(stream, 'incorrect header check');
  if ((method & 15) !== DEFLATE) throw broken(stream, 'unknown compression method');
  if (method >>> 4 > 7) throw broken(stream, 'invalid window size');
  if (flags & 32) throw broken(stream, 'it needs a dictionary');
  let adler = 1;
  const end = yield* inflateRaw(stream.bytes, 2, (piece) => {
    adler = adler32(piece, adler);
    pass(stream, piece);
  });
  if (wordAt(stream, end, false) !== adler) throw wrongChecksum(stream);
}

function pass(stream: Stream, piece: Uint8Array): void {
  if (stream.total + piece.length > stream.maxBytes)
    throw new DecodeError('TOO_LARGE', `${stream.format}: more than the ${stream.maxBytes} bytes expected`);
  stream.onWindow(piece, stream.total);
  stream.total += piece.length;
}

/** Checks a member's header. @returns where its deflate stream begins. */
function memberContent(stream: Stream, from: number): number {
  const { bytes } = stream;
  if (byteAt(stream, from) !== 0x1f || byteAt(stream, from + 1) !== 0x8b)
    throw broken(stream, 'incorrect header check');
  if (byteAt(stream, from + 2) !== DEFLATE) throw broken(stream, 'unknown compression method');
  const flags = byteAt(stream, from + 3);
  if (flags & RESERVED) throw broken(stream, 'unknown header flags set');
  let at = from + 10;
  if (flags & HAS_EXTRA) at += 2 + byteAt(stream, at) + 256 * byteAt(stream, at + 1);
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw truncated(stream);
    at = end + 1;
  }
  if (flags & HAS_HEADER_CRC) {
    const stored = byteAt(stream, at) + 256 * byteAt(stream, at + 1);
    if (stored !== (crc32(bytes.subarray(from, at)) & 0xffff)) throw broken(stream, 'header crc mismatch');
    at += 2;
  }
  if (at > bytes.length) throw truncated(stream);
  return at;
}

function byteAt(stream: Stream, at: number): number {
  if (at >= stream.bytes.length) throw truncated(stream);
  return stream.bytes[at];
}

function wordAt(stream: Stream, at: number, littleEndian: boolean): number {
  const { bytes } = stream;
  if (at + 4 > bytes.length) throw truncated(stream);
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, littleEndian);
}

const truncated = ({ format }: Stream): DecodeError =>
  new DecodeError('TRUNCATED', `${format}: the data ends inside the stream`);
const broken = ({ format }: Stream, what: string): DecodeError =>
  new DecodeError('BAD_BITSTREAM', `${format}: ${what}`);
const wrongChecksum = ({ format }: Stream): DecodeError =>
  new DecodeError('BAD_CHECKSUM', `${format}: the content does not match its checksum`);
