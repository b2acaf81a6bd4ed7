/**
 * Compares the compresso codec with the package that defines the format: whole chunks, slices, single voxels;
 * then invalid streams.
 */
import { describe, expect, test } from '@jest/globals';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { compressoCodec } from '../../lib/codecs/compresso.ts';
import { wordsPerValue } from '../../lib/precomputed/data-type.ts';
import { compressoCases } from '../support/compresso-cases.ts';
import type { CompressoCase } from '../support/compresso-cases.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import { seeded } from '../../testing/random.ts';

const CASES = compressoCases();
const caseNamed = (name: string): CompressoCase => CASES.find((one) => one.name === name)!;
const SPECKLED = caseNamed('speckled uint64, steps (4, 4, 1), index');

/** Returns the expected values at `offsets`, packed like the output. */
function expectedAt({ expected, layout }: CompressoCase, offsets: ArrayLike<number>): number[] {
  const words = wordsPerValue(layout.dataType);
  return Array.from(offsets).flatMap((offset) =>
    Array.from(expected.subarray(offset * words, (offset + 1) * words)),
  );
}

/** Reads the words at `offsets`, one after the other. */
function read(
  { stream, layout, expected }: Pick<CompressoCase, 'stream' | 'layout' | 'expected'>,
  offsets: Uint32Array,
): number[] {
  const out = new (expected.constructor as Uint8ArrayConstructor)(
    offsets.length * wordsPerValue(layout.dataType),
  );
  compressoCodec.decodePoints(stream, layout, offsets, out, Uint32Array.from(offsets.keys()));
  return Array.from(out);
}

const edited = (bytes: Uint8Array, edits: Record<number, number>): Uint8Array =>
  Object.assign(Uint8Array.from(bytes), edits);
const codeOf = (stream: Uint8Array, layout: ChunkLayout = SPECKLED.layout, offset = 0): unknown =>
  valuesOrCode(compressoCodec, stream, layout, Uint32Array.of(offset));

describe('compresso: streams written by the package', () => {
  test.each(CASES)('give every voxel of $name', (one) => {
    const { stream, layout, expected } = one;
    const odd = atOddOffset(stream),
      before = Uint8Array.from(odd);
    const out = new (expected.constructor as Uint8ArrayConstructor)(expected.length),
      offsets = allOffsets(layout);
    compressoCodec.decodePoints(odd, layout, offsets, out, offsets);
    expect(out.findIndex((word, i) => word !== expected[i])).toBe(-1); // toEqual would take seconds
    expect(Buffer.compare(odd, before)).toBe(0); // the input is not written to
  });

  test.each(CASES)('give single voxels, in any order and repeatedly, of $name', (one) => {
    const random = seeded(7),
      voxels = voxelsOf(one.layout);
    const some = Uint32Array.from({ length: 12 }, () => random.below(voxels));
    expect(read(one, Uint32Array.of(...some, ...some))).toEqual(expectedAt(one, [...some, ...some]));
    for (const offset of some.subarray(0, 5))
      expect(read(one, Uint32Array.of(offset))).toEqual(expectedAt(one, [offset]));
  });

  test.each([
    'speckled uint64, steps (3, 5, 2), index',
    'speckled uint64, steps (3, 5, 2), plain',
    'speckled uint8, steps (4, 4, 4), six',
  ])('give each single slice of %s', (name) => {
    const one = caseNamed(name),
      [sx, sy, sz] = one.layout.chunkSize;
    for (let z = 0; z < sz; z++) {
      const slice = Uint32Array.from({ length: sx * sy }, (_, i) => i + sx * sy * z);
      expect(read(one, slice)).toEqual(expectedAt(one, slice));
    }
  });

  test('are no larger than maxBytes', () => {
    for (const { stream, layout } of CASES)
      expect(stream.length).toBeLessThanOrEqual(compressoCodec.maxBytes(layout));
  });

  test('are written where outIndex says, and nowhere else', () => {
    const out = new Uint32Array(10).fill(5),
      offset = 300;
    compressoCodec.decodePoints(
      SPECKLED.stream,
      SPECKLED.layout,
      Uint32Array.of(offset, offset),
      out,
      Uint32Array.of(3, 1),
    );
    const [low, high] = expectedAt(SPECKLED, [offset]);
    expect(Array.from(out)).toEqual([5, 5, low, high, 5, 5, low, high, 5, 5]);
  });

  test('give no values for no points', () =>
    expect(pointValues(compressoCodec, SPECKLED.stream, SPECKLED.layout, new Uint32Array())).toEqual([]));
});

describe('compresso: a stream that does not fit the layout', () => {
  const { stream, layout } = SPECKLED;
  const cases: { name: string; change: Partial<ChunkLayout>; code: string; message: string }[] = [
    {
      name: 'another shape',
      change: { chunkSize: [21, 37, 5] },
      code: 'BAD_HEADER',
      message: 'compresso: shape 37,21,5, expected 21,37,5',
    },
    {
      name: 'another data width',
      change: { dataType: 'uint32' },
      code: 'BAD_HEADER',
      message: 'compresso: data width 8, expected 4',
    },
    {
      name: 'several channels',
      change: { channels: 2 },
      code: 'UNSUPPORTED',
      message: 'compresso: the volume has 2 channels, the format has one',
    },
  ];
  test.each(cases)('is refused: $name', ({ change, code, message }) => {
    expect(() =>
      compressoCodec.decodePoints(
        stream,
        { ...layout, ...change },
        Uint32Array.of(0),
        new Uint32Array(4),
        Uint32Array.of(0),
      ),
    ).toThrow(expect.objectContaining({ name: 'DecodeError', code, message }));
  });
});

