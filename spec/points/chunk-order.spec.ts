import { describe, expect, test } from '@jest/globals';
import { ChunkOrder } from '../../lib/points/chunk-order.ts';
import { parseSharding } from '../../lib/precomputed/sharding.ts';

// A grid of 4 x 2 x 3 chunks, which is clipped along x and z.
const SCALE = {
  size: [35, 8, 11],
  chunkSize: [10, 4, 5],
  voxelOffset: [100, 0, -5],
  resolution: [8, 8, 40],
} as const;
const keysOf = (order: ChunkOrder, points: number[]): number[] => {
  const { ordinals, keys } = order.place(Float64Array.from(points));
  return Array.from(ordinals, (ordinal) => keys[ordinal]);
};

describe('ChunkOrder', () => {
  test('orders chunks by their compressed Morton codes', () =>
    // Codes take x, y, z in turn: x and z have two bits, y has one.
    expect(
      keysOf(
        new ChunkOrder(SCALE, SCALE.resolution),
        [100, 0, -5, 119.9, 0, -5, 100, 4, -5, 100, 0, 0, 120, 0, -5, 134, 7, 5],
      ),
    ).toEqual([0, 1, 2, 4, 8, 1 + 2 + 8 + 16]));

  test('converts units, and gives a point outside, or without a number, the nearest chunk', () => {
    const order = new ChunkOrder(SCALE, [4, 8, 80]);
    expect(keysOf(order, [200, 0, -2.5, 239, 4, 0, NaN, -9, 1e300, 1e300, 0, -1e9])).toEqual([
      0,
      1 + 2 + 4,
      16,
      1 + 8,
    ]);
  });

  test('keeps the chunks of a shard together, if they are hashed', () => {
    const sharding = parseSharding(
      {
        '@type': 'neuroglancer_uint64_sharded_v1',
        hash: 'murmurhash3_x86_128',
        preshift_bits: 1,
        minishard_bits: 0,
        shard_bits: 2,
      },
      'a scale',
    );
    const points = Array.from({ length: 24 }, (_, k) => [
      100 + 10 * (k % 4),
      4 * ((k >> 2) % 2),
      -5 + 5 * (k >> 3),
    ]);
    const keys = keysOf(new ChunkOrder(SCALE, SCALE.resolution, sharding), points.flat());
    expect(new Set(keys).size).toBe(24);
    expect(new Set(keys.map((key) => Math.floor(key / 2 ** 21))).size).toBe(4);
    // With a preshift of one bit, both chunks of a pair along x are in one shard.
    for (let k = 0; k < 24; k += 2) expect(keys[k + 1]).toBe(keys[k] + 1);
  });
});
