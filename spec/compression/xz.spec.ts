import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import { decompress } from '../../lib/compression/decompress.ts';
import { decodeXz } from '../../lib/compression/xz.ts';
import { seeded } from '../../testing/random.ts';

const stored = Object.fromEntries(
  Object.entries(
    JSON.parse(readFileSync('spec/fixtures/compression/xz.json', 'utf8')) as Record<string, string>,
  ).map(([name, text]) => [name, new Uint8Array(Buffer.from(text, 'base64'))]),
);
const content = Buffer.from(
  Array.from({ length: 3000 }, (_, i) => Math.floor((Math.floor(i / 9) * i) / 50) % 7),
);
const BOUND = 1 << 20;

const outcome = async (bytes: Uint8Array, maxBytes = BOUND): Promise<unknown> => {
  try {
    return Buffer.compare(await decodeXz(bytes, maxBytes), content) === 0 ? 'right' : 'wrong';
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
};

describe('decodeXz', () => {
  test.each(['crc32', 'crc64', 'no checksum', 'two blocks'])('reads what xz wrote: %s', async (name) => {
    expect(await outcome(stored[name], content.length)).toBe('right');
    expect(await outcome(stored[name], content.length - 1)).toBe('TOO_LARGE');
    // The bytes do not start at a multiple of 4 in their memory.
    expect(await outcome(new Uint8Array([1, ...stored[name]]).subarray(1))).toBe('right');
  });
  test('stops at maxBytes, long before the end of a large output', async () => {
    expect((await decodeXz(stored['2 MB of zeros'], 2_000_000)).byteLength).toBe(2_000_000);
    expect(await outcome(stored['2 MB of zeros'], 1000)).toBe('TOO_LARGE');
  });
  test.each([
    ['sha256', 'UNSUPPORTED'],
    ['a dictionary of 128 MiB', 'UNSUPPORTED'],
    ['lzma alone', 'BAD_BITSTREAM'],
  ])('refuses %s: %s', async (name, code) => expect(await outcome(stored[name])).toBe(code));
  test('reads many streams at once', async () => {
    const names = ['crc32', 'crc64', 'two blocks'];
    expect(await Promise.all(Array.from({ length: 30 }, (_, k) => outcome(stored[names[k % 3]])))).toEqual(
      new Array(30).fill('right'),
    );
  });
  test('throws TRUNCATED for a stream that is cut anywhere', async () => {
    const { crc64 } = stored;
    for (let length = 0; length < crc64.byteLength; length += 7)
      expect([length, await outcome(crc64.subarray(0, length))]).toEqual([length, 'TRUNCATED']);
  });
  test('never returns wrong content for flipped bits', async () => {
    const random = seeded(8);
    for (let round = 0; round < 200; round++) {
      const bytes = stored.crc64.slice();
      for (let n = random.below(3); n >= 0; n--)
        bytes[random.below(bytes.byteLength)] ^= 1 << random.below(8);
      expect(await outcome(bytes)).not.toBe('wrong');
    }
  });
  test('is used by decompress, which refuses bz2 by its name', async () => {
    expect(Buffer.compare(await decompress(stored.crc64, 'xz', { maxBytes: BOUND }), content)).toBe(0);
    expect(() => decompress(stored.crc64, 'bz2', { maxBytes: BOUND })).toThrow(
      new DecodeError(
        'UNSUPPORTED',
        'content encoding "bz2" is not supported; supported are gzip, x-gzip, deflate, br, zstd, xz',
      ),
    );
  });
});
