/**
 * The contract of all inflaters. Expected values are the original content, and zlib's own answer to each
 * broken stream.
 */
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { DecodeError } from '../../lib/base/errors.ts';
import type { Inflater, ZlibFormat } from '../../lib/compression/inflater.ts';
import { inflateStepsWithZlib } from '../../lib/compression/node/inflate-steps.ts';
import { nodeInflater } from '../../lib/compression/node/zlib-inflater.ts';
import { adler32, crc32 } from '../../lib/compression/portable/checksums.ts';
import { inflateStepsPortably } from '../../lib/compression/portable/inflate-steps-portably.ts';
import { portableInflater } from '../../lib/compression/portable/fflate-inflater.ts';
import { seeded } from '../../testing/random.ts';
import { rounds } from '../support/rounds.ts';

type Encoder = (bytes: Uint8Array, options?: { level?: number }) => Uint8Array;
const ENCODERS: [ZlibFormat, Encoder][] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
];
const PLATFORMS: [string, Inflater][] = [
  ['node', nodeInflater],
  ['portable', portableInflater],
];

/** Makes labels in runs, as chunks have them. */
function content(length: number, seed = length): Uint8Array {
  const random = seeded(seed + 1),
    out = new Uint8Array(length);
  for (let at = 0; at < length;) out.fill(random.below(7), at, (at += 1 + random.below(200)));
  return out;
}

/** Makes a gzip member with every optional header field. */
function memberWithFields(bytes: Uint8Array): Uint8Array {
  const head = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 1, 2, 3, 4, 0, 255, 3, 0, 9, 9, 9]),
    Buffer.from('name\0a comment\0', 'latin1'),
  ]);
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc32(head) & 0xffff);
  return Buffer.concat([head, check, deflateRawSync(bytes), gzipSync(bytes).subarray(-8)]);
}

type Outcome = string | Uint8Array;
const outcomeOf = async (work: () => Uint8Array | Promise<Uint8Array>): Promise<Outcome> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return error.code;
  }
};
const shown = (outcome: Outcome): string =>
  typeof outcome === 'string' ? outcome : `${outcome.length} bytes, CRC ${crc32(outcome)}`;

async function windowed(
  inflater: Inflater,
  format: ZlibFormat,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let at = 0;
  const total = await inflater.inflateWindows(format, bytes, { maxBytes }, (window, start) => {
    expect(start).toBe(at);
    at += window.length;
    pieces.push(window.slice());
  });
  expect(total).toBe(at);
  return Buffer.concat(pieces);
}

