import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { rowRunsCodec, RowRunsEncoder } from '../../lib/codecs/row-runs.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode } from '../support/point-decode.ts';

type LabelType = 'uint32' | 'uint64';

const layoutOf = (sx: number, sy: number, sz: number, dataType: LabelType, channels = 1): ChunkLayout => ({
  chunkSize: [sx, sy, sz],
  dataType,
  channels,
});

const rawOf = (values: readonly bigint[], dataType: LabelType): Uint8Array =>
  new Uint8Array(
    (dataType === 'uint64' ? BigUint64Array.from(values) : Uint32Array.from(values, Number)).buffer,
  );

function encode(raw: Uint8Array, layout: ChunkLayout, pieceBytes = raw.byteLength): Uint8Array | undefined {
  const encoder = new RowRunsEncoder(layout);
  for (let at = 0; at < raw.byteLength; at += pieceBytes) encoder.add(raw.subarray(at, at + pieceBytes));
  return encoder.finish();
}

/** A chunk of 64 x 3 x 2 voxels whose rows have up to three labels beyond 2^53. */
const layout = layoutOf(64, 3, 2, 'uint64');
const values = Array.from(
  { length: 384 },
  (_, k) => 2n ** 63n + BigInt(k % 64 < 20 + (k >> 6) ? 1 : k % 64 < 50 ? 2 ** 33 : k >> 7),
);

describe('row runs', () => {
  test('give every value of the raw chunk, whatever the pieces and the memory it came in', () => {
    const labels = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const chunk = fc.record({
      size: fc.tuple(
        fc.integer({ min: 40, max: 90 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
      ),
      dataType: fc.constantFrom<LabelType>('uint32', 'uint64'),
      channels: fc.integer({ min: 1, max: 2 }),
      palette: fc.array(labels, { minLength: 1, maxLength: 4 }),
      cuts: fc.array(fc.nat(60), { maxLength: 2 }),
      pieceBytes: fc.integer({ min: 64, max: 2000 }),
    });
    let encodedChunks = 0;
    fc.assert(
      fc.property(chunk, ({ size: [sx, sy, sz], dataType, channels, palette, cuts, pieceBytes }) => {
        const shape = layoutOf(sx, sy, sz, dataType, channels);
        const given = Array.from({ length: sx * sy * sz * channels }, (_, k) => {
          const label =
            palette[(cuts.filter((cut) => cut < k % sx).length + Math.floor(k / sx / 2)) % palette.length];
          return dataType === 'uint64' ? label : label & 0xffffffffn;
        });
        const encoded = encode(atOddOffset(rawOf(given, dataType)), shape, pieceBytes);
        if (!encoded) return;
        encodedChunks++;
        const read = pointValues(rowRunsCodec, atOddOffset(encoded), shape, allOffsets(shape));
        expect(read).toEqual(
          Array.from({ length: sx * sy * sz }, (_, k) =>
            Array.from({ length: channels }, (_, c) => given[k + c * sx * sy * sz]),
          ),
        );
      }),
      { seed: 3, numRuns: 60 },
    );
    expect(encodedChunks).toBeGreaterThan(20);
  });

  test('hold thousands of labels', () => {
    const many = layoutOf(1024, 300, 1, 'uint64');
    const given = Array.from({ length: 1024 * 300 }, (_, k) => BigInt(k >> 5) * 0x1_0000_0003n);
    const encoded = encode(rawOf(given, 'uint64'), many)!;
    const read = pointValues(rowRunsCodec, encoded, many, allOffsets(many)).map(([label]) => label);
    expect([read.length, given.findIndex((label, k) => label !== read[k])]).toEqual([given.length, -1]);
  });

  test.each<[string, Uint8Array, ChunkLayout]>([
    [
      'whose labels change at every voxel',
      rawOf(
        values.map((_, k) => BigInt(k)),
        'uint64',
      ),
      layout,
    ],
    ['that is cut', rawOf(values, 'uint64').subarray(8), layout],
    ['that is too long', rawOf([...values, 1n], 'uint64'), layout],
    ['of one byte per voxel', new Uint8Array(384), { ...layout, dataType: 'uint8' }],
    ['of a few voxels', rawOf([1n, 1n], 'uint64'), layoutOf(2, 1, 1, 'uint64')],
  ])('are not made of a chunk %s', (_, raw, shape) => expect(encode(raw, shape)).toBeUndefined());

  test('are refused at every cut, and read nothing outside with any byte changed', () => {
    const encoded = encode(rawOf(values, 'uint64'), layout)!,
      offsets = allOffsets(layout);
    for (let length = 0; length < encoded.length; length++)
      expect(valuesOrCode(rowRunsCodec, encoded.subarray(0, length), layout, offsets)).toBe('WRONG_SIZE');
    for (let at = 0; at < encoded.length; at++) {
      encoded[at] ^= 0xff;
      const read = valuesOrCode(rowRunsCodec, encoded, layout, offsets);
      if (typeof read === 'string') expect(['WRONG_SIZE', 'BAD_HEADER']).toContain(read);
      else expect(read).toHaveLength(384);
      encoded[at] ^= 0xff;
    }
  });
});
