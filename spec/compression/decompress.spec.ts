import { describe, expect, test } from '@jest/globals';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { decompress, sniffBitstream, type DecompressOptions } from '../../lib/compression/decompress.ts';
import { DecodeError } from '../../lib/base/errors.ts';
import { seeded } from '../../testing/random.ts';
import { ZSTD_CASES, zstdRaw } from './zstd-cases.ts';
import { rounds } from '../support/rounds.ts';

/** Makes labels in runs, as chunks have them. */
function content(length: number): Uint8Array {
  const random = seeded(length),
    out = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const run = 1 + random.below(200),
      value = random.below(7);
    out.fill(value, at, (at += run));
  }
  return out;
}
const SIZES = [0, 1, 1000, 70_000, 3_000_000];
const brotli = (bytes: Uint8Array): Uint8Array =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
const ENCODERS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotli,
  zstd: zstdRaw,
};
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const codeOf = async (bytes: Uint8Array, encoding: string, options: DecompressOptions): Promise<string> => {
  try {
    await decompress(bytes, encoding, options);
    return 'none';
  } catch (error) {
    return error instanceof DecodeError ? error.code : String(error);
  }
};

describe('decompress', () => {
  for (const [encoding, encode] of Object.entries(ENCODERS))
    test.each(SIZES)(`reads ${encoding} of %i bytes, with a known, bounded or wrong size`, async (length) => {
      const bytes = content(length);
      // A view at an odd offset of a larger buffer: the bytes around it must not be read.
      const stored = new Uint8Array([0xaa, ...encode(bytes), 0xbb]).subarray(1, -1);
      for (const options of [
        { maxBytes: length, exactBytes: length },
        { maxBytes: length },
        { maxBytes: length + 100_000, exactBytes: 10 },
      ]) {
        const result = await decompress(stored, encoding, options);
        expect(same(result, bytes)).toBe(true);
        expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
        expect(result.buffer.byteLength).toBeLessThanOrEqual(1024 + length * 1.125);
      }
    });

  test.each(Object.entries(ENCODERS))('refuses %s of more than maxBytes', async (encoding, encode) => {
    for (const length of [2, 70_000, 3_000_000])
      expect(await codeOf(encode(content(length)), encoding, { maxBytes: length - 1 })).toBe('TOO_LARGE');
  });
  test.each(['gzip', 'br'])(
    'refuses a decompression bomb of %s without allocating its output',
    async (encoding) => {
      const bomb = ENCODERS[encoding](new Uint8Array(64 << 20));
      const before = process.memoryUsage.rss();
      expect(await codeOf(bomb, encoding, { maxBytes: 100_000 })).toBe('TOO_LARGE');
      expect(process.memoryUsage.rss() - before).toBeLessThan(32 << 20);
    },
  );

  test.each([undefined, '', 'identity', ' Identity , '])(
    'returns the same bytes for the encoding %j',
    (encoding) => {
      const bytes = content(10);
      expect(decompress(bytes, encoding, { maxBytes: 10 })).toBe(bytes);
    },
  );
  test.each([[1000], [3_000_000]])(
    'decodes several encodings, the last one first (%i bytes)',
    async (length) => {
      const bytes = content(length);
      const stored = gzipSync(gzipSync(brotli(bytes)));
      expect(same(await decompress(stored, 'br, GZIP,gzip', { maxBytes: length }), bytes)).toBe(true);
    },
  );
  test.each(['compress', 'gzip, gzip, gzip, gzip', 'constructor', 'aws-chunked'])(
    'refuses %s',
    async (encoding) => {
      expect(await codeOf(content(10), encoding, { maxBytes: 10 })).toBe('UNSUPPORTED');
    },
  );
  test('ignores padding after a gzip stream, as zlib does, and reads several members', async () => {
    const bytes = content(1000),
      stored = gzipSync(bytes);
    expect(
      same(await decompress(Buffer.concat([stored, Buffer.alloc(20)]), 'gzip', { maxBytes: 2000 }), bytes),
    ).toBe(true);
    expect((await decompress(Buffer.concat([stored, stored]), 'gzip', { maxBytes: 2000 })).length).toBe(2000);
  });

  test('rejects with the reason of an abort', async () => {
    const reason = new Error('enough'),
      controller = new AbortController();
    const stored = gzipSync(content(3_000_000));
    expect(() => decompress(stored, 'gzip', { maxBytes: 3e6, signal: AbortSignal.abort(reason) })).toThrow(
      reason,
    );
    const result = decompress(stored, 'gzip', { maxBytes: 3e6, signal: controller.signal });
    controller.abort(reason);
    await expect(result).rejects.toBe(reason);
  });
});

describe('a broken stream', () => {
  const bytes = content(2000);
  const codes = ['TRUNCATED', 'BAD_BITSTREAM', 'BAD_CHECKSUM', 'TOO_LARGE', 'UNSUPPORTED'];
  const streams: [string, Uint8Array, Uint8Array][] = [
    ...(['gzip', 'deflate', 'br'] as const).map((name): [string, Uint8Array, Uint8Array] => [
      name,
      ENCODERS[name](bytes),
      bytes,
    ]),
    ...ZSTD_CASES.map(({ stored, content: inside }): [string, Uint8Array, Uint8Array] => [
      'zstd',
      stored,
      inside,
    ]),
  ];
  test.each(streams)(
    'of %s is TRUNCATED or BAD_BITSTREAM if it is cut anywhere',
    async (encoding, stored) => {
      const step = Math.max(1, Math.floor(stored.length / 500));
      for (let length = 0; length < stored.length; length += step)
        expect(['TRUNCATED', 'BAD_BITSTREAM']).toContain(
          await codeOf(stored.subarray(0, length), encoding, { maxBytes: 1 << 20 }),
        );
    },
  );
  test.each(streams)(
    'of %s with changed bytes gives an error or at most maxBytes',
    async (encoding, stored, inside) => {
      const random = seeded(stored.length),
        maxBytes = inside.length + 1000;
      for (let round = 0; round < rounds(250); round++) {
        const changed = stored.slice();
        for (let k = random.below(3); k >= 0; k--) changed[random.below(changed.length)] = random.below(256);
        const result = await codeOf(changed, encoding, { maxBytes });
        if (result !== 'none') expect(codes).toContain(result);
        else expect((await decompress(changed, encoding, { maxBytes })).length).toBeLessThanOrEqual(maxBytes);
      }
    },
  );
  test('of gzip gives an error for every flipped bit in its content', async () => {
    const stored = gzipSync(bytes);
    for (let at = 10; at < stored.length; at++) {
      const changed = stored.slice();
      changed[at] ^= 1 << (at % 8);
      expect(['TRUNCATED', 'BAD_BITSTREAM', 'BAD_CHECKSUM', 'TOO_LARGE']).toContain(
        await codeOf(changed, 'gzip', { maxBytes: 4000 }),
      );
    }
  });
});

test.each([
  [[0x1f, 0x8b, 8], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd, 0], 'zstd'],
  [[0x1f, 0x8b, 7], undefined],
  [[0x28, 0xb5, 0x2f], undefined],
  [[], undefined],
])('sniffBitstream: %j is %s', (bytes, name) => expect(sniffBitstream(Uint8Array.from(bytes))).toBe(name));
