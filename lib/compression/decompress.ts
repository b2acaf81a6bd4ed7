/**
 * Decompresses whole objects by their content encoding. A new encoding needs one file and one line in
 * {@link BITSTREAMS}.
 */
import { leaveOnAbort } from '../base/abort.ts';
import { DecodeError } from '../base/errors.ts';
import type { OnWindow, OutputSize, ZlibFormat } from './inflater.ts';
import { inflater } from './platform.ts';
import { decodeXz } from './xz.ts';
import { decodeZstd } from './zstd.ts';

/** Options of {@link decompress}. */
export interface DecompressOptions {
  /** The size limit of the output. A larger output is an error and is not allocated. */
  maxBytes: number;
  /**
   * The size of the output, if the caller knows it. It saves copies, but is only a hint: the caller must
   * check the size.
   */
  exactBytes?: number;
  signal?: AbortSignal;
  /** Holds the signal instead. It is read only if the caller has to wait. */
  stop?: { readonly signal: AbortSignal };
  /** Whether large outputs may hold the thread, too. Worker threads have nothing else to do. @default false */
  isBlocking?: boolean;
  /** Whether the next decompression in this thread may overwrite the output. @default false */
  isTransient?: boolean;
}

type Decode = (bytes: Uint8Array, size: OutputSize) => Uint8Array | Promise<Uint8Array>;

const ZLIB: Record<string, ZlibFormat> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'br' };

const BITSTREAMS: Record<string, Decode> = {
  ...Object.fromEntries(
    Object.entries(ZLIB).map(([name, format]): [string, Decode] => [
      name,
      (bytes, size) => inflater.inflate(format, bytes, size),
    ]),
  ),
  zstd: (bytes, { maxBytes }) => decodeZstd(bytes, maxBytes),
  xz: (bytes, { maxBytes }) => decodeXz(bytes, maxBytes),
};

/**
 * Returns the most bytes that `bytes` of content can take when compressed: some content does not shrink, and
 * headers are added.
 */
export const maxStoredBytes = (bytes: number): number => Math.ceil(bytes * 1.01) + 65_536;

/** The most encodings that one header may list. A longer list is a broken header. */
const MAX_ENCODINGS = 3;

/**
 * Decompresses bytes by their content encoding: `gzip`, `x-gzip`, `deflate`, `br`, `zstd`, `xz`, or several
 * of them. Without an encoding it returns the same bytes, not a copy.
 *
 * Small outputs of gzip, deflate and brotli are returned at once; larger ones come from the thread pool. The
 * decoders of zstd and xz are loaded on first use.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE or UNSUPPORTED; `signal.reason`. A
 *   returned promise rejects likewise.
 */
export function decompress(
  bytes: Uint8Array,
  contentEncoding: string | undefined,
  { maxBytes, exactBytes, signal, stop, isBlocking, isTransient }: DecompressOptions,
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
      `content encoding ${JSON.stringify(contentEncoding.slice(0, 60))} is not supported; supported are ${Object.keys(BITSTREAMS).join(', ')}`,
    );
  const result = encodings.reduceRight<Uint8Array | Promise<Uint8Array>>((inner, name, index) => {
    // The content of an outer encoding is still encoded, so only the innermost one has the final size.
    const size =
      index === 0
        ? { maxBytes, expectedBytes: exactBytes, isBlocking, isTransient }
        : { maxBytes: maxStoredBytes(maxBytes), isBlocking };
    const decode = BITSTREAMS[name];
    return inner instanceof Uint8Array ? decode(inner, size) : inner.then((outer) => decode(outer, size));
  }, bytes);
  return result instanceof Uint8Array ? result : leaveOnAbort(result, signal ?? stop?.signal, () => {});
}

/** Tells whether {@link decompressWindows} supports a content encoding. */
export const canStream = (contentEncoding: string | undefined): boolean =>
  contentEncoding !== undefined && Object.hasOwn(ZLIB, contentEncoding);

/**
 * Decompresses gzip, deflate or brotli window by window, for callers that need only parts of the content.
 * Each window costs a trip to the thread pool, so {@link decompress} takes a third less CPU where the whole
 * content fits in memory.
 *
 * A stream is always read to its end, even after the last needed byte. Only the checksum at the end of gzip
 * and deflate reveals a flipped bit, and only the end of brotli, which has no checksum, reveals a chunk of
 * the wrong size. Stopping early would save about 2 of 7 ms per 8 MB of labels on average, and would miss a
 * third of the flipped bits, all of which are errors now (bench/prefix-inflate.ts).
 * @returns The size of the content in bytes.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM or TOO_LARGE; what `onWindow` throws;
 *   `signal.reason`.
 */
export const decompressWindows = (
  bytes: Uint8Array,
  contentEncoding: string,
  limits: { maxBytes: number; signal?: AbortSignal },
  onWindow: OnWindow,
): Promise<number> => inflater.inflateWindows(ZLIB[contentEncoding], bytes, limits, onWindow);

/** Recognizes gzip and zstd by their magic numbers. Brotli has no magic number. */
export function sniffBitstream(bytes: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return 'gzip';
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd';
  return undefined;
}
