/**
 * A bitstream undone for those who need only parts of what is inside and keep none of it: memory stays at one window, however large the
 * content. Each window costs a turn on the thread pool: where one piece can be held, that takes a third less CPU.
 *
 * A stream is read to its end, though the last wanted byte may be out before: only the checksum at the end of gzip and deflate tells a
 * flipped bit from a label, and only the end of brotli, which has none, tells a chunk of another size. Stopping would save some 4 ms of the 7
 * that 8 MB of labels take, for a voxel at the very beginning, and half of that on average: of one look-up over loopback (12 to 17 ms) a
 * third at best, over a network far less. It would let through a third of the flips, all of which are errors now (bench/prefix-inflate.ts).
 */
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
} from 'node:zlib';
import { DecodeError } from '../base/errors.ts';
import { decodeError } from './zlib.ts';

const WINDOW_BYTES = 256 * 1024;

const STREAMS: Record<
  string,
  {
    format: 'gzip' | 'deflate' | 'br';
    create: (options: { chunkSize: number }) => Gunzip | Inflate | BrotliDecompress;
  }
> = {
  gzip: { format: 'gzip', create: createGunzip },
  'x-gzip': { format: 'gzip', create: createGunzip },
  deflate: { format: 'deflate', create: createInflate },
  br: { format: 'br', create: createBrotliDecompress },
};

/** Whether {@link decompressWindows} undoes this content encoding. */
export const canStream = (contentEncoding: string | undefined): boolean =>
  contentEncoding !== undefined && Object.hasOwn(STREAMS, contentEncoding);

/**
 * @param onWindow Sees each piece, in order; `at` is its offset. It must not keep the piece.
 * @returns How many bytes there were.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE; what `onWindow` throws; `signal.reason`.
 */
export function decompressWindows(
  bytes: Uint8Array,
  contentEncoding: string,
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal },
  onWindow: (window: Uint8Array, at: number) => void,
): Promise<number> {
  const { format, create } = STREAMS[contentEncoding];
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const stream = create({ chunkSize: WINDOW_BYTES });
    let at = 0;
    const end = (act: () => void): void => {
      signal?.removeEventListener('abort', leave);
      stream.destroy();
      act();
    };
    const stop = (error: unknown): void => end(() => reject(error));
    const leave = (): void => stop(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    stream.on('data', (window: Buffer) => {
      if (at + window.byteLength > maxBytes)
        return stop(new DecodeError('TOO_LARGE', `${format}: more than the ${maxBytes} bytes expected`));
      try {
        onWindow(window, at);
      } catch (error) {
        return stop(error);
      }
      at += window.byteLength;
    });
    stream.once('end', () => end(() => resolve(at)));
    stream.on('error', (error) => stop(decodeError(format, error, maxBytes)));
    stream.end(bytes);
  });
}