describe.each(PLATFORMS)('the inflater of the platform: %s', (_name, inflater) => {
  describe.each(ENCODERS)('%s', (format, encode) => {
    test.each([0, 1, 1000, 70_000, 3_000_000])('reads %i bytes, whole and in windows', async (length) => {
      const bytes = content(length),
        stored = new Uint8Array([0xaa, ...encode(bytes), 0xbb]).subarray(1, -1);
      for (const expectedBytes of [length, undefined, 10, length + 1000]) {
        const out = await inflater.inflate(format, stored, { maxBytes: length + 1000, expectedBytes });
        expect(Buffer.compare(out, bytes)).toBe(0);
        expect(out.buffer.byteLength).toBeLessThanOrEqual(1024 + length * 1.125);
      }
      expect(Buffer.compare(await windowed(inflater, format, stored, length), bytes)).toBe(0);
    });

    test('reads content that does not shrink, and fixed and stored blocks', async () => {
      const random = seeded(3),
        noise = new Uint8Array(100_000).map(() => random.below(256));
      for (const bytes of [noise, content(20)])
        for (const level of [0, 1, 9]) {
          const out = await inflater.inflate(format, encode(bytes, { level }), { maxBytes: bytes.length });
          expect(Buffer.compare(out, bytes)).toBe(0);
        }
    });

    test('refuses more content than maxBytes', async () => {
      for (const length of [2, 70_000, 3_000_000]) {
        const stored = encode(content(length)),
          maxBytes = length - 1;
        expect(await outcomeOf(() => inflater.inflate(format, stored, { maxBytes }))).toBe('TOO_LARGE');
        expect(await outcomeOf(() => windowed(inflater, format, stored, maxBytes))).toBe('TOO_LARGE');
      }
    });

    test('does not allocate the output of a decompression bomb', async () => {
      const bomb = encode(new Uint8Array(64 << 20)),
        before = process.memoryUsage.rss();
      expect(await outcomeOf(() => inflater.inflate(format, bomb, { maxBytes: 100_000 }))).toBe('TOO_LARGE');
      expect(process.memoryUsage.rss() - before).toBeLessThan(32 << 20);
    });

    test('throws TRUNCATED for a stream that is cut at any byte', async () => {
      const stored = encode(content(2000));
      for (let length = 0; length < stored.length; length++) {
        const cut = stored.subarray(0, length);
        expect([length, await outcomeOf(() => inflater.inflate(format, cut, { maxBytes: 4000 }))]).toEqual([
          length,
          'TRUNCATED',
        ]);
      }
    });

    test('throws BAD_CHECKSUM for a wrong checksum or length', async () => {
      const stored = encode(content(2000));
      for (let back = 1; back <= (format === 'gzip' ? 8 : 4); back++) {
        const changed = stored.slice();
        changed[changed.length - back] ^= 0x10;
        expect(await outcomeOf(() => inflater.inflate(format, changed, { maxBytes: 4000 }))).toBe(
          'BAD_CHECKSUM',
        );
        expect(await outcomeOf(() => windowed(inflater, format, changed, 4000))).toBe('BAD_CHECKSUM');
      }
    });

    test('reads changed bytes as zlib does, or refuses them as zlib does', async () => {
      const random = seeded(77),
        stored = encode(content(3000)),
        undo = format === 'gzip' ? gunzipSync : inflateSync;
      let refused = 0;
      for (let round = 0; round < rounds(400); round++) {
        const changed = stored.slice(0, round % 3 === 0 ? 1 + random.below(stored.length) : undefined);
        for (let k = random.below(3); k >= 0; k--) changed[random.below(changed.length)] = random.below(256);
        let truth: Uint8Array | undefined;
        try {
          truth = undo(changed, { maxOutputLength: 10_000 });
        } catch {
          refused++;
        }
        const outcome = await outcomeOf(() => inflater.inflate(format, changed, { maxBytes: 10_000 }));
        if (truth) expect([round, shown(outcome)]).toEqual([round, shown(truth)]);
        else expect(['TRUNCATED', 'BAD_BITSTREAM', 'BAD_CHECKSUM', 'TOO_LARGE']).toContain(outcome);
      }
      expect(refused).toBeGreaterThan(rounds(130));
    });

    test('rejects with what onWindow throws, and with the reason of an abort', async () => {
      const stored = encode(content(3_000_000)),
        limits = { maxBytes: 3_000_000 };
      const refusal = new Error('not this one'),
        reason = new Error('enough');
      const throwing = inflater.inflateWindows(format, stored, limits, () => {
        throw refusal;
      });
      await expect(throwing).rejects.toBe(refusal);
      const signal = AbortSignal.abort(reason);
      await expect(
        inflater.inflateWindows(format, stored, { ...limits, signal }, () => undefined),
      ).rejects.toBe(reason);
    });
  });

  test('reads every member of a gzip stream, and checks each', async () => {
    const parts = [content(1000), new Uint8Array(0), content(70_000), content(3)];
    const members = [
      gzipSync(parts[0]),
      gzipSync(parts[1]),
      memberWithFields(parts[2]),
      gzipSync(parts[3], { level: 0 }),
    ];
    const all = Buffer.concat(parts),
      size = { maxBytes: all.length };
    for (const padding of [0, 1, 20])
      expect(
        Buffer.compare(
          await inflater.inflate('gzip', Buffer.concat([...members, Buffer.alloc(padding)]), size),
          all,
        ),
      ).toBe(0);
    for (const [k, member] of members.entries()) {
      const changed = Uint8Array.from(member);
      changed[changed.length - 6] ^= 1;
      const stream = Buffer.concat(members.map((other, at) => (at === k ? changed : other)));
      expect(await outcomeOf(() => inflater.inflate('gzip', stream, size))).toBe('BAD_CHECKSUM');
    }
  });

  test('treats other bytes than padding after a member as a broken stream', async () => {
    const stored = gzipSync(content(1000)),
      maxBytes = 2000;
    const behind = (...bytes: number[]): Promise<Outcome> =>
      outcomeOf(() => inflater.inflate('gzip', Buffer.concat([stored, Buffer.from(bytes)]), { maxBytes }));
    expect(await behind(1, 2, 3)).toBe('BAD_BITSTREAM');
    expect(await behind(0x1f, 0x8b, 8)).toBe('TRUNCATED');
    expect(shown(await behind(0, 1, 2, 3))).toBe(shown(content(1000)));
  });

  test('ignores bytes after a zlib stream', async () => {
    const stored = Buffer.concat([deflateSync(content(1000)), Buffer.from('more')]);
    expect(shown(await inflater.inflate('deflate', stored, { maxBytes: 1000 }))).toBe(shown(content(1000)));
  });

  test.each([
    ['bytes that are not gzip', [0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['another compression method', [0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 3, 0]],
    ['reserved flags', [0x1f, 0x8b, 8, 0x20, 0, 0, 0, 0, 0, 0, 3, 0]],
    [
      'a header with a wrong checksum',
      [0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ],
    ['a block of a type that does not exist', [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0]],
  ])('throws BAD_BITSTREAM for %s', async (_what, bytes) => {
    const outcome = await outcomeOf(() =>
      inflater.inflate('gzip', Uint8Array.from(bytes), { maxBytes: 100 }),
    );
    expect(outcome).toBe('BAD_BITSTREAM');
  });
});

describe('brotli', () => {
  const bytes = content(70_000);
  const stored = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });

  test('is read by Node', async () =>
    expect(shown(await nodeInflater.inflate('br', stored, { maxBytes: 70_000 }))).toBe(shown(bytes)));

  test('is UNSUPPORTED by the portable inflater', async () => {
    expect(await outcomeOf(() => portableInflater.inflate('br', stored, { maxBytes: 70_000 }))).toBe(
      'UNSUPPORTED',
    );
    expect(await outcomeOf(() => windowed(portableInflater, 'br', stored, 70_000))).toBe('UNSUPPORTED');
  });
});

describe('checksums', () => {
  test('equal those of zlib, in any pieces', () => {
    const random = seeded(5);
    for (let round = 0; round < 100; round++) {
      const bytes = new Uint8Array(random.below(20_000)).map(() => random.below(256)),
        cut = random.below(bytes.length + 1);
      const crc = gzipSync(bytes).readUInt32LE(gzipSync(bytes).length - 8),
        zlib = deflateSync(bytes);
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc);
      expect(adler32(bytes.subarray(cut), adler32(bytes.subarray(0, cut)))).toBe(
        zlib.readUInt32BE(zlib.length - 4),
      );
    }
    expect(adler32(new Uint8Array(1_000_000).fill(255))).toBe(
      deflateSync(new Uint8Array(1_000_000).fill(255)).subarray(-4).readUInt32BE(),
    );
  });
});

