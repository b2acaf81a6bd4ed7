/**
 * The interface of a platform's decompressor for gzip, deflate and brotli. There are two implementations with
 * one contract (spec/compression/inflater.spec.ts): `node/` uses node:zlib, and `portable/` uses fflate,
 * which runs on every JavaScript platform. `platform.ts` chooses between them.
 */

import type { PausableWork } from '../base/cooperative-work.ts';

/** A compression format, by its name as a content encoding. */
export type ZlibFormat = 'gzip' | 'deflate' | 'br';

/** What is known about the size of an output. */
export interface OutputSize {
  /** The size limit. A larger output is an error with the code TOO_LARGE, and is not allocated. */
  maxBytes: number;
  /** The size, if it is known. It saves copies, but is only a hint. */
  expectedBytes?: number;
  /** Whether a large output may hold the thread until it is complete. @default false */
  isBlocking?: boolean;
  /**
   * Whether the next call may overwrite the output: the caller is done with it by then. It saves fresh memory for
   * every output. @default false
   */
  isTransient?: boolean;
}

/** Receives each piece of the output, in order; `at` is its offset. The callback must not keep the piece. */
export type OnWindow = (window: Uint8Array, at: number) => void;

/** Decompresses on one platform. */
export interface Inflater {
  /**
   * Decompresses a whole stream. Small outputs are returned at once, and all with `isBlocking`. A gzip stream may have several members,
   * and zero bytes after them are padding. For deflate and brotli, bytes after the stream are ignored.
   * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE, or UNSUPPORTED if the platform
   *   lacks the format. A returned promise rejects likewise.
   */
  inflate(format: ZlibFormat, bytes: Uint8Array, size: OutputSize): Uint8Array | Promise<Uint8Array>;

  /**
   * Decompresses a stream in pieces, for callers that need only parts of it. It takes the memory of one
   * window, however large the content.
   * @returns The size of the content in bytes.
   * @throws DecodeError as `inflate` does; what `onWindow` throws; `signal.reason`.
   */
  inflateWindows(
    format: ZlibFormat,
    bytes: Uint8Array,
    limits: { maxBytes: number; signal?: AbortSignal },
    onWindow: OnWindow,
  ): Promise<number>;
}

/**
 * Inflates one zlib stream on the calling thread. The work yields about every 0.2 ms, and ends when the stream or its
 * pieces end, or when `onWindow` returns false. It takes the memory of one window, however large the content.
 *
 * @param pieces The stream, in order. No more of them are taken than needed.
 * @param onWindow Receives the output piece by piece, in memory that is used again. Returns whether more is wanted.
 * @throws DecodeError BAD_BITSTREAM or BAD_CHECKSUM; what `onWindow` or the pieces throw.
 */
export type InflateSteps = (
  pieces: Iterable<Uint8Array>,
  onWindow: (window: Uint8Array) => boolean,
) => PausableWork;
