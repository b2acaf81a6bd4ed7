/**
 * Mutated compresso streams. The format has no checksum, so a changed byte may give a wrong label. But each
 * answer must be a typed error or labels that the stream holds, and the same for a single voxel as for all
 * voxels together. The bytes are at an odd offset between other bytes, so a read outside shows.
 */
import { describe, expect, test } from '@jest/globals';
import { compressoCodec } from '../../lib/codecs/compresso.ts';
import { bytesPerValue } from '../../lib/precomputed/data-type.ts';
import { compressoCases } from '../support/compresso-cases.ts';
import type { CompressoCase } from '../support/compresso-cases.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import { seeded } from '../../testing/random.ts';
import type { Random } from '../../testing/random.ts';
import { rounds } from '../support/rounds.ts';

const CASES = compressoCases().filter(({ layout }) => voxelsOf(layout) < 750);
const ABSURD = [
  0, 1, 2, 6, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

/**
 * Returns mutated bytes in fresh memory: bits flipped, a field overwritten (often in the header), bytes taken
 * from `other`, bytes left out.
 */
function mutate(random: Random, stream: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(stream),
    place = (): number => random.below(random.pick([36, bytes.length, bytes.length]));
  switch (random.below(5)) {
    case 0:
      for (let flips = 1 + random.below(4); flips > 0; flips--) bytes[place()] ^= 1 << random.below(8);
      return bytes;
    case 1: {
      const at = Math.min(place(), bytes.length - 4);
      new DataView(bytes.buffer).setUint32(
        at,
        random.pick([...ABSURD, bytes.length, random.below(2 ** 32)]),
        true,
      );
      return bytes;
    }
    case 2:
      // Only bytes after the shape: with a wrong shape, nothing else would be read.
      bytes.set(other.subarray(12, 36), 12);
      return bytes;
    case 3: {
      const from = random.below(other.length),
        to = 15 + random.below(bytes.length - 15);
      bytes.set(other.subarray(from, from + 1 + random.below(24)).subarray(0, bytes.length - to), to);
      return bytes;
    }
    default: {
      const from = random.below(bytes.length),
        count = 1 + random.below(8);
      bytes.copyWithin(from, from + count);
      return bytes.subarray(0, Math.max(bytes.length - count, 0));
    }
  }
}

/**
 * Lists every label that a stream can give: those of its id table, and each location, as a label of its own
 * and minus 7.
 */
function heldLabels(stream: Uint8Array, { layout: { dataType } }: CompressoCase): Set<bigint> {
  const width = bytesPerValue(dataType),
    view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const windowBits = stream[12] * stream[13] * stream[14],
    windowWidth = [1, 2, 4, 8].find((bytes) => windowBits <= 8 * bytes)!;
  const idCount = Number(view.getBigUint64(15, true)),
    locationCount = Number(view.getBigUint64(27, true));
  const locationsAt = 36 + idCount * width + view.getUint32(23, true) * windowWidth;
  const labelAt = (at: number): bigint =>
    stream.subarray(at, at + width).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const labels = new Set(Array.from({ length: idCount }, (_, i) => labelAt(36 + i * width)));
  for (let i = 0; i < locationCount; i++) {
    const label = labelAt(locationsAt + i * width);
    labels.add(label).add(label - 7n);
  }
  return labels;
}

describe('compresso: hostile bytes', () => {
  test.each([1, 2, 3, 4, 5])('give labels that the stream holds, or a typed error (seed %i)', (seed) => {
    const random = seeded(seed),
      seen = { labels: 0, TRUNCATED: 0, BAD_HEADER: 0 } as Record<string, number>;
    for (let mutation = 0; mutation < rounds(1200); mutation++) {
      const one = random.pick(CASES),
        { layout } = one,
        stream = atOddOffset(mutate(random, one.stream, random.pick(CASES).stream));
      const voxel = random.below(voxelsOf(layout));
      const all = valuesOrCode(compressoCodec, stream, layout, allOffsets(layout)),
        alone = valuesOrCode(compressoCodec, stream, layout, Uint32Array.of(voxel));
      // Asserted only if wrong: this many calls of `expect` would take most of the time.
      const where = { seed, mutation, name: one.name, voxel };
      if (typeof all === 'string') {
        seen[all] = (seen[all] ?? 0) + 1;
        continue; // a single voxel may still be right, because it needs less of the stream
      }
      seen.labels++;
      if (String(alone) !== String(all[voxel]))
        expect({ ...where, alone }).toEqual({ ...where, alone: [all[voxel]] });
      const held = heldLabels(stream, one),
        strange = all.find(([label]) => !held.has(label));
      if (strange) expect({ ...where, strange }).toEqual({ ...where, strange: undefined });
    }
    expect(
      Object.keys(seen).every((code) => ['labels', 'TRUNCATED', 'BAD_HEADER', 'UNSUPPORTED'].includes(code)),
    ).toBe(true);
    expect(Math.min(seen.labels, seen.TRUNCATED, seen.BAD_HEADER)).toBeGreaterThan(rounds(60));
  });

  test('give TRUNCATED, BAD_HEADER or the right labels if they are cut anywhere', () => {
    const answers = new Set<string>();
    let cuts = 0;
    for (const { name, stream, layout } of CASES.filter((_, i) => i % 4 === 0)) {
      const offsets = allOffsets(layout),
        right = String(pointValues(compressoCodec, stream, layout, offsets));
      for (let length = stream.length - 1; length >= 0; length -= Math.ceil(stream.length / 60), cuts++) {
        const got = String(
          valuesOrCode(compressoCodec, atOddOffset(stream.subarray(0, length)), layout, offsets),
        );
        answers.add(got === right ? 'right' : got);
        if (![right, 'TRUNCATED', 'BAD_HEADER'].includes(got))
          expect({ name, length, got }).toEqual({ name, length, got: right });
      }
    }
    expect(cuts).toBeGreaterThan(1000);
    expect(answers).toContain('TRUNCATED');
  });

  test('give an error code if they are not of this format at all', () => {
    const { layout } = CASES[0],
      one = Uint32Array.of(0);
    expect(
      valuesOrCode(
        compressoCodec,
        new TextEncoder().encode(`<!DOCTYPE html>${' '.repeat(100_000)}`),
        layout,
        one,
      ),
    ).toBe('BAD_HEADER');
    expect(valuesOrCode(compressoCodec, new Uint8Array(), layout, one)).toBe('TRUNCATED');
    expect(valuesOrCode(compressoCodec, Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), layout, one)).toBe(
      'TRUNCATED',
    );
  });
});