describe.each([
  ['node', inflateStepsWithZlib],
  ['portable', inflateStepsPortably],
])('inflateSteps, %s', (_, inflateSteps) => {
  /** Inflates pieces of `size` bytes. */
  function inflateIn(bytes: Uint8Array, size: number, wanted = Infinity): Outcome {
    const found: Buffer[] = [];
    let length = 0;
    function* pieces(): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    try {
      runWithoutPause(
        inflateSteps(pieces(), (window) => {
          found.push(Buffer.from(window));
          return (length += window.length) < wanted;
        }),
      );
    } catch (error) {
      if (error instanceof DecodeError) return error.code;
      throw error;
    }
    return Buffer.concat(found);
  }

  test.each([1, 7, 4096, 1e6])('gives the content of a stream in pieces of %d bytes', (size) => {
    for (const length of [0, 1, 32_768, 200_000]) {
      const bytes = content(length),
        stream = deflateSync(bytes);
      expect(shown(inflateIn(stream, size))).toBe(shown(bytes));
      expect(shown(inflateIn(Buffer.concat([stream, Buffer.alloc(9, 7)]), size))).toBe(shown(bytes));
    }
  });

  test('gives what there is of a stream that is cut, and a code for a broken one', () => {
    const bytes = content(100_000),
      stream = deflateSync(bytes);
    for (let cut = 0; cut < stream.length; cut += 97) {
      const found = inflateIn(stream.subarray(0, cut), 50) as Uint8Array;
      expect(Buffer.compare(found, bytes.subarray(0, found.length))).toBe(0);
    }
    expect(inflateIn(Buffer.from('not a stream'), 5)).toBe('BAD_BITSTREAM');
  });

  test('stops when no more is wanted, and takes no more pieces than it needs', () => {
    const stream = deflateSync(Buffer.alloc(2 ** 24));
    expect(inflateIn(stream, 100, 10).length).toBeLessThan(300_000);
  });
});
