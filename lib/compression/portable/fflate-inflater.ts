/**
 * The portable inflater: fflate behind the interface that all platforms share, for browsers, their workers
 * and edge runtimes. It works on the calling thread and lets the event loop run between pieces. It does not
 * support brotli; browsers decompress brotli of HTTP themselves.
 */
import { DecodeError } from '../../base/errors.ts';
import { cooperativeRunner, type PausableWork } from '../../base/cooperative-work.ts';
import type { Inflater, OnWindow, OutputSize, ZlibFormat } from '../inflater.ts';
import { joinPieces } from '../memory.ts';
import { inflateStream } from './zlib-streams.ts';

function supported(format: ZlibFormat): Exclude<ZlibFormat, 'br'> {
  if (format === 'br')
    throw new DecodeError(
      'UNSUPPORTED',
      'br: brotli is not supported on this platform; store the chunks with gzip',
    );
  return format;
}

function* inflateWhole(
  format: ZlibFormat,
  bytes: Uint8Array,
  { maxBytes, expectedBytes }: OutputSize,
): PausableWork<Uint8Array> {
  // If the size is known, each piece goes to its final place. A wrong size costs a copy.
  let room = new Uint8Array(Math.min(maxBytes, expectedBytes ?? 0));
  const later: Uint8Array[] = [];
  const total = yield* inflateStream(supported(format), bytes, maxBytes, (piece, at) => {
    if (later.length === 0 && at + piece.length <= room.length) room.set(piece, at);
    else {
      if (later.length === 0) {
        later.push(room.subarray(0, at));
        room = new Uint8Array(0);
      }
      later.push(piece);
    }
  });
  return later.length > 0 ? joinPieces(later, total) : total === room.length ? room : room.slice(0, total);
}

/** Decompresses with fflate. */
export const portableInflater: Inflater = {
  inflate: (format, bytes, size) => cooperativeRunner.run(inflateWhole(format, bytes, size)),
  async inflateWindows(format, bytes, { maxBytes, signal }, onWindow: OnWindow) {
    signal?.throwIfAborted();
    return cooperativeRunner.run(inflateStream(supported(format), bytes, maxBytes, onWindow), signal);
  },
};
