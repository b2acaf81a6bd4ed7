/**
 * Every unsharded raw and compressed_segmentation fixture, point by point, without the code that reads
 * storage.
 */
import { describe, expect, test } from '@jest/globals';
import { requireCodec } from '../../lib/codecs/registry.ts';
import { bytesPerValue } from '../../lib/precomputed/data-type.ts';
import { fixtureChunks } from '../support/fixture-chunks.ts';
import type { FixtureChunk } from '../support/fixture-chunks.ts';
import { fixtureVolumes, loadFixture } from '../../testing/fixtures.ts';
import type { FixtureScale } from '../../testing/fixtures.ts';
import { fullDecodeCseg, fullDecodeRaw } from '../support/full-decode.ts';
import { allOffsets, atOddOffset, pointValues, voxelsOf } from '../support/point-decode.ts';
import '../support/load-codecs.ts';

const scales = fixtureVolumes({ encodings: ['raw', 'compressed_segmentation'], sharded: false }).flatMap(
  ({ name }) => {
    const fixture = loadFixture(name);
    return fixture.scales.map((scale) => ({ name, fixture, scale, mip: scale.mip }));
  },
);

/** Returns the points of the scale that are in the chunk, and their linear offsets. */
function pointsIn(
  { min, layout: { chunkSize } }: FixtureChunk,
  { points }: FixtureScale,
): { indices: number[]; offsets: Uint32Array } {
  const inside = (point: number[]): boolean =>
    point.every((p, axis) => p >= min[axis] && p < min[axis] + chunkSize[axis]);
  const indices = points.flatMap((point, index) => (inside(point) ? [index] : []));
  const offsets = indices.map((index) => {
    const [x, y, z] = points[index].map((p, axis) => p - min[axis]);
    return x + chunkSize[0] * (y + chunkSize[1] * z);
  });
  return { indices, offsets: Uint32Array.from(offsets) };
}

/** Returns the expected values of a point as unsigned bits. */
function expectedBits({ values, bits }: FixtureScale, index: number): bigint[] {
  if (bits) return [BigInt(`0x${bits[index]!}`)];
  const value = values[index]!;
  return (Array.isArray(value) ? value : [value]).map(BigInt);
}

describe('fixtures, decoded', () => {
  test.each(scales)('give every expected value of $name, mip $mip', ({ fixture, scale, mip }) => {
    const { encoding } = fixture.info.scales[mip];
    const found = new Set<number>();
    for (const chunk of fixtureChunks(fixture, mip)) {
      const codec = requireCodec(encoding, chunk.layout.dataType);
      const { indices, offsets } = pointsIn(chunk, scale);
      expect(pointValues(codec, atOddOffset(chunk.bytes), chunk.layout, offsets)).toEqual(
        indices.map((index) => expectedBits(scale, index)),
      );
      for (const index of indices) found.add(index);
    }
    const answered = scale.points
      .map((_, index) => index)
      .filter((index) => scale.values[index] !== null && !scale.missingChunk.has(index));
    expect([...found].sort((a, b) => a - b)).toEqual(answered);
  });

  test.each(scales)(
    'agree with a full decode in every voxel of the smallest chunk of $name, mip $mip',
    ({ fixture, mip }) => {
      const { encoding } = fixture.info.scales[mip];
      const [chunk] = fixtureChunks(fixture, mip).sort((a, b) => voxelsOf(a.layout) - voxelsOf(b.layout));
      const { layout, bytes } = chunk;
      const full =
        encoding === 'raw'
          ? fullDecodeRaw(bytes, bytesPerValue(layout.dataType))
          : fullDecodeCseg(bytes, layout);
      const points = pointValues(requireCodec(encoding, layout.dataType), bytes, layout, allOffsets(layout));
      const byChannel = Array.from({ length: layout.channels }, (_, c) =>
        points.map((values) => values[c]),
      ).flat();
      // There are tens of thousands of values: toEqual would take seconds.
      expect(byChannel.findIndex((value, i) => value !== full[i])).toBe(-1);
      expect(byChannel).toHaveLength(full.length);
    },
  );

  test.each(scales)('are no larger than maxBytes in $name, mip $mip', ({ fixture, mip }) => {
    for (const { layout, bytes } of fixtureChunks(fixture, mip))
      expect(bytes.length).toBeLessThanOrEqual(
        requireCodec(fixture.info.scales[mip].encoding, layout.dataType).maxBytes(layout),
      );
  });
});
