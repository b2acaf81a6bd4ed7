/**
 * Every compresso volume that CloudVolume wrote, point by point. Chunks in shards are found with
 * lib/precomputed only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { compressoCodec } from '../../lib/codecs/compresso.ts';
import { compressedMortonCodes } from '../../lib/precomputed/morton.ts';
import { decodeMinishardIndex, findChunk, minishardIndexRange } from '../../lib/precomputed/shard-index.ts';
import { locateChunks, parseSharding, shardFileName } from '../../lib/precomputed/sharding.ts';
import { fixtureChunks } from '../support/fixture-chunks.ts';
import type { FixtureChunk } from '../support/fixture-chunks.ts';
import { fixtureVolumes, loadFixture } from '../../testing/fixtures.ts';
import type { Fixture } from '../../testing/fixtures.ts';
import { atOddOffset, pointValues } from '../support/point-decode.ts';

/** Reads the chunks of a sharded scale at the origin, one per cell of the grid. */
function shardedChunks({ folder, info }: Fixture, mip: number): FixtureChunk[] {
  const {
    key,
    size,
    chunk_sizes: [chunkSize],
    sharding,
  } = info.scales[mip];
  const spec = parseSharding(sharding, 'the fixture'),
    grid = [0, 1, 2].map((axis) => Math.ceil(size[axis] / chunkSize[axis])) as [number, number, number];
  const cells = Array.from({ length: grid[0] * grid[1] * grid[2] }, (_, i) => [
    i % grid[0],
    Math.floor(i / grid[0]) % grid[1],
    Math.floor(i / grid[0] / grid[1]),
  ]);
  const ids = compressedMortonCodes(grid, Uint32Array.from(cells.flat())),
    { shards, minishards } = locateChunks(spec, ids);
  return cells.map((cell, k) => {
    const file = readFileSync(join(folder, key, shardFileName(spec, shards[2 * k], shards[2 * k + 1])));
    const index = minishardIndexRange(file, spec, minishards[k])!;
    const { start, end } = findChunk(
      decodeMinishardIndex(gunzipSync(file.subarray(index.start, index.end)), spec, minishards[k]),
      ids[2 * k],
      ids[2 * k + 1],
    )!;
    const min = cell.map((c, axis) => c * chunkSize[axis]) as [number, number, number];
    const shape = min.map((from, axis) => Math.min(chunkSize[axis], size[axis] - from)) as [
      number,
      number,
      number,
    ];
    return {
      name: cell.join(),
      min,
      layout: { chunkSize: shape, channels: info.num_channels, dataType: info.data_type },
      bytes: file.subarray(start, end),
    };
  });
}

const scales = fixtureVolumes({ encodings: ['compresso'] }).flatMap(({ name, sharding }) => {
  const fixture = loadFixture(name);
  return fixture.scales.map((scale) => ({
    name,
    mip: scale.mip,
    fixture,
    scale,
    chunksOf: sharding ? shardedChunks : fixtureChunks,
  }));
});

describe('compresso: volumes written by CloudVolume', () => {
  test.each(scales)('give every expected value of $name, mip $mip', ({ mip, fixture, scale, chunksOf }) => {
    const { points, values, missingChunk } = scale,
      found = new Map<number, string>();
    for (const { min, layout, bytes } of chunksOf(fixture, mip)) {
      const { chunkSize } = layout;
      const inside = points.flatMap((point, i) =>
        point.every((p, axis) => p >= min[axis] && p < min[axis] + chunkSize[axis]) ? [i] : [],
      );
      const offsets = inside.map(
        (i) =>
          points[i][0] -
          min[0] +
          chunkSize[0] * (points[i][1] - min[1] + chunkSize[1] * (points[i][2] - min[2])),
      );
      const labels = pointValues(compressoCodec, atOddOffset(bytes), layout, Uint32Array.from(offsets));
      inside.forEach((i, k) => found.set(i, String(labels[k][0])));
    }
    // A value is null for a point out of bounds. None of these volumes lacks a chunk.
    expect(missingChunk.size).toBe(0);
    expect(points.map((_, i) => found.get(i) ?? null)).toEqual(values);
  });
});
