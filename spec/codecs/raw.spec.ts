import { describe, expect, test } from '@jest/globals';
import { rawCodec } from '../../lib/codecs/raw.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { bytesPerValue, DATA_TYPES, wordsView } from '../../lib/precomputed/data-type.ts';
import type { DataType, ValueArray } from '../../lib/precomputed/data-type.ts';
import { fullDecodeRaw } from '../support/full-decode.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import { seeded } from '../../testing/random.ts';

const TYPES = Object.keys(DATA_TYPES) as DataType[];
const layoutOf = (dataType: DataType, channels: number): ChunkLayout => ({
  chunkSize: [5, 3, 2],
  channels,
  dataType,
});

function randomBytes(length: number, seed: number): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length }, () => random.below(256));
}

describe('raw: decodePoints', () => {
  const cases = TYPES.flatMap((dataType) => [1, 2, 3].map((channels) => ({ dataType, channels })));

  test.each(cases)(
    'reads every voxel of $channels channel(s) of $dataType at any byteOffset',
    ({ dataType, channels }) => {
      const layout = layoutOf(dataType, channels);
      const bytes = randomBytes(voxelsOf(layout) * channels * bytesPerValue(dataType), channels);
      const full = fullDecodeRaw(bytes, bytesPerValue(dataType));
      const expected = Array.from(allOffsets(layout), (offset) =>
        Array.from({ length: channels }, (_, c) => full[c * voxelsOf(layout) + offset]),
      );
      expect(pointValues(rawCodec, bytes, layout, allOffsets(layout))).toEqual(expected);
      expect(pointValues(rawCodec, atOddOffset(bytes), layout, allOffsets(layout))).toEqual(expected);
    },
  );

  const signed: { dataType: DataType; values: (number | bigint)[] }[] = [
    { dataType: 'int8', values: [-1, -128, 127] },
    { dataType: 'uint16', values: [65535, 0, 1] },
    { dataType: 'int32', values: [-1, -(2 ** 31), 2 ** 31 - 1] },
    { dataType: 'uint32', values: [2 ** 32 - 1, 2 ** 31, 0] },
    { dataType: 'uint64', values: [2n ** 64n - 1n, 2n ** 53n + 1n, 2n ** 32n] },
    { dataType: 'int64', values: [-1n, -(2n ** 63n), 2n ** 53n + 1n] },
    { dataType: 'float32', values: [NaN, -0, -Infinity] },
    { dataType: 'float64', values: [NaN, -0, 5e-324] },
  ];
  test.each(signed)('keeps the sign and every bit of $dataType', ({ dataType, values }) => {
    const stored = (DATA_TYPES[dataType] as unknown as { from(values: unknown[]): ValueArray }).from(values);
    const bytes = new Uint8Array(stored.buffer);
    const out = new DATA_TYPES[dataType](3);
    rawCodec.decodePoints(
      bytes,
      { chunkSize: [1, 3, 1], channels: 1, dataType },
      Uint32Array.of(2, 0, 1),
      wordsView(out),
      Uint32Array.of(2, 0, 1),
    );
    expect(out).toEqual(stored);
  });

  test('answers repeated voxels, keeps the order of the call, and writes to no other position', () => {
    const layout: ChunkLayout = { chunkSize: [3, 2, 1], channels: 2, dataType: 'uint8' };
    const bytes = Uint8Array.of(10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25);
    const before = bytes.slice();
    const out = new Uint8Array(10);
    rawCodec.decodePoints(bytes, layout, Uint32Array.of(4, 0, 4), out, Uint32Array.of(3, 1, 0));
    expect([...out]).toEqual([14, 24, 10, 20, 0, 0, 14, 24, 0, 0]);
    expect(bytes).toEqual(before);
  });

  test.each([-1, 1, -120, 120])('throws WRONG_SIZE with both sizes for %i extra bytes', (excess) => {
    const bytes = new Uint8Array(120 + excess);
    const message = `raw chunk of 5,3,2 voxels, 1 channel(s) of uint32: expected 120 bytes, got ${120 + excess}`;
    expect(() => pointValues(rawCodec, bytes, layoutOf('uint32', 1), Uint32Array.of(0))).toThrow(
      expect.objectContaining({ name: 'DecodeError', code: 'WRONG_SIZE', message }),
    );
  });

  test('throws WRONG_SIZE at every cut', () => {
    const layout = layoutOf('uint16', 2);
    const bytes = randomBytes(120, 9);
    for (let length = 0; length < bytes.length; length++)
      expect(valuesOrCode(rawCodec, bytes.subarray(0, length), layout, Uint32Array.of(0))).toBe('WRONG_SIZE');
  });
});

describe('raw: sizes', () => {
  test.each(TYPES)('are exact for %s chunks', (dataType) => {
    const layout = layoutOf(dataType, 3);
    expect(rawCodec.exactBytes?.(layout)).toBe(90 * bytesPerValue(dataType));
    expect(rawCodec.maxBytes(layout)).toBe(90 * bytesPerValue(dataType));
  });

  test('include all data types', () => expect(rawCodec.dataTypes).toEqual(TYPES));
});