describe('compresso: broken streams', () => {
  const { stream, layout } = SPECKLED;
  const [sx, sy, sz] = layout.chunkSize;
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const valueAt = 36 + 8 * view.getUint32(15, true),
    locationAt = valueAt + 2 * view.getUint32(23, true);
  const windowAt = locationAt + 8 * view.getUint32(27, true),
    indexAt = stream.length - 2 * sz * 2;

  const cases: { name: string; edits: Record<number, number>; code: string }[] = [
    { name: 'another magic', edits: { 0: 0x43 }, code: 'BAD_HEADER' },
    { name: 'a later version', edits: { 4: 2 }, code: 'UNSUPPORTED' },
    { name: 'an impossible data width', edits: { 5: 3 }, code: 'BAD_HEADER' },
    { name: 'a step of 0', edits: { 13: 0 }, code: 'BAD_HEADER' },
    { name: 'steps of 65 voxels', edits: { 12: 13, 13: 5 }, code: 'BAD_HEADER' },
    { name: 'a connectivity of 8', edits: { 35: 8 }, code: 'BAD_HEADER' },
    { name: '2^56 more ids', edits: { 22: 1 }, code: 'TRUNCATED' },
    { name: '2^24 more window values', edits: { 26: 1 }, code: 'TRUNCATED' },
    { name: '2^32 more locations', edits: { 31: 1 }, code: 'TRUNCATED' },
    {
      name: 'a window past the table',
      edits: { [windowAt]: 0xfe, [windowAt + 1]: 0xff },
      code: 'BAD_HEADER',
    },
    { name: 'a run past the grid', edits: { [windowAt]: 0xff, [windowAt + 1]: 0xff }, code: 'BAD_HEADER' },
    { name: 'an empty run for a window', edits: { [windowAt]: 1, [windowAt + 1]: 0 }, code: 'TRUNCATED' },
    {
      name: 'a component too many in the z-index',
      edits: { [indexAt]: stream[indexAt] + 1 },
      code: 'BAD_HEADER',
    },
    { name: 'a z-index past the locations', edits: { [indexAt + 2 * sz + 1]: 0xff }, code: 'BAD_HEADER' },
    { name: 'a z-index that begins late', edits: { [indexAt + 2 * sz]: 1 }, code: 'BAD_HEADER' },
  ];
  test.each(cases)('are refused: $name', ({ edits, code }) =>
    expect(codeOf(edited(stream, edits))).toBe(code),
  );

  test('are refused if 64-bit entries have an upper half', () => {
    const wide = caseNamed('speckled uint64, steps (8, 8, 1), plain');
    expect(codeOf(edited(wide.stream, { [wide.stream.length - 1]: 1 }))).toBe('BAD_HEADER');
  });

  test.each(['plain', 'six'])('are refused if the id table or the locations end early: %s', (variant) => {
    const one = caseNamed(`speckled uint64, steps (4, 4, 1), ${variant}`),
      lastVoxel = sx * sy * sz - 1;
    // Smaller counts in the header shift the next section, so the windows are moved back to their place.
    const shortened = (countAt: number, from: number): Uint8Array => {
      const short = Uint8Array.from(one.stream);
      short[countAt]--;
      short.copyWithin(from, from + 8);
      return short.subarray(0, -8);
    };
    const from = new DataView(one.stream.buffer, one.stream.byteOffset);
    const idsEnd = 36 + 8 * from.getUint32(15, true),
      locationsEnd = idsEnd + 2 * from.getUint32(23, true) + 8 * from.getUint32(27, true);
    expect(codeOf(shortened(15, idsEnd - 8), layout, lastVoxel)).toBe('TRUNCATED');
    expect(codeOf(shortened(27, locationsEnd - 8), layout, lastVoxel)).toBe('TRUNCATED');
  });

  test('leave the other slices readable if there is a z-index', () => {
    // The first location of slice 1 points up, to a voxel that is a boundary or outside.
    const first = view.getUint16(indexAt + 2 * (sz + 1), true),
      broken = Uint8Array.from(stream);
    broken.fill(0, locationAt + 8 * first, locationAt + 8 * first + 8);
    const slice = (z: number): Uint32Array =>
      Uint32Array.from({ length: sx * sy }, (_, i) => i + sx * sy * z);
    expect(valuesOrCode(compressoCodec, broken, layout, slice(1))).toBe('BAD_HEADER');
    for (const z of [0, 2, 3, 4])
      expect(read({ ...SPECKLED, stream: broken }, slice(z))).toEqual(expectedAt(SPECKLED, slice(z)));
  });

  test('cannot cause a larger allocation than a slab may take', () => {
    // One run says that a slice of 65,535 by 65,535 voxels is empty: 537 MB of boundary bits.
    const tiny = new Uint8Array(36 + 1 + 8 + 8 + 2 * 8),
      tinyView = new DataView(tiny.buffer);
    tiny.set(stream.subarray(0, 4));
    tiny.set([1, 1, 255, 255, 255, 255, 1, 0, 8, 8, 1, 1], 4);
    tiny[23] = 1;
    tiny[35] = 4;
    tinyView.setUint32(45, 2 * 8192 ** 2 + 1, true);
    tiny[53] = 1;
    expect(codeOf(tiny, { chunkSize: [65535, 65535, 1], channels: 1, dataType: 'uint8' })).toBe('TOO_LARGE');
  });
});
