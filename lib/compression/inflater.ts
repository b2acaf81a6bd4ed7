/**
 * What undoes the bitstreams of zlib on one platform. Two implementations follow one contract (spec/compression/inflater.spec.ts): `node/`, by
 * node:zlib, and `portable/`, by fflate, which runs wherever JavaScript does. `platform.ts` chooses.
 */
export type ZlibFormat = 'gzip' | 'deflate' | 'br';

export interface OutputSize {
  /** More output than this is a TOO_LARGE, not an allocation. */
  maxBytes: number;
  /** When it is known: a hint that saves copies. */
  expectedBytes?: number;
}

/** Sees each piece of a stream, in order; `at` is its offset. It must not keep the piece. */
export type OnWindow = (window: Uint8Array, at: number) => void;

export interface Inflater {
  /**
   * All that the stream holds. Small outputs come at once. gzip: all of its members, and zero bytes behind them are padding; deflate and
   * brotli: one stream, and what follows it is ignored.
   * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE; UNSUPPORTED where the platform has no such decoder. Also as rejections.
   */
  inflate(format: ZlibFormat, bytes: Uint8Array, size: OutputSize): Uint8Array | Promise<Uint8Array>;

  /**
   * The same in pieces, for those who need only parts and keep none: memory stays at one window, however large the content.
   * @returns How many bytes there were.
   * @throws as `inflate`; what `onWindow` throws; `signal.reason`.
   */
  inflateWindows(
    format: ZlibFormat,
    bytes: Uint8Array,
    limits: { maxBytes: number; signal?: AbortSignal },
    onWindow: OnWindow,
  ): Promise<number>;
}
