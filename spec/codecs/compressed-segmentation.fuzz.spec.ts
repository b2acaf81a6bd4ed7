/**
 * Mutated chunks. In each of them, every voxel must give exactly the value or error code of a full decode
 * with bounds checks (spec/support/full-decode.ts). The bytes are at an odd offset between other bytes, so a
 * read outside shows as a wrong label.
 */
import { describe, expect, test } from '@jest/globals';
import { compressedSegmentationCodec as cseg } from '../../lib/codecs/compressed-segmentation.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { BIT_WIDTHS, encodeCseg, fewestBits } from '../support/encode-cseg.ts';
import { fullDecodeCseg } from '../support/full-decode.ts';
import type { ValueOrCode } from '../support/full-decode.ts';
import { allOffsets, atOddOffset, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import { seeded } from '../../testing/random.ts';
import type { Random } from '../../testing/random.ts';
import { rounds } from '../support/rounds.ts';

const ABSURD = [
  0, 1, 2, 0xff, 0xffffff, 0x1000000, 0x20000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

function randomLayout(random: Random): ChunkLayout {
  const size = (max: number): [number, number, number] => [
    1 + random.below(max),
    1 + random.below(max),
    1 + random.below(max),
  ];
  return {
    chunkSize: size(5),
    blockSize: size(4),
    channels: 1 + random.below(2),
    dataType: random.pick(['uint32', 'uint64']),
  };
}

function randomChunk(random: Random, layout: ChunkLayout): Uint8Array {
  const labels = Array.from({ length: 1 + random.below(20) }, () => BigInt(random.below(2 ** 32)));
  const values = Array.from({ length: voxelsOf(layout) * layout.channels }, () => random.pick(labels));
  return encodeCseg(values, layout, {
    bitsFor: (count) => random.pick(BIT_WIDTHS.filter((bits) => bits >= fewestBits(count))),
  });
}

/**
 * Returns mutated bytes in fresh memory: cut, flipped, one word replaced, or a run of words taken from
 * `other`.
 */
function mutate(random: Random, chunk: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = chunk.slice();
  const words = new DataView(bytes.buffer);
  const aWord = (): number => 4 * random.below(bytes.length / 4);
  switch (random.below(4)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length));
    case 1:
      for (let flips = 1 + random.below(4); flips > 0; flips--)
        bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      return bytes;
    case 2:
      words.setUint32(
        aWord(),
        random.pick([...ABSURD, bytes.length, bytes.length / 4 - 1, random.below(2 ** 32)]),
        true,
      );
      return bytes;
    default: {
      const from = 4 * random.below(other.length / 4);
      bytes.set(other.subarray(from, from + 4 * (1 + random.below(8))).subarray(0, bytes.length), 0);
      return bytes;
    }
  }
}

/**
 * Returns what a call for these voxels must give: the values, or the first error code in the order of the
 * values (channel by channel).
 */
function answer(truth: ValueOrCode[], channels: number): ValueOrCode[][] | 'TRUNCATED' | 'BAD_HEADER' {
  const points = truth.length / channels;
  return (
    truth.find((value) => typeof value === 'string') ??
    Array.from({ length: points }, (_, k) =>
      Array.from({ length: channels }, (_c, c) => truth[c * points + k]),
    )
  );
}

describe('compressed_segmentation: hostile bytes', () => {
  test.each([1, 2, 3, 4, 5])('give the right label or the right code for each voxel (seed %i)', (seed) => {
    const random = seeded(seed);
    const seen = { values: 0, TRUNCATED: 0, BAD_HEADER: 0 };
    for (let chunk = 0; chunk < rounds(50); chunk++) {
      const layout = randomLayout(random);
      const voxels = voxelsOf(layout);
      const whole = randomChunk(random, layout);
      const other = randomChunk(random, layout);
      for (let mutation = 0; mutation < 20; mutation++) {
        const bytes = atOddOffset(mutate(random, whole, other));
        const truth = fullDecodeCseg(bytes, layout);
        const voxel = random.below(voxels);
        const got = valuesOrCode(cseg, bytes, layout, allOffsets(layout));
        const gotThere = valuesOrCode(cseg, bytes, layout, Uint32Array.of(voxel));
        // Compared as text, and asserted only if different: 10,000 calls of `expect` would take most of the
        // test's time.
        const want = answer(truth, layout.channels);
        const wantThere = answer(
          truth.filter((_, i) => i % voxels === voxel),
          layout.channels,
        );
        if (String(got) !== String(want))
          expect({ layout, bytes, got }).toEqual({ layout, bytes, got: want });
        if (String(gotThere) !== String(wantThere))
          expect({ layout, bytes, voxel, got: gotThere }).toEqual({ layout, bytes, voxel, got: wantThere });
        seen[typeof got === 'string' ? (got as 'TRUNCATED' | 'BAD_HEADER') : 'values']++;
      }
    }
    // All three kinds of answers occur often.
    expect(Math.min(seen.values, seen.TRUNCATED, seen.BAD_HEADER)).toBeGreaterThan(rounds(50));
  });

  test('give an error code if they are not of this format at all', () => {
    const layout: ChunkLayout = {
      chunkSize: [64, 64, 32],
      blockSize: [8, 8, 8],
      channels: 1,
      dataType: 'uint64',
    };
    const html = new TextEncoder().encode(`<!DOCTYPE html>${' '.repeat(100_000)}`);
    const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
    expect(valuesOrCode(cseg, html, layout, Uint32Array.of(5))).toBe('BAD_HEADER');
    expect(valuesOrCode(cseg, gzip, layout, Uint32Array.of(5))).toBe('BAD_HEADER');
    expect(valuesOrCode(cseg, new Uint8Array(), layout, Uint32Array.of(5))).toBe('TRUNCATED');
  });
});
