import { describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import { decodeZstd } from '../../lib/compression/zstd.ts';
import { ZSTD_CASES, zstdRaw } from './zstd-cases.ts';

const BOUND = 1 << 20;
const codeOf = async (bytes: Uint8Array, maxBytes = BOUND): Promise<unknown> => {
  try {
    await decodeZstd(bytes, maxBytes);
    return 'none';
  } catch (error) {
    return error instanceof DecodeError ? error.code : error;
  }
};

// Every code is repeated and takes no bits: 98,047 sequences of 65,539 bytes. A decoder that does not limit
// its output copies 6 GB per block.
const LOOPING = [0x00, 0xff, 0xff, 0xff, 0x54, 0, 0, 52, 0xff, 0xff, 0xff, 0x01];
const LOOPING_FRAME = frame([LOOPING, LOOPING, LOOPING]);
const SKIPPABLE = Uint8Array.of(0x57, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

describe('decodeZstd', () => {
  test.each(ZSTD_CASES)(
    'reads frames of the reference implementation: $name',
    async ({ stored, content }) => {
      for (const maxBytes of [content.length, BOUND])
        expect(Buffer.compare(await decodeZstd(stored, maxBytes), content)).toBe(0);
      if (content.length > 0) expect(await codeOf(stored, content.length - 1)).toBe('TOO_LARGE');
      expect(await codeOf(stored.subarray(0, -1))).toBe('TRUNCATED');
    },
  );
  test('reads several frames, and skips skippable ones', async () => {
    const [first, second] = [zstdRaw(Uint8Array.of(1, 2)), zstdRaw(Uint8Array.of(3))];
    const { stored, content } = ZSTD_CASES.find(({ name }) => name === 'words')!;
    const all = Buffer.concat([SKIPPABLE, first, SKIPPABLE, second, stored, SKIPPABLE]),
      expected = Buffer.concat([Buffer.of(1, 2, 3), content]);
    expect(Buffer.compare(await decodeZstd(all, expected.length), expected)).toBe(0);
    expect(await codeOf(all, expected.length - 1)).toBe('TOO_LARGE');
    expect([...(await decodeZstd(SKIPPABLE, 0))]).toEqual([]);
  });
  test('reads 100,000 frames of one byte', async () => {
    const frames = Buffer.concat(
      Array.from({ length: 100_000 }, () => Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 9, 0, 0, 7)),
    );
    expect(Buffer.compare(await decodeZstd(frames, 100_000), Buffer.alloc(100_000, 7))).toBe(0);
  });
  test('returns fresh memory', async () => {
    const stored = zstdRaw(Uint8Array.of(1, 2, 3)),
      first = await decodeZstd(stored, BOUND);
    await decodeZstd(zstdRaw(Uint8Array.of(4, 5, 6)), BOUND);
    expect([...first]).toEqual([1, 2, 3]);
    expect(first.buffer.byteLength).toBe(3);
  });
  test('keeps no memory of calls that failed', async () => {
    // 100,000 bytes of input and of output, and then a wrong checksum.
    const stored = zstdRaw(new Uint8Array(100_000).fill(1)),
      broken = Buffer.concat([stored, Buffer.alloc(4)]);
    broken[4] |= 4;
    expect(await codeOf(broken)).toBe('BAD_CHECKSUM');
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 3000; round++)
      expect(await codeOf(broken, 100_000 + ((round * 7919) % 100_000))).toBe('BAD_CHECKSUM');
    expect(process.memoryUsage.rss() - before).toBeLessThan(128 << 20); // it would be 600 MB if each call kept its memory
  });
  test.each([
    ['sequences without end', LOOPING_FRAME, 'BAD_BITSTREAM'],
    [
      'sequences without end that say their size',
      frame([LOOPING, LOOPING, LOOPING], [0xa0, 0, 0, 6, 0]),
      'BAD_BITSTREAM',
    ],
    ['a match before its frame', frame([[0x00, 0x01, 0x54, 0, 0, 0, 0x01]]), 'BAD_BITSTREAM'],
    ['a dictionary', [0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0], 'UNSUPPORTED'],
    ['a window of 3.75 TB', [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 1, 0, 0], 'UNSUPPORTED'],
    ['a reserved bit', [0x28, 0xb5, 0x2f, 0xfd, 0x28, 0, 1, 0, 0], 'BAD_BITSTREAM'],
    ['a reserved block type', [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 7, 0, 0], 'BAD_BITSTREAM'],
    ['another magic number', [0x28, 0xb5, 0x2f, 0xfc, 0x20, 0, 1, 0, 0], 'BAD_BITSTREAM'],
    ['bytes after the frame', [...zstdRaw(Uint8Array.of(1)), 0, 0, 0, 0], 'BAD_BITSTREAM'],
    ['a content size of 4 GB', [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0], 'TOO_LARGE'],
    [
      'a content size of 2^63',
      [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0],
      'TOO_LARGE',
    ],
    [
      'less content than its header says',
      [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x11, 0, 0, 1, 2],
      'BAD_BITSTREAM',
    ],
    [
      'more content than its header says',
      [0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x11, 0, 0, 1, 2],
      'BAD_BITSTREAM',
    ],
    ['a wrong checksum', [0x28, 0xb5, 0x2f, 0xfd, 0x24, 2, 0x11, 0, 0, 1, 2, 9, 9, 9, 9], 'BAD_CHECKSUM'],
    ['a wrong checksum of nothing', [0x28, 0xb5, 0x2f, 0xfd, 0x24, 0, 1, 0, 0, 9, 9, 9, 9], 'BAD_CHECKSUM'],
    ['a skippable frame that is cut', SKIPPABLE.subarray(0, -1), 'TRUNCATED'],
    ['nothing', [], 'TRUNCATED'],
  ])('refuses %s', async (_name, bytes, expected) =>
    expect(await codeOf(Uint8Array.from(bytes))).toBe(expected),
  );
  test('refuses more than 1 GB, whatever maxBytes allows', async () => {
    expect(await codeOf(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 1, 0, 0), Infinity)).toBe(
      'TOO_LARGE',
    );
  });
});

/** Makes a frame of compressed blocks, by default without a content size and with a window of 128 KiB. */
function frame(blocks: number[][], header: number[] = [0x00, 0x38]): Uint8Array {
  const parts = blocks.flatMap((block, k) => {
    const word = (block.length << 3) | (2 << 1) | Number(k === blocks.length - 1);
    return [word & 255, (word >> 8) & 255, word >> 16, ...block];
  });
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, ...header, ...parts]);
}
