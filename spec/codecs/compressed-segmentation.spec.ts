import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compressedSegmentationCodec as cseg } from '../../lib/codecs/compressed-segmentation.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { BIT_WIDTHS, encodeCseg, fewestBits } from '../support/encode-cseg.ts';
import { fullDecodeCseg } from '../support/full-decode.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import { seeded } from '../../testing/random.ts';

const bytesOfWords = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

/** Lists values in their stored order: channel by channel. */
function decodeAll(bytes: Uint8Array, layout: ChunkLayout): bigint[] {
  const points = pointValues(cseg, bytes, layout, allOffsets(layout));
  return Array.from({ length: layout.channels }, (_, c) => points.map((values) => values[c])).flat();
}

describe('compressed_segmentation: decodePoints', () => {
  // Written by hand from the format's text. The sizes differ on every axis and the last block is clipped, so
  // a swapped axis cannot pass.
  const layout: ChunkLayout = { chunkSize: [3, 2, 1], blockSize: [2, 2, 1], channels: 1, dataType: 'uint64' };
  const bytes = bytesOfWords(1, (1 << 24) | 5, 4, 9, 0, 0b0110, 7, 0, 0xffffffff, 0xffffffff, 0, 1);
  const cases = [
    { name: 'the first voxel', offset: 0, label: 7n },
    { name: 'x before y', offset: 1, label: 2n ** 64n - 1n },
    { name: 'y before x', offset: 3, label: 2n ** 64n - 1n },
    { name: 'the end of a block', offset: 4, label: 7n },
    { name: 'a clipped block of 0 bits', offset: 5, label: 2n ** 32n },
  ];
  test.each(cases)('reads $name', ({ offset, label }) =>
    expect(pointValues(cseg, bytes, layout, Uint32Array.of(offset))).toEqual([[label]]),
  );

  test('gives TRUNCATED or the same label at every cut', () => {
    for (let length = 0; length < bytes.length; length++)
      for (const { offset, label } of cases)
        expect(['TRUNCATED', [[label]]]).toContainEqual(
          valuesOrCode(cseg, atOddOffset(bytes.subarray(0, length)), layout, Uint32Array.of(offset)),
        );
  });

  test('answers repeated voxels, keeps the order of the call, and writes to no other position', () => {
    const before = bytes.slice();
    const out = new Uint32Array(10);
    cseg.decodePoints(bytes, layout, Uint32Array.of(5, 0, 5), out, Uint32Array.of(4, 1, 0));
    expect([...out]).toEqual([0, 1, 7, 0, 0, 0, 0, 0, 0, 1]);
    expect(bytes).toEqual(before);
  });

  test('reads thousands of points in any order, in all channels', () => {
    const random = seeded(11),
      layout: ChunkLayout = {
        chunkSize: [17, 16, 15],
        blockSize: [8, 8, 8],
        channels: 2,
        dataType: 'uint64',
      };
    const voxels = voxelsOf(layout),
      labels = Array.from({ length: 9 }, (_, i) => 2n ** 60n + BigInt(i));
    const values = Array.from({ length: 2 * voxels }, () => random.pick(labels)),
      bytes = encodeCseg(values, layout);
    const all = [...allOffsets(layout)],
      offsets = Uint32Array.from({ length: 5000 }, () => random.pick(all));
    expect(pointValues(cseg, bytes, layout, offsets)).toEqual(
      Array.from(offsets, (offset) => [values[offset], values[voxels + offset]]),
    );
  });

  test('reads nothing for no points', () =>
    expect(pointValues(cseg, bytes, layout, new Uint32Array())).toEqual([]));
});

