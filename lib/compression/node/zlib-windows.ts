/** Decompresses gzip, deflate and brotli with node:zlib window by window, on the thread pool. */
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
} from 'node:zlib';
import { DecodeError } from '../../base/errors.ts';
import type { OnWindow, ZlibFormat } from '../inflater.ts';
import { toDecodeError } from './zlib.ts';

const WINDOW_BYTES = 256 * 1024;

const CREATE: Record<ZlibFormat, (options: { chunkSize: number }) => Gunzip | Inflate | BrotliDecompress> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** Implements {@link Inflater.inflateWindows}. */
export function inflateWindowsWithZlib(
  format: ZlibFormat,
  bytes: Uint8Array,
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal },
  onWindow: OnWindow,
): Promise<number> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const stream = CREATE[format]({ chunkSize: WINDOW_BYTES });
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
    stream.on('error', (error) => stop(toDecodeError(format, error, maxBytes)));
    stream.end(bytes);
  });
}
