/** Whole-object bitstreams, undone once each. A new one is one file and one line in {@link BITSTREAMS}. */
import { leaveOnAbort } from '../base/abort.ts';
import { DecodeError } from '../base/errors.ts';
import type { OnWindow, OutputSize, ZlibFormat } from './inflater.ts';
import { inflater } from './platform.ts';
import { decodeXz } from './xz.ts';
import { decodeZstd } from './zstd.ts';

export interface DecompressOptions {
  /** More output than this is an error, not an allocation. */
  maxBytes: number;
  /** The output's size when the caller knows it: saves copies. A hint; whether it came true is the caller's to check. */
  exactBytes?: number;
  signal?: AbortSignal;
}

type Undo = (bytes: Uint8Array, size: OutputSize) => Uint8Array | Promise<Uint8Array>;

const ZLIB: Record<string, ZlibFormat> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'br' };

const BITSTREAMS: Record<string, Undo> = {
  ...Object.fromEntries(
    Object.entries(ZLIB).map(([name, format]): [string, Undo] => [
      name,
      (bytes, size) => inflater.inflate(format, bytes, size),
    ]),
  ),
  zstd: (bytes, { maxBytes }) => decodeZstd(bytes, maxBytes),
  xz: (bytes, { maxBytes }) => decodeXz(bytes, maxBytes),
};

/** The most that `bytes` of content take in a bitstream: headers, content that does not shrink. */
export const maxStoredBytes = (bytes: number): number => Math.ceil(bytes * 1.01) + 65_536;

/** Stacked encodings that are undone; a longer list is a broken header. */
const MAX_ENCODINGS = 3;

/**
 * The bytes inside a content encoding: `gzip`, `x-gzip`, `deflate`, `br`, `zstd`, `xz`, several of them, or none (the same bytes then,
 * not a copy). Small outputs of zlib come at once, larger ones from the thread pool; zstd and xz load their decoders first.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE, UNSUPPORTED; `signal.reason`. Also as rejections.
 */
export function decompress(
  bytes: Uint8Array,
  contentEncoding: string | undefined,
  { maxBytes, exactBytes, signal }: DecompressOptions,
): Uint8Array | Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (!contentEncoding) return bytes;
  const encodings = contentEncoding
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const unknown = encodings.find((name) => !Object.hasOwn(BITSTREAMS, name));
  if (unknown !== undefined || encodings.length > MAX_ENCODINGS)
    throw new DecodeError(
      'UNSUPPORTED',
      `content encoding ${JSON.stringify(contentEncoding.slice(0, 60))} is not read; known are ${Object.keys(BITSTREAMS).join(', ')}`,
    );
  const result = encodings.reduceRight<Uint8Array | Promise<Uint8Array>>((inner, name, index) => {
    // What an outer encoding holds is itself encoded.
    const size =
      index === 0 ? { maxBytes, expectedBytes: exactBytes } : { maxBytes: maxStoredBytes(maxBytes) };
    const undo = BITSTREAMS[name];
    return inner instanceof Uint8Array ? undo(inner, size) : inner.then((outer) => undo(outer, size));
  }, bytes);
  return result instanceof Uint8Array ? result : leaveOnAbort(result, signal, () => {});
}

/** Whether {@link decompressWindows} undoes this content encoding. */
export const canStream = (contentEncoding: string | undefined): boolean =>
  contentEncoding !== undefined && Object.hasOwn(ZLIB, contentEncoding);

/**
 * A content encoding of zlib's undone for those who need only parts of what is inside and keep none of it. Each window costs a turn on the thread
 * pool: where one piece can be held, that takes a third less CPU.
 *
 * A stream is read to its end, though the last wanted byte may be out before: only the checksum at the end of gzip and deflate tells a
 * flipped bit from a label, and only the end of brotli, which has none, tells a chunk of another size. Stopping would save some 4 ms of the 7
 * that 8 MB of labels take, for a voxel at the very beginning, and half of that on average: of one look-up over loopback (12 to 17 ms) a
 * third at best, over a network far less. It would let through a third of the flips, all of which are errors now (bench/prefix-inflate.ts).
 * @returns How many bytes there were.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE; what `onWindow` throws; `signal.reason`.
 */
export const decompressWindows = (
  bytes: Uint8Array,
  contentEncoding: string,
  limits: { maxBytes: number; signal?: AbortSignal },
  onWindow: OnWindow,
): Promise<number> => inflater.inflateWindows(ZLIB[contentEncoding], bytes, limits, onWindow);

/** Which bitstream the bytes begin with, by its magic number. Brotli has none. */
export function sniffBitstream(bytes: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return 'gzip';
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd';
  return undefined;
}
