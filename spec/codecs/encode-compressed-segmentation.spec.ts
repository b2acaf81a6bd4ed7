import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { compressedSegmentationCodec } from '../../lib/codecs/compressed-segmentation.ts';
import { ENCODED_BLOCK_SIZE, SegmentationEncoder } from '../../lib/codecs/encode-compressed-segmentation.ts';
import { fixtureChunks } from '../support/fixture-chunks.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { fullDecodeCseg } from '../support/full-decode.ts';
import { allOffsets, atOddOffset, pointValues, voxelsOf } from '../support/point-decode.ts';
import { seeded } from '../../testing/random.ts';
import { rounds } from '../support/rounds.ts';

type LabelType = 'uint32' | 'uint64';

const layoutOf = (chunkSize: Vec3, dataType: LabelType = 'uint64', channels = 1): ChunkLayout => ({
  chunkSize,
  dataType,
  channels,
  blockSize: ENCODED_BLOCK_SIZE,
});

const rawOf = (values: readonly bigint[], { dataType }: ChunkLayout): Uint8Array =>
  new Uint8Array(
    (dataType === 'uint64' ? BigUint64Array.from(values) : Uint32Array.from(values, Number)).buffer,
  );

/** Encodes raw bytes. @param pieceBytes Bytes per piece. @default all */
function encode(raw: Uint8Array, layout: ChunkLayout, pieceBytes = raw.byteLength): Uint8Array | undefined {
  const encoder = new SegmentationEncoder(layout);
  for (let at = 0; at < raw.byteLength; at += pieceBytes) encoder.add(raw.subarray(at, at + pieceBytes));
  return encoder.finish();
}

/** Returns the name of a decoder that does not give these values; undefined if all do. */
function misreader(encoded: Uint8Array, values: readonly bigint[], layout: ChunkLayout): string | undefined {
  const voxels = voxelsOf(layout);
  const full = fullDecodeCseg(encoded, layout),
    points = pointValues(compressedSegmentationCodec, encoded, layout, allOffsets(layout));
  if (full.length !== values.length || full.some((value, i) => value !== values[i])) return 'the full decode';
  if (
    points.length !== voxels ||
    values.some((value, i) => points[i % voxels][(i - (i % voxels)) / voxels] !== value)
  )
    return 'the point reads';
  return undefined;
}

function expectRoundTrip(values: readonly bigint[], layout: ChunkLayout): Uint8Array {
  const encoded = encode(rawOf(values, layout), layout)!;
  expect(misreader(encoded, values, layout)).toBeUndefined();
  return encoded;
}

/** Makes a chunk of one or more blocks along x. Block b repeats the labels `blocks[b]`. */
function valuesOfBlocks(blocks: readonly (readonly bigint[])[]): { values: bigint[]; layout: ChunkLayout } {
  const layout = layoutOf([8 * blocks.length, 8, 8]);
  const values = Array.from({ length: voxelsOf(layout) }, (_, at) => {
    const x = at % (8 * blocks.length),
      row = Math.floor(at / (8 * blocks.length)),
      labels = blocks[Math.floor(x / 8)];
    return labels[((x % 8) + 8 * row) % labels.length];
  });
  return { values, layout };
}

const bigLabels = (count: number, from = 0): bigint[] =>
  Array.from({ length: count }, (_, i) => BigInt(from + i) * 0x1_0000_0003n + 2n ** 63n);
const headerOf = (encoded: Uint8Array, block: number): { bits: number; table: number; packed: number } => {
  const view = new DataView(encoded.buffer),
    header = view.getUint32(4 * (1 + 2 * block), true);
  return { bits: header >>> 24, table: header & 0xffffff, packed: view.getUint32(4 * (2 + 2 * block), true) };
};

