import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { DATA_TYPES, wordsView, type DataType } from '../../lib/precomputed/data-type.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';

describe('createStreamDecoder of raw', () => {
  const types = Object.keys(DATA_TYPES) as DataType[];

  test('gives the same values as decodePoints, for pieces of any size', () => {
    const cases = fc.record({
      dataType: fc.constantFrom(...types),
      chunkSize: fc.tuple(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
      ),
      channels: fc.integer({ min: 1, max: 3 }),
      points: fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
      cuts: fc.array(fc.nat(), { maxLength: 12 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ dataType, chunkSize, channels, points, cuts, seed }) => {
        const layout: ChunkLayout = { dataType, chunkSize, channels };
        const size = rawCodec.exactBytes!(layout),
          voxels = chunkSize[0] * chunkSize[1] * chunkSize[2];
        const bytes = Uint8Array.from({ length: size }, (_, k) => (k * 31 + seed) & 255);
        const offsets = Uint32Array.from(points, (p) => p % voxels),
          order = Uint32Array.from(points.keys()).reverse();
        const [whole, pieces] = [0, 1].map(() =>
          wordsView(new DATA_TYPES[dataType](points.length * channels)),
        );
        rawCodec.decodePoints(bytes, layout, offsets, whole, order);
        const watch = rawCodec.createStreamDecoder!(layout, offsets, pieces, order)!;
        const ends = [...new Set([...cuts.map((cut) => cut % (size + 1)), size])].sort((a, b) => a - b);
        let at = 0;
        for (const end of ends) {
          watch(bytes.subarray(at, end), at);
          at = end;
        }
        expect(pieces).toEqual(whole);
      }),
      { numRuns: 1000, seed: 7 },
    );
  });

  test('leaves more points than its sort keys can distinguish to decodePoints', () => {
    const many = new Uint32Array(2 ** 21);
    expect(
      rawCodec.createStreamDecoder!(
        { dataType: 'uint8', chunkSize: [1, 1, 1], channels: 1 },
        many,
        new Uint8Array(2 ** 21),
        many,
      ),
    ).toBeUndefined();
  });
});
