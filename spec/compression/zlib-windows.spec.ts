import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { decompressWindows } from '../../lib/compression/decompress.ts';

describe('decompressWindows', () => {
  // Why it does not stop at the last wanted byte: no reader of the beginning could know.
  test('finds a flipped bit that came out without an error, at the end', async () => {
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

  test('shows all of it in order, in many pieces', async () => {
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

  test('ends where there is more than expected', () =>
    expect(
      decompressWindows(gzipSync(bytes), 'gzip', { maxBytes: bytes.length - 1 }, () => undefined),
    ).rejects.toMatchObject({ name: 'DecodeError', code: 'TOO_LARGE' }));

  test('ends once nobody waits', async () => {
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
