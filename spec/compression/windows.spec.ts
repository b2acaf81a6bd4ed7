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
});
