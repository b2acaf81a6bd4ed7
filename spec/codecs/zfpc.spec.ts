/**
 * Compares the zfpc codec with zfp's own decoder: whole chunks, single voxels, blocks that are moved over; then
 * chunks that do not fit their layout or are damaged.
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { zfpcCodec } from '../../lib/codecs/zfpc.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import { zfpcCases, type ZfpcCase } from '../support/zfpc-cases.ts';
import { seeded } from '../../testing/random.ts';

const CASES = zfpcCases();
const caseNamed = (name: string): ZfpcCase => CASES.find((one) => one.name === name)!;
const toRaw = (chunk: Uint8Array, layout: ChunkLayout): Uint8Array =>
  runWithoutPause(zfpcCodec.toRaw!(chunk, layout));
const edited = (bytes: Uint8Array, edits: Record<number, number>): Uint8Array =>
  Object.assign(Uint8Array.from(bytes), edits);

describe('zfpc: chunks written by the package', () => {
  test.each(CASES)(
    'give the values of zfp itself, whole and voxel by voxel: $name',
    ({ chunk, layout, sha256 }) => {
      const odd = atOddOffset(chunk),
        before = Uint8Array.from(odd);
      const raw = toRaw(odd, layout),
        offsets = allOffsets(layout);
      expect(createHash('sha256').update(raw).digest('hex')).toBe(sha256);
      const expected = pointValues(rawCodec, raw, layout, offsets),
        read = pointValues(zfpcCodec, odd, layout, offsets);
      expect(read.findIndex((values, i) => String(values) !== String(expected[i]))).toBe(-1);
      const random = seeded(5);
      for (let k = 0; k < 6; k++) {
        const offset = random.below(voxelsOf(layout));
        expect(pointValues(zfpcCodec, odd, layout, Uint32Array.of(offset, offset))).toEqual([
          expected[offset],
          expected[offset],
        ]);
      }
      expect(Buffer.compare(odd, before)).toBe(0); // the input is not written to
    },
  );

  test('are no larger than maxBytes', () => {
    for (const { chunk, layout } of CASES)
      expect(chunk.length).toBeLessThanOrEqual(zfpcCodec.maxBytes(layout));
  });

  test('are written where outIndex says, and nowhere else', () => {
    const { chunk, layout } = caseNamed('smooth float64 5,6,3,2, xyzc, tolerance 0.01'),
      [values] = pointValues(zfpcCodec, chunk, layout, Uint32Array.of(7)),
      out = new Uint32Array(12).fill(5);
    runWithoutPause(zfpcCodec.decodePoints(chunk, layout, Uint32Array.of(7), out, Uint32Array.of(1)));
    const words = values.flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)]);
    expect(Array.from(out)).toEqual([5, 5, 5, 5, ...words, 5, 5, 5, 5]);
  });

  test('give no values for no points', () =>
    expect(pointValues(zfpcCodec, CASES[0].chunk, CASES[0].layout, new Uint32Array())).toEqual([]));

  test('are decoded with pauses if they are large', () => {
    const { chunk, layout } = repeatStream(caseNamed('smooth float32 5,7,6,2, x, precision 20'), 4000);
    const work = zfpcCodec.toRaw!(chunk, layout);
    let pauses = 0;
    for (let step = work.next(); !step.done; step = work.next()) pauses++;
    expect(pauses).toBeGreaterThan(10);
  });
});

/** Makes a chunk of `count` slices of one line: each is the first stream of a chunk with one stream per line. */
function repeatStream(
  { chunk, layout }: ZfpcCase,
  count: number,
): { chunk: Uint8Array; layout: ChunkLayout } {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength),
    start = view.getUint32(23, true),
    length = view.getUint32(31, true),
    bytes = new Uint8Array(31 + 8 * count + count * length),
    made = new DataView(bytes.buffer);
  bytes.set(chunk.subarray(0, 23));
  for (const [axis, size] of [layout.chunkSize[0], 1, count, 1].entries())
    made.setUint32(6 + 4 * axis, size, true);
  made.setUint32(23, 31 + 8 * count, true);
  for (let i = 0; i < count; i++) {
    made.setUint32(31 + 8 * i, length, true);
    bytes.set(chunk.subarray(start, start + length), 31 + 8 * count + i * length);
  }
  return { chunk: bytes, layout: { ...layout, chunkSize: [layout.chunkSize[0], 1, count], channels: 1 } };
}

const RATE = caseNamed('smooth float32 5,7,6,2, xyz, rate 9'),
  LOSSLESS = caseNamed('smooth float32 5,7,6,2, xyz, lossless');
const first = 31 + 8 * 2; // where the first of two streams starts

