/** Whole-object bitstreams, undone once each. A new one is one file and one line in {@link BITSTREAMS}. */
import { leaveOnAbort } from '../base/abort.ts';
import { DecodeError } from '../base/errors.ts';
import { decodeXz } from './xz.ts';
import { undoZlib, type OutputSize } from './zlib.ts';
import { decodeZstd } from './zstd.ts';

export interface DecompressOptions {
  /** More output than this is an error, not an allocation. */
  maxBytes: number;
  /** The output's size when the caller knows it: saves copies. A hint; whether it came true is the caller's to check. */
  exactBytes?: number;
  signal?: AbortSignal;
}

type Undo = (bytes: Uint8Array, size: OutputSize) => Uint8Array | Promise<Uint8Array>;

const BITSTREAMS: Record<string, Undo> = {
  gzip: (bytes, size) => undoZlib('gzip', bytes, size),
  'x-gzip': (bytes, size) => undoZlib('gzip', bytes, size),
  deflate: (bytes, size) => undoZlib('deflate', bytes, size),
  br: (bytes, size) => undoZlib('br', bytes, size),
  zstd: (bytes, { maxBytes }) => decodeZstd(bytes, maxBytes),
  xz: (bytes, { maxBytes }) => decodeXz(bytes, maxBytes),
};

/** The most that `bytes` of content take in a bitstream: headers, content that does not shrink. */
export const storedBound = (bytes: number): number => Math.ceil(bytes * 1.01) + 65_536;

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
    const size = index === 0 ? { maxBytes, expectedBytes: exactBytes } : { maxBytes: storedBound(maxBytes) };
    const undo = BITSTREAMS[name];
    return inner instanceof Uint8Array ? undo(inner, size) : inner.then((outer) => undo(outer, size));
  }, bytes);
  return result instanceof Uint8Array ? result : leaveOnAbort(result, signal, () => {});
}

/** Which bitstream the bytes begin with, by its magic number. Brotli has none. */
export function sniffBitstream(bytes: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return 'gzip';
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd';
  return undefined;
}
