import { describe, expect, test } from '@jest/globals';
import { crackleCodec } from '../../lib/codecs/crackle.ts';
import { product } from '../../lib/base/vec3.ts';
import { bytesPerValue } from '../../lib/precomputed/data-type.ts';
import {
  allOffsets,
  CRACKLE_CASES,
  crackleBytes,
  crackleCase,
  crackleLayout,
  hashSlices,
  readCrackle,
} from '../support/crackle-cases.ts';
import { fixtureChunks } from '../support/fixture-chunks.ts';
import { fixtureVolumes, loadFixture } from '../../testing/fixtures.ts';
import type { FixtureScale } from '../../testing/fixtures.ts';

describe('crackle: chunks written by the reference', () => {
  test.each(CRACKLE_CASES.map((one) => [one.name, one] as const))(
    'give every voxel of %s as the reference does',
    (_, one) => {
      const values = readCrackle(crackleBytes(one), crackleLayout(one), allOffsets(one.shape));
      expect(one.samples.map(([offset]) => [offset, String(values[offset])])).toEqual(one.samples);
      expect(hashSlices(values, one)).toEqual(one.slices);
    },
  );

  test('include every kind of stream', () => {
    const kinds = new Set(
      CRACKLE_CASES.map(({ header: { version, labels, permissible, markovOrder } }) =>
        [version, labels, permissible, markovOrder > 0].join(),
      ),
    );
    // The encoder writes pins only with codes that draw walls.
    expect([...kinds].sort()).toEqual([
      '0,flat,false,false',
      '0,flat,false,true',
      '0,flat,true,false',
      '0,flat,true,true',
      '0,pins,false,false',
      '0,pins,false,true',
      '1,flat,false,false',
      '1,flat,false,true',
      '1,flat,true,false',
      '1,flat,true,true',
      '1,pins,false,false',
      '1,pins,false,true',
    ]);
    expect([...new Set(CRACKLE_CASES.map(({ header }) => header.markovOrder))].sort((a, b) => a - b)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    const widths = new Set(
      CRACKLE_CASES.map(({ dataType, header }) => `${header.storedWidth} of ${bytesPerValue(dataType)}`),
    );
    for (const width of [1, 2, 4, 8]) expect(widths).toContain(`${width} of 8`);
    for (const width of [1, 2, 4, 8]) expect(widths).toContain(`${width} of ${width}`);
    for (const width of [1, 2, 4]) expect(widths).toContain(`8 of ${width}`);
    for (const fortran of [true, false])
      expect(CRACKLE_CASES.map(({ header }) => header.fortranOrder)).toContain(fortran);
    expect(CRACKLE_CASES.map(({ header }) => header.sorted)).toContain(false);
  });

  // `crackle.refit` and `crackle.astype` write narrower values. CloudVolume widens them by NumPy's rules.
  test.each(CRACKLE_CASES.map((one) => [one.name, one] as const))(
    'give the same labels of %s in a volume of wider values',
    (_, one) => {
      const layout = crackleLayout(one),
        dataType = one.dataType.startsWith('int') ? 'int64' : 'uint64';
      const values = readCrackle(crackleBytes(one), { ...layout, dataType }, allOffsets(one.shape));
      expect(one.samples.map(([offset]) => [offset, String(values[offset])])).toEqual(one.samples);
    },
  );

  test('may have narrow labels of wide values in a volume of narrow values, but no wider labels', () => {
    const fits = CRACKLE_CASES.filter(
      ({ dataType, header }) => dataType === 'uint64' && header.storedWidth === 2,
    );
    expect(fits.length).toBeGreaterThan(0);
    for (const one of fits) {
      const read = (dataType: 'uint8' | 'uint16' | 'uint32') =>
        readCrackle(crackleBytes(one), { ...crackleLayout(one), dataType }, allOffsets(one.shape));
      for (const dataType of ['uint16', 'uint32'] as const)
        expect(one.samples.map(([offset]) => [offset, String(read(dataType)[offset])])).toEqual(one.samples);
      expect(() => read('uint8')).toThrow(
        expect.objectContaining({
          code: 'BAD_HEADER',
          message: 'crackle: labels of 2 bytes in a volume of 1 byte(s) per value',
        }),
      );
    }
  });

  test('are never larger than maxBytes', () => {
    for (const one of CRACKLE_CASES)
      expect(crackleBytes(one).length).toBeLessThanOrEqual(crackleCodec.maxBytes(crackleLayout(one)));
  });
});

describe('crackle: volumes written by CloudVolume', () => {
  /** Reads every point in a stored chunk, all points of a chunk in one call. */
  function readScale(
    name: string,
    { mip, points, values }: FixtureScale,
  ): { got: unknown[]; expected: unknown[] } {
    const got: unknown[] = [];
    const expected: unknown[] = [];
    for (const { min, layout, bytes } of fixtureChunks(loadFixture(name), mip)) {
      const [sx, sy] = layout.chunkSize;
      const inside = [...points.keys()].filter((k) =>
        points[k].every((c, axis) => c >= min[axis] && c < min[axis] + layout.chunkSize[axis]),
      );
      const offsets = inside.map(
        (k) => points[k][0] - min[0] + sx * (points[k][1] - min[1] + sy * (points[k][2] - min[2])),
      );
      got.push(...Array.from(readCrackle(bytes, layout, Uint32Array.from(offsets)), String));
      expected.push(...inside.map((k) => values[k]));
    }
    return { got, expected };
  }

  const volumes = fixtureVolumes({ encodings: ['crackle'], prefix: ['seg_', 'graphene_'] });
  test.each(volumes.map(({ name, exercises }) => [name, exercises]))(
    'are read as CloudVolume reads them: %s (%s)',
    (name) => {
      for (const scale of loadFixture(name).scales) {
        const { got, expected } = readScale(name, scale);
        expect(got).toEqual(expected);
        expect(got.length).toBe(
          scale.values.filter((value, k) => value !== null && !scale.missingChunk.has(k)).length,
        );
      }
    },
  );
});

describe('crackle: decodePoints', () => {
  const one = crackleCase('pins_1_markov');
  const bytes = crackleBytes(one);
  const layout = crackleLayout(one);
  const whole = readCrackle(bytes, layout, allOffsets(one.shape)) as BigUint64Array;

  test('accepts voxels in any order and repeatedly, and writes each where outIndex says', () => {
    const count = product(one.shape);
    const offsets = Uint32Array.from({ length: 500 }, (_, k) => (k * 7919 + 13) % (k < 250 ? count : 40));
    const outIndex = Uint32Array.from(offsets, (_, k) => 2 * (499 - k) + 1);
    const out = new Uint32Array(2 * 1001).fill(0xabcdef);
    crackleCodec.decodePoints(bytes, layout, offsets, out, outIndex);
    const values = new BigUint64Array(out.buffer);
    expect(Array.from(outIndex, (to) => values[to])).toEqual(Array.from(offsets, (offset) => whole[offset]));
    expect(new Set(values.filter((_, k) => k % 2 === 0))).toEqual(new Set([0x00abcdef00abcdefn]));
  });

  test('reads bytes at an odd byteOffset and does not write to them', () => {
    const around = new Uint8Array(bytes.length + 7).fill(0xee);
    around.set(bytes, 3);
    const before = around.slice();
    const offsets = Uint32Array.of(0, 5000, 13_499);
    expect(readCrackle(around.subarray(3, 3 + bytes.length), layout, offsets)).toEqual(
      BigUint64Array.from(offsets, (k) => whole[k]),
    );
    expect(around).toEqual(before);
  });

  test('writes nothing for no voxels', () => {
    expect(readCrackle(bytes, layout, new Uint32Array(0))).toHaveLength(0);
  });

  test('keeps nothing of one chunk for the next', () => {
    for (const name of [
      'content_checkerboard',
      'blobs_300_257_2',
      'content_checkerboard',
      'blobs_1_1_1',
      'type_uint8',
      'content_checkerboard',
    ]) {
      const other = crackleCase(name);
      expect(
        hashSlices(readCrackle(crackleBytes(other), crackleLayout(other), allOffsets(other.shape)), other),
      ).toEqual(other.slices);
    }
  });
});