describe('compressed_segmentation: bit widths', () => {
  const random = seeded(3);
  const widths = BIT_WIDTHS.flatMap((bits) =>
    (['uint32', 'uint64'] as const).map((dataType) => ({ bits, dataType })),
  );
  test.each(widths)('reads blocks of $bits bits of $dataType', ({ bits, dataType }) => {
    const layout: ChunkLayout = { chunkSize: [11, 9, 7], blockSize: [8, 10, 7], channels: 1, dataType };
    const labels = Array.from(
      { length: Math.min(2 ** bits, 500) },
      (_, i) => BigInt(i) * (dataType === 'uint64' ? 0x1_0000_0001_0003n : 4_000_003n) + 2n ** 31n,
    );
    const values = Array.from({ length: voxelsOf(layout) }, () => random.pick(labels));
    const bytes = encodeCseg(values, layout, { bitsFor: () => bits });
    expect(decodeAll(bytes, layout)).toEqual(values);
    expect(decodeAll(atOddOffset(bytes), layout)).toEqual(values);
  });

  test.each([3, 5, 12, 24, 31, 33, 64, 255])('gives BAD_HEADER for %i bits', (bits) => {
    const layout: ChunkLayout = {
      chunkSize: [2, 1, 1],
      blockSize: [2, 1, 1],
      channels: 1,
      dataType: 'uint32',
    };
    expect(
      valuesOrCode(cseg, bytesOfWords(1, bits * 2 ** 24 + 3, 2, 0, 7, 8), layout, Uint32Array.of(1)),
    ).toBe('BAD_HEADER');
  });
});

describe('compressed_segmentation: several channels', () => {
  const layout: ChunkLayout = { chunkSize: [2, 1, 1], blockSize: [2, 1, 1], channels: 2, dataType: 'uint32' };

  test('counts offsets from the start of each channel', () => {
    const bytes = bytesOfWords(2, 6, 2, 0, 40, 0, (1 << 24) | 3, 2, 0b10, 50, 51);
    expect(pointValues(cseg, bytes, layout, allOffsets(layout))).toEqual([
      [40n, 50n],
      [40n, 51n],
    ]);
  });

  const starts = [
    { name: 'the first channel is not behind the offsets', words: [3, 5], code: 'BAD_HEADER' },
    { name: 'a channel lies among the offsets', words: [2, 1], code: 'BAD_HEADER' },
    { name: 'a channel is past the end', words: [2, 0xffffffff], code: 'TRUNCATED' },
    { name: 'a channel has no room for its headers', words: [2, 4], code: 'TRUNCATED' },
  ];
  test.each(starts)('gives $code when $name', ({ words, code }) => {
    expect(valuesOrCode(cseg, bytesOfWords(...words, 2, 0, 40), layout, Uint32Array.of(0))).toBe(code);
  });
});

