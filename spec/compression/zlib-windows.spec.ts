import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { decompressWindows } from '../../lib/compression/decompress.ts';

describe('decompressWindows', () => {
  // This is why it does not stop at the last needed byte.
  test('finds a flipped bit at the end of the stream, after it was passed to onWindow', async () => {
    const bytes = gzipSync(new Uint8Array(1_000_000).fill(5), { level: 0 });
    bytes[100] ^= 4;
    const seen: number[] = [];
    const reading = decompressWindows(
      bytes,
      'gzip',
      { maxBytes: 1e6 },
      (window, at) => void (at === 0 && seen.push(...new Set(window))),
    );
    await expect(reading).rejects.toMatchObject({ name: 'DecodeError', code: 'BAD_CHECKSUM' });
    expect(seen).toEqual([5, 1]);
  });

  const bytes = new Uint8Array(3 * 2 ** 20).map((_, at) => at % 251);

  test('passes all of the content to onWindow in order, in many pieces', async () => {
    let at = 0,
      pieces = 0,
      right = true;
    const total = await decompressWindows(
      gzipSync(bytes),
      'gzip',
      { maxBytes: bytes.length },
      (window, start) => {
        right &&= start === at && window.every((byte, k) => byte === (at + k) % 251);
        at += window.byteLength;
        pieces++;
      },
    );
    expect([total, at, right]).toEqual([bytes.length, bytes.length, true]);
    expect(pieces).toBeGreaterThan(10);
  });

  test('refuses more content than maxBytes', () =>
    expect(
      decompressWindows(gzipSync(bytes), 'gzip', { maxBytes: bytes.length - 1 }, () => undefined),
    ).rejects.toMatchObject({ name: 'DecodeError', code: 'TOO_LARGE' }));

  test('rejects with the reason of an abort', async () => {
    const controller = new AbortController(),
      reason = new Error('enough');
    const reading = decompressWindows(
      gzipSync(bytes),
      'gzip',
      { maxBytes: bytes.length, signal: controller.signal },
      () => undefined,
    );
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});
