import { describe, expect, test } from '@jest/globals';
import { decodeZstd } from '../../lib/compression/zstd.ts';
import { xxHash64Low } from '../../lib/compression/xxhash64.ts';
import { ZSTD_CASES, zstdRaw } from './zstd-cases.ts';

const BOUND = 1 << 20;
const code = (run: () => unknown): unknown => {
  try {
    run();
    return 'none';
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('decodeZstd', () => {
  test.each(ZSTD_CASES)('reads what the reference wrote: $name', ({ stored, content }) => {
    expect(Buffer.compare(decodeZstd(stored, content.length, 0), content)).toBe(0);
    expect(Buffer.compare(decodeZstd(stored, BOUND, BOUND), content)).toBe(0);
    if (content.length > 0) expect(code(() => decodeZstd(stored, content.length - 1, 0))).toBe('TOO_LARGE');
  });
  test('reads several frames, and skips those that are to be skipped', () => {
    const skippable = Uint8Array.of(0x57, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const [first, second] = [zstdRaw(Uint8Array.of(1, 2)), zstdRaw(Uint8Array.of(3))];
    expect([...decodeZstd(Buffer.concat([skippable, first, skippable, second, skippable]), BOUND, 0)]).toEqual([1, 2, 3]);
  });
  test('does not look before its frame', () => {
    // A block of one match (offset 3 - 3 + ... via a repeated offset of 1) with nothing before it.
    expect(code(() => decodeZstd(frame([0x00, 0x01, 0x54, 0, 0, 0, 0x01]), BOUND, 0))).toBe('BAD_BITSTREAM');
  });
  test('98,047 sequences of 65,539 bytes in 51 bytes end at the first', () => {
    // Every code repeated, none takes bits that are there: a decoder that does not count output copies 6 GB a block.
    const block = [0x00, 0xff, 0xff, 0xff, 0x54, 0, 0, 52, 0xff, 0xff, 0xff, 0x01];
    expect(code(() => decodeZstd(frame(block, block, block), BOUND, 0))).toBe('BAD_BITSTREAM');
  });
  test.each([
    ['a dictionary', [0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0], 'UNSUPPORTED'],
    ['a reserved bit', [0x28, 0xb5, 0x2f, 0xfd, 0x28, 0, 1, 0, 0], 'BAD_BITSTREAM'],
    ['a reserved block type', [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 7, 0, 0], 'BAD_BITSTREAM'],
    ['another magic number', [0x28, 0xb5, 0x2f, 0xfc, 0x20, 0, 1, 0, 0], 'BAD_BITSTREAM'],
    ['a content size of 4 GB', [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0], 'TOO_LARGE'],
    ['a content size of 2^63', [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0], 'TOO_LARGE'],
    ['less content than it says', [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x11, 0, 0, 1, 2], 'BAD_BITSTREAM'],
    ['a wrong checksum', [0x28, 0xb5, 0x2f, 0xfd, 0x24, 2, 0x11, 0, 0, 1, 2, 9, 9, 9, 9], 'BAD_CHECKSUM'],
    ['nothing', [], 'TRUNCATED'],
  ])('refuses %s', (_name, bytes, expected) => expect(code(() => decodeZstd(Uint8Array.from(bytes), BOUND, 0))).toBe(expected));
});

/** A frame of compressed blocks without a content size, its window 128 KiB. */
function frame(...blocks: number[][]): Uint8Array {
  const parts = blocks.flatMap((block, k) => {
    const header = (block.length << 3) | (2 << 1) | Number(k === blocks.length - 1);
    return [header & 255, (header >> 8) & 255, header >> 16, ...block];
  });
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, ...parts]);
}

// Published XXH64 values of seed 0: ef46db3751d8e999, d24ec4f1a98c6e5b, 44bc2cf5ad770999. Longer inputs: the reference's checksums above.
test.each([
  ['', 0x51d8e999],
  ['a', 0xa98c6e5b],
  ['abc', 0xad770999],
])('xxHash64Low(%j)', (text, low) => expect(xxHash64Low(new TextEncoder().encode(text))).toBe(low));