describe('zfpc: a chunk that does not fit the layout', () => {
  const cases: { name: string; change: Partial<ChunkLayout>; message: string }[] = [
    {
      name: 'another size',
      change: { chunkSize: [7, 5, 6] },
      message: 'zfpc: an array of 5,7,6,2, expected 7,5,6 voxels and 2 channel(s)',
    },
    {
      name: 'another number of channels',
      change: { channels: 1 },
      message: 'zfpc: an array of 5,7,6,2, expected 5,7,6 voxels and 1 channel(s)',
    },
    {
      name: 'another data type',
      change: { dataType: 'int32' },
      message: 'zfpc: data type float32, expected int32',
    },
  ];
  test.each(cases)('is refused: $name', ({ change, message }) =>
    expect(() => toRaw(LOSSLESS.chunk, { ...LOSSLESS.layout, ...change })).toThrow(
      expect.objectContaining({ name: 'DecodeError', code: 'BAD_HEADER', message }),
    ),
  );

  test('is read if the array lacks the last dimensions, and they are 1 long', () => {
    const { chunk, layout, sha256 } = caseNamed('constant float32 5,4,3,1, xyz, lossless');
    const three = edited(chunk, { 18: 0 });
    expect(createHash('sha256').update(toRaw(three, layout)).digest('hex')).toBe(sha256);
  });
});

describe('zfpc: damaged chunks', () => {
  const cases: { name: string; edits: Record<number, number>; code: string }[] = [
    { name: 'another magic', edits: { 0: 0x5a }, code: 'BAD_HEADER' },
    { name: 'a later version', edits: { 4: 1 }, code: 'UNSUPPORTED' },
    { name: 'data type 0', edits: { 5: 0x28 }, code: 'BAD_HEADER' },
    { name: 'data type 5', edits: { 5: 0x2d }, code: 'BAD_HEADER' },
    { name: 'no correlated dimension', edits: { 22: 0 }, code: 'BAD_HEADER' },
    { name: 'other correlated dimensions', edits: { 22: 0x0b }, code: 'BAD_HEADER' },
    { name: 'an index that starts within the header', edits: { 23: 5 }, code: 'BAD_HEADER' },
    { name: 'a stream that starts after the chunk', edits: { 26: 1 }, code: 'TRUNCATED' },
    { name: 'a stream of 2^56 bytes', edits: { 38: 1 }, code: 'TRUNCATED' },
    { name: 'a stream of 0 bytes', edits: { 31: 0, 32: 0 }, code: 'TRUNCATED' },
    { name: 'a stream of another format', edits: { [first]: 0 }, code: 'BAD_HEADER' },
    { name: 'another version of zfp', edits: { [first + 3]: 4 }, code: 'UNSUPPORTED' },
    { name: 'a stream of another size', edits: { [first + 6]: 9 }, code: 'BAD_HEADER' },
  ];
  test.each(cases)('are refused: $name', ({ edits, code }) =>
    expect(valuesOrCode(zfpcCodec, edited(LOSSLESS.chunk, edits), LOSSLESS.layout, Uint32Array.of(0))).toBe(
      code,
    ),
  );

  test.each([
    { name: 'precision 65', low: 2048 + 64 },
    { name: 'precision 128', low: 2048 + 127 },
  ])('are refused: $name', ({ low }) => {
    const damaged = edited(LOSSLESS.chunk, {
      [first + 10]: (LOSSLESS.chunk[first + 10] & 15) | ((low & 15) << 4),
      [first + 11]: low >> 4,
    });
    expect(valuesOrCode(zfpcCodec, damaged, LOSSLESS.layout, Uint32Array.of(0))).toBe('BAD_HEADER');
  });

  test('are refused if the stream of the last channel is cut', () =>
    expect(
      valuesOrCode(
        zfpcCodec,
        LOSSLESS.chunk.subarray(0, LOSSLESS.chunk.length - 8),
        LOSSLESS.layout,
        Uint32Array.of(0),
      ),
    ).toBe('TRUNCATED'));

  test('give the same voxels at a fixed rate, although other blocks are damaged', () => {
    const { chunk, layout } = RATE,
      right = pointValues(zfpcCodec, chunk, layout, Uint32Array.of(0)),
      damaged = Uint8Array.from(chunk);
    // The first block of each stream ends after 12 bytes of header and 9 x 64 bits.
    const view = new DataView(damaged.buffer),
      second = first + view.getUint32(31, true);
    damaged.fill(0xff, first + 12 + 72, second).fill(0xff, second + 12 + 72);
    expect(pointValues(zfpcCodec, damaged, layout, Uint32Array.of(0))).toEqual(right);
  });
});