describe('SegmentationEncoder', () => {
  const size = fc.tuple(
    fc.integer({ min: 1, max: 19 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 10 }),
  );
  const chunk = fc.record({
    chunkSize: size,
    channels: fc.integer({ min: 1, max: 3 }),
    dataType: fc.constantFrom<LabelType>('uint32', 'uint64'),
    labels: fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 600 }),
    /** The longest run of a label along x. */
    run: fc.integer({ min: 1, max: 40 }),
    pieceBytes: fc.integer({ min: 7, max: 5000 }),
    seed: fc.integer(),
  });

  test('writes a smaller chunk that both decoders read back, or nothing, for pieces of any size, and leaves the input unchanged', () => {
    const seen = { written: 0, refused: 0 };
    fc.assert(
      fc.property(chunk, ({ chunkSize, channels, dataType, labels, run, pieceBytes, seed }) => {
        const layout = layoutOf(chunkSize, dataType, channels),
          random = seeded(seed);
        const values: bigint[] = [];
        while (values.length < voxelsOf(layout) * channels) {
          const label = random.pick(labels);
          for (let n = 1 + random.below(run); n > 0 && values.length < voxelsOf(layout) * channels; n--)
            values.push(dataType === 'uint32' ? label % 2n ** 32n : label);
        }
        const raw = atOddOffset(rawOf(values, layout)),
          before = raw.slice();
        const encoded = encode(raw, layout);
        expect(raw).toEqual(before);
        seen[encoded ? 'written' : 'refused']++;
        expect(encode(raw, layout, pieceBytes)).toEqual(encoded);
        if (!encoded) return;
        expect(encoded.byteLength).toBe(encoded.buffer.byteLength);
        expect(encoded.byteLength).toBeLessThan(raw.byteLength);
        expect(misreader(encoded, values, layout)).toBeUndefined();
      }),
      { seed: 20240605, numRuns: rounds(25) },
    );
    expect(Math.min(seen.written, seen.refused)).toBeGreaterThanOrEqual(rounds(3));
  });

  const widths = [
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 4],
    [16, 4],
    [17, 8],
    [256, 8],
    [257, 16],
    [512, 16],
  ];
  test.each(widths)('writes a block of %i labels with %i bits per voxel', (count, bits) => {
    const { values, layout } = valuesOfBlocks([[7n], bigLabels(count), [7n], [7n]]);
    const encoded = expectRoundTrip(values, layout);
    expect([0, 1, 2, 3].map((block) => headerOf(encoded, block).bits)).toEqual([0, bits, 0, 0]);
    // The channel's offset, the headers, the single label, the block's voxels, and its table.
    expect(encoded.byteLength).toBe(4 * (1 + 8 + 2 + 16 * bits + 2 * count));
  });

  test('shares the table of blocks with the same labels in any order', () => {
    const labels = bigLabels(5);
    const { values, layout } = valuesOfBlocks([
      labels,
      [3n],
      [...labels].reverse(),
      [4n],
      labels.slice(1),
      [3n],
    ]);
    const encoded = expectRoundTrip(values, layout);
    const tables = Array.from({ length: 6 }, (_, block) => headerOf(encoded, block).table);
    expect([tables[2], tables[5]]).toEqual([tables[0], tables[1]]);
    expect(new Set(tables).size).toBe(4);
  });

  // Inverts the hash: both factors have an inverse modulo 2^32, and so has `m ^ m >>> 15`.
  const labelMixedTo = (mixed: number): bigint => BigInt(Math.imul(mixed, 0x0e8b2f51) >>> 0);
  const labelHashedTo = (hash: number): bigint => {
    const m = Math.imul(hash, 0x64ea2d65);
    return labelMixedTo(m ^ (m >>> 15) ^ (m >>> 30));
  };

  test('distinguishes labels with the same hash', () => {
    const { values, layout } = valuesOfBlocks([
      Array.from({ length: 512 }, (_, k) => labelMixedTo(k)),
      [1n],
      [1n],
      Array.from({ length: 400 }, (_, k) => labelMixedTo(4000 - k)),
    ]);
    expectRoundTrip(values, layout);
  });

  test('distinguishes tables with the same hash', () => {
    // A hash is the number of labels plus their hashes: each sum is 7.
    const alike = [
      [1, 4],
      [2, 3],
      [0, 1, 3],
      [1, 4],
      [5, 0],
      [0, 1, 3],
    ].map((hashes) => hashes.map(labelHashedTo));
    const { values, layout } = valuesOfBlocks(alike);
    const encoded = expectRoundTrip(values, layout);
    const tables = alike.map((_, block) => headerOf(encoded, block).table);
    expect(tables[5]).not.toBe(tables[4]);
  });

  test.each(['seg_cseg_u64_gzip', 'seg_cseg_u32_none', 'seg_cseg_u64_smallids'])(
    'writes the real chunks of %s in as many bytes as the package CloudVolume uses',
    (name) => {
      const chunks = fixtureChunks(loadFixture(name), 0);
      for (const { bytes, layout } of [chunks[0], chunks.at(-1)!]) {
        const values = fullDecodeCseg(bytes, layout) as bigint[];
        expect(layout.blockSize).toEqual(ENCODED_BLOCK_SIZE);
        expect(expectRoundTrip(values, layout).byteLength).toBe(bytes.byteLength);
      }
    },
  );

  const noise = Array.from({ length: 16 * 8 * 8 }, (_, i) => BigInt(i) + 2n ** 40n);
  test.each([
    {
      what: 'a chunk that would not become smaller',
      bytes: rawOf(noise, layoutOf([16, 8, 8])),
      layout: layoutOf([16, 8, 8]),
    },
    { what: 'a chunk of one voxel', bytes: new Uint8Array(8), layout: layoutOf([1, 1, 1]) },
    { what: 'a chunk that is cut', bytes: new Uint8Array(8 * 4096 - 1), layout: layoutOf([16, 16, 16]) },
    { what: 'a chunk that is too long', bytes: new Uint8Array(8 * 4096 + 8), layout: layoutOf([16, 16, 16]) },
    {
      what: 'one channel of two',
      bytes: new Uint8Array(8 * 4096),
      layout: layoutOf([16, 16, 16], 'uint64', 2),
    },
  ])('writes nothing for $what', ({ bytes, layout }) => expect(encode(bytes, layout)).toBeUndefined());

  test('writes nothing if the offset of a table would not fit in 24 bits', () => {
    // Blocks of 8 x 8 x 8 with 257 new labels each: 770 words per block, of 1,024 raw words.
    const layout = layoutOf([8, 8, 8 * 21_900]),
      words = new Uint32Array(2 * voxelsOf(layout));
    for (let block = 0, at = 0; block < 21_900; block++)
      for (let voxel = 0; voxel < 512; voxel++, at += 2)
        words[at] = block * 257 + (voxel < 256 ? voxel : 256);
    expect(encode(new Uint8Array(words.buffer), layout)).toBeUndefined();
    const fitting = layoutOf([8, 8, 8 * 21_500]),
      part = new Uint8Array(words.buffer, 0, 8 * voxelsOf(fitting));
    const encoded = encode(part, fitting)!,
      out = new Uint32Array(2);
    compressedSegmentationCodec.decodePoints(
      encoded,
      fitting,
      Uint32Array.of(voxelsOf(fitting) - 1),
      out,
      Uint32Array.of(0),
    );
    expect(out[0]).toBe(21_499 * 257 + 256);
  });
});