describe('compressed_segmentation: numbers past 2^31', () => {
  // 2^32 voxels in four blocks of one label each.
  const four = bytesOfWords(1, 8, 0, 9, 0, 10, 0, 11, 0, 100, 101, 102, 103);
  const shapes: { chunkSize: Vec3; blockSize: Vec3; offsets: number[]; labels: bigint[] }[] = [
    {
      chunkSize: [2048, 1024, 2048],
      blockSize: [1024, 1024, 1024],
      offsets: [0, 1024, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1023, 2 ** 31 + 1024, 2 ** 32 - 1025, 2 ** 32 - 1],
      labels: [100n, 101n, 101n, 102n, 102n, 103n, 102n, 103n],
    },
    {
      chunkSize: [1, 2 ** 16, 2 ** 16],
      blockSize: [1, 2 ** 15, 2 ** 15],
      offsets: [2 ** 15 - 1, 2 ** 15, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 2 ** 15, 2 ** 32 - 1],
      labels: [100n, 101n, 101n, 102n, 103n, 103n],
    },
    {
      chunkSize: [1, 1, 2 ** 32],
      blockSize: [1, 1, 2 ** 30],
      offsets: [2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
      labels: [101n, 101n, 102n, 103n],
    },
  ];
  test.each(shapes)(
    'reads voxels whose offset passes 2^31 in a chunk of $chunkSize',
    ({ chunkSize, blockSize, offsets, labels }) => {
      const layout: ChunkLayout = { chunkSize, blockSize, channels: 1, dataType: 'uint32' };
      expect(pointValues(cseg, four, layout, Uint32Array.from(offsets)).flat()).toEqual(labels);
    },
  );

  const block: ChunkLayout = {
    chunkSize: [2 ** 14, 2 ** 14, 1],
    blockSize: [2 ** 14, 2 ** 14, 1],
    channels: 1,
    dataType: 'uint64',
  };
  const far = [
    { name: 'a bit offset of 2^32', words: [1, (32 << 24) | 2, 2, 0, 0], offset: 2 ** 27 },
    { name: 'packed values at 2^32 - 1', words: [1, (1 << 24) | 2, 0xffffffff, 0, 0], offset: 0 },
    { name: 'packed values one word past the end', words: [1, (1 << 24) | 2, 4, 0, 0], offset: 0 },
    { name: 'a table entry of 2^32 - 1', words: [1, (32 << 24) | 3, 2, 0xffffffff, 0, 0], offset: 0 },
    { name: 'a table entry of 2^31', words: [1, (32 << 24) | 3, 2, 0x80000000, 0, 0], offset: 0 },
    { name: 'a table at 2^24 - 1', words: [1, 0xffffff, 0, 0, 0], offset: 0 },
    { name: 'a label with its high word past the end', words: [1, 3, 0, 0, 0], offset: 0 },
  ];
  test.each(far)('gives TRUNCATED for $name', ({ words, offset }) => {
    expect(valuesOrCode(cseg, atOddOffset(bytesOfWords(...words)), block, Uint32Array.of(offset))).toBe(
      'TRUNCATED',
    );
  });
});

describe('compressed_segmentation: any chunk a writer can make', () => {
  const size = (max: number) =>
    fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
  const chunk = fc.record({
    chunkSize: size(9),
    blockSize: size(6),
    channels: fc.integer({ min: 1, max: 3 }),
    dataType: fc.constantFrom('uint32' as const, 'uint64' as const),
    labels: fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 60 }),
    shareTables: fc.boolean(),
    seed: fc.integer(),
  });

  test('is read voxel by voxel as it was written, as by a full decode, and within maxBytes', () => {
    fc.assert(
      fc.property(chunk, ({ labels, shareTables, seed, ...layout }) => {
        const random = seeded(seed);
        const fitting = labels.map((label) => (layout.dataType === 'uint32' ? label % 2n ** 32n : label));
        const values = Array.from({ length: voxelsOf(layout) * layout.channels }, () => random.pick(fitting));
        const bytes = encodeCseg(values, layout, {
          shareTables,
          bitsFor: (count) => random.pick(BIT_WIDTHS.filter((bits) => bits >= fewestBits(count))),
          order: (count) => Array.from({ length: count }, (_, i) => i).sort(() => random.below(3) - 1),
        });
        expect(decodeAll(bytes, layout)).toEqual(values);
        expect(fullDecodeCseg(bytes, layout)).toEqual(values);
        expect(bytes.length).toBeLessThanOrEqual(cseg.maxBytes(layout));
      }),
      { seed: 20240605, numRuns: 300 },
    );
  });
});

describe('compressed_segmentation: sizes', () => {
  test.each([
    { dataType: 'uint32' as const, width: 4 },
    { dataType: 'uint64' as const, width: 8 },
  ])(
    'limits $dataType to 32 bits per voxel and a full table per block, and the limit can be reached',
    ({ dataType, width }) => {
      const layout: ChunkLayout = { chunkSize: [5, 4, 3], blockSize: [4, 4, 3], channels: 2, dataType };
      expect(cseg.maxBytes(layout)).toBe(2 * (4 + 2 * (8 + 48 * (4 + width))));
      const whole: ChunkLayout = { ...layout, chunkSize: [8, 4, 3] };
      const values = Array.from({ length: 2 * voxelsOf(whole) }, (_, i) => BigInt(i));
      expect(encodeCseg(values, whole, { bitsFor: () => 32 }).length).toBe(cseg.maxBytes(whole));
    },
  );

  test('are not fixed', () => expect(cseg).not.toHaveProperty('exactBytes'));

  test('require a block size', () => {
    const layout: ChunkLayout = { chunkSize: [1, 1, 1], channels: 1, dataType: 'uint32' };
    expect(() => pointValues(cseg, new Uint8Array(16), layout, Uint32Array.of(0))).toThrow(TypeError);
    expect(() => cseg.maxBytes(layout)).toThrow(TypeError);
  });
});
