import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { decompressWindows } from '../../lib/compression/windows.ts';

describe('decompressWindows', () => {
  // Why it does not stop at the last wanted byte: no reader of the beginning could know.
  test('finds a flipped bit that came out without an error, at the end', async () => {
    const bytes = gzipSync(new Uint8Array(1_000_000).fill(5), { level: 0 });
    bytes[100] ^= 4;
    const seen: number[] = [];
    const reading = decompressWindows(bytes, 'gzip', { maxBytes: 1e6 }, (window, at) => void (at === 0 && seen.push(...new Set(window))));
    await expect(reading).rejects.toMatchObject({ name: 'DecodeError', code: 'BAD_CHECKSUM' });
    expect(seen).toEqual([5, 1]);
  });

  describe('of a size that is known', () => {
    const bytes = new Uint8Array(3 * 2 ** 20).map((_, at) => at % 251);
    const see = async (stored: Uint8Array, size: { maxBytes: number; expectedBytes?: number }, signal?: AbortSignal) => {
      const pieces: { at: number; length: number; right: boolean; window: Uint8Array }[] = [];
      const total = await decompressWindows(stored, 'gzip', { ...size, signal }, (window, at) => void pieces.push({ at, length: window.byteLength, right: window.every((byte, k) => byte === (at + k) % 251), window }));
      return { total, pieces };
    };
    test('is shown in one piece, whose memory is given back', async () => {
      const { total, pieces } = await see(gzipSync(bytes), { maxBytes: bytes.length, expectedBytes: bytes.length });
      expect([total, pieces.map(({ at, length, right, window }) => [at, length, right, window.byteLength])]).toEqual([bytes.length, [[0, bytes.length, true, 0]]]);
    });
    test.each([['unknown', undefined], ['beyond 16 MiB', 2 ** 24 + 1]])('and one that is %s in many', async (_name, expectedBytes) => {
      const { total, pieces } = await see(gzipSync(bytes), { maxBytes: 2 ** 25, expectedBytes });
      expect(total).toBe(bytes.length);
      expect(pieces.length).toBeGreaterThan(10);
      expect(pieces.every(({ right }) => right)).toBe(true);
      expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(total);
    });
    test.each([['shorter', 2 ** 20, 'gives what there is'], ['longer', 2 ** 22, 'TOO_LARGE']])('may turn out %s', async (_name, length, outcome) => {
      const seen = see(gzipSync(new Uint8Array(length).map((_, at) => at % 251)), { maxBytes: bytes.length, expectedBytes: bytes.length });
      if (outcome === 'TOO_LARGE') await expect(seen).rejects.toMatchObject({ name: 'DecodeError', code: 'TOO_LARGE' });
      else expect((await seen).total).toBe(length);
    });
    test('is not shown once nobody waits', async () => {
      const controller = new AbortController(), reason = new Error('enough');
      const seen = see(gzipSync(bytes), { maxBytes: bytes.length, expectedBytes: bytes.length }, controller.signal);
      controller.abort(reason);
      await expect(seen).rejects.toBe(reason);
    });
  });
});
