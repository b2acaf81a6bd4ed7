import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { codecFor } from '../../lib/codecs/registry.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { product } from '../../lib/base/vec3.ts';
import { seeded } from '../../testing/random.ts';
import { fpzipCases, type FpzipCase } from '../support/fpzip-cases.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import '../support/load-codecs.ts';

const cases = fpzipCases();
const fpzip = codecFor('fpzip')!;
/** The first case with smooth or noisy values and at least so many voxels and channels. */
const caseOf = (encoding: string, dataType: string, voxels: number, channels: number): FpzipCase =>
  cases.find(
    ({ encoding: known, name, layout }) =>
      known === encoding &&
      layout.dataType === dataType &&
      voxelsOf(layout) >= voxels &&
      layout.channels >= channels &&
      /smooth|noise/.test(name),
  )!;

describe('fpzip and kempressed', () => {
  test('the cases hold every precision of both types', () => {
    const covered = new Set(
      cases.map(({ name, layout }) => `${layout.dataType} ${/precision (\d+)$/.exec(name)![1]}`),
    );
    for (let precision = 2; precision <= 32; precision++) {
      expect(covered).toContain(`float32 ${precision}`);
      expect(covered).toContain(`float64 ${2 * precision}`);
    }
  });

  test.each(cases)('gives every bit of $name', ({ encoding, layout, stream, raw }) => {
    const codec = codecFor(encoding)!,
      bytes = atOddOffset(stream),
      offsets = allOffsets(layout);
    expect(Buffer.compare(runWithoutPause(codec.toRaw!(bytes, layout)), raw)).toBe(0);
    if (offsets.length < 10_000)
      expect(pointValues(codec, bytes, layout, offsets)).toEqual(pointValues(rawCodec, raw, layout, offsets));
    expect(codec.maxBytes(layout)).toBeGreaterThanOrEqual(stream.length);
  });

  test.each([caseOf('fpzip', 'float32', 150, 3), caseOf('kempressed', 'float64', 100, 1)])(
    'gives the values of some voxels, in any order and repeated: $name',
    ({ encoding, layout, stream, raw }) => {
      const random = seeded(7);
      for (let turn = 0; turn < 20; turn++) {
        const offsets = Uint32Array.from({ length: 1 + random.below(20) }, () =>
          random.below(voxelsOf(layout)),
        );
        expect(pointValues(codecFor(encoding)!, stream, layout, offsets)).toEqual(
          pointValues(rawCodec, raw, layout, offsets),
        );
      }
    },
  );

  test.each([
    caseOf('fpzip', 'float32', 150, 1),
    caseOf('fpzip', 'float64', 200, 1),
    caseOf('kempressed', 'float32', 1, 2),
  ])(
    'stops after the last wanted value, so that a cut stream gives the values before the cut: $name',
    ({ encoding, layout, stream, raw }) => {
      const codec = codecFor(encoding)!,
        first = Uint32Array.of(0),
        last = Uint32Array.of(product(layout.chunkSize) - 1);
      let firstRead = Infinity;
      for (let length = 0; length < stream.length; length++) {
        const cut = stream.subarray(0, length);
        expect(valuesOrCode(codec, cut, layout, last)).toBe('TRUNCATED');
        const values = valuesOrCode(codec, cut, layout, first);
        if (values === 'TRUNCATED') expect(length).toBeLessThan(firstRead);
        else {
          expect(values).toEqual(pointValues(rawCodec, raw, layout, first));
          firstRead = Math.min(firstRead, length);
        }
        if (length > 64) length += 31;
      }
      if (layout.channels === 1) expect(firstRead).toBeLessThan(40);
      const longer = Uint8Array.of(...stream, 1, 2, 3);
      expect(pointValues(codec, longer, layout, last)).toEqual(pointValues(rawCodec, raw, layout, last));
    },
  );

  const { stream, layout } = caseOf('fpzip', 'float32', 150, 1);
  const [sx, sy, sz] = layout.chunkSize;
  test.each([
    { what: 'another size', other: { chunkSize: [sy, sx, sz] as const } },
    { what: 'more channels', other: { channels: 2 } },
    { what: 'another data type', other: { dataType: 'float64' as const } },
  ])('refuses a chunk whose layout has $what', ({ other }) => {
    expect(valuesOrCode(fpzip, stream, { ...layout, ...other }, Uint32Array.of(0))).toBe('BAD_HEADER');
  });

  test('refuses a huge size in the header before it allocates anything', () => {
    const huge = { ...layout, chunkSize: [1, 1, 1] as const };
    expect(valuesOrCode(fpzip, stream, huge, Uint32Array.of(0))).toBe('BAD_HEADER');
  });

  test.each([
    ['no magic', Buffer.from('not a stream of fpzip'), 'BAD_HEADER'],
    ['no bytes', new Uint8Array(0), 'TRUNCATED'],
    ['a first number that is out of range', new Uint8Array(20).fill(0xff), 'BAD_BITSTREAM'],
  ])('refuses %s', (_, bytes, code) => {
    expect(valuesOrCode(fpzip, bytes, layout, Uint32Array.of(0))).toBe(code);
  });

  test('reads nothing for no voxels', () => {
    expect(pointValues(fpzip, stream, layout, new Uint32Array(0))).toEqual([]);
  });

  test('pauses within a chunk', () => {
    const large = cases.filter(({ name }) => name.startsWith('large'));
    expect(large.map(({ layout }) => layout.chunkSize)).toEqual([
      [300, 100, 2],
      [20_000, 2, 1],
    ]);
    for (const { stream, layout } of large) {
      const work = fpzip.toRaw!(stream, layout);
      let pauses = 0;
      while (!work.next().done) pauses++;
      expect(pauses).toBeGreaterThanOrEqual(2);
    }
  });
});
