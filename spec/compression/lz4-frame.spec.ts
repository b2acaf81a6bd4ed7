import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { DecodeError } from '../../lib/base/errors.ts';
import { decodeLz4Frames } from '../../lib/compression/lz4-frame.ts';
import { xxHash32 } from '../../lib/compression/xx-hash32.ts';

const { frames } = JSON.parse(
  readFileSync(new URL('../fixtures/compression/lz4.json', import.meta.url), 'utf8'),
) as { frames: { name: string; content: string; frame: string }[] };
const LINES = Array.from({ length: 150 }, (_, k) => `${k * k}\n`).join('');
const CONTENTS: Record<string, string> = {
  empty: '',
  short: 'root',
  run: 'a'.repeat(100_000),
  lines: LINES,
  far: `${LINES}${'x'.repeat(30_000)}`.repeat(6),
};
const withCode = (code: string): Error => expect.objectContaining({ code }) as unknown as Error;
const frameOf = (name: string): Buffer =>
  Buffer.from(frames.find((one) => one.name.startsWith(name))!.frame, 'base64');

describe('LZ4 frames', () => {
  test.each(frames)('are decoded as their writer meant: $name', ({ content, frame }) => {
    const expected = Buffer.from(CONTENTS[content]);
    const decoded = decodeLz4Frames(Buffer.from(frame, 'base64'), expected.length);
    expect(Buffer.from(decoded).equals(expected)).toBe(true);
  });

  test('are decoded one after the other, and skippable frames are skipped', () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const bytes = Buffer.concat([skippable, frameOf('lines: pyarrow'), skippable, frameOf('short: pyarrow')]);
    expect(Buffer.from(decodeLz4Frames(bytes, LINES.length + 4)).toString()).toBe(`${LINES}root`);
  });

  const whole = frameOf('lines: linked True, checksums True');
  test('give an error at every cut', () => {
    for (let length = 0; length < whole.length; length += 7)
      expect(() => decodeLz4Frames(whole.subarray(0, length), LINES.length)).toThrow(withCode('TRUNCATED'));
  });

  test('with checksums give an error for every changed byte', () => {
    for (let at = 0; at < whole.length; at += 5) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 1 << (at % 8);
      expect(() => decodeLz4Frames(bytes, LINES.length)).toThrow(DecodeError);
    }
  });

  test('never give more or less than the size that was asked for', () => {
    expect(() => decodeLz4Frames(whole, LINES.length - 1)).toThrow(withCode('TOO_LARGE'));
    expect(() => decodeLz4Frames(whole, LINES.length + 1)).toThrow(withCode('TRUNCATED'));
  });

  test.each([
    ['a dictionary', (bytes: Buffer) => (bytes[4] |= 1), 'UNSUPPORTED'],
    ['another version', (bytes: Buffer) => (bytes[4] ^= 0xc0), 'BAD_BITSTREAM'],
    ['another magic number', (bytes: Buffer) => (bytes[0] = 1), 'BAD_BITSTREAM'],
    ['a wrong checksum of the header', (bytes: Buffer) => (bytes[14] ^= 1), 'BAD_CHECKSUM'],
  ])('with %s are refused', (_, change, code) => {
    const bytes = Buffer.from(whole);
    change(bytes);
    expect(() => decodeLz4Frames(bytes, LINES.length)).toThrow(withCode(code));
  });

  test('with a match before the content are refused', () => {
    const frame = frameOf('short: linked False, checksums False'),
      block = Buffer.from([0x10, 97, 5, 0, 0]); // one literal, then a match at a distance of 5
    const header = frame.subarray(0, 7),
      size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    expect(() => decodeLz4Frames(Buffer.concat([header, size, block, Buffer.alloc(4)]), 5)).toThrow(
      withCode('BAD_BITSTREAM'),
    );
  });
});

// Source: xxHash repository, tests/sanity_test_vectors.h, and the values that the specification gives.
test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('XXH32 of %j', (text, hash) => {
  expect(xxHash32(Buffer.from(text))).toBe(hash);
});
