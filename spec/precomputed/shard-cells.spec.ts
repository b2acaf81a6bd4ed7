import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { cellsInShard } from '../../lib/precomputed/shard-cells.ts';
import type { ShardingSpec } from '../../lib/precomputed/sharding.ts';
import { naiveLocation, naiveMorton } from './sharding-naive.ts';
import { rounds } from '../support/rounds.ts';

const specOf = (
  preshiftBits: number,
  minishardBits: number,
  shardBits: number,
  hash: ShardingSpec['hash'] = 'identity',
): ShardingSpec => ({
  hash,
  preshiftBits,
  minishardBits,
  shardBits,
  minishardIndexEncoding: 'raw',
  dataEncoding: 'raw',
});

describe('cellsInShard', () => {
  test('counts the cells that the format places in each shard', () => {
    const side = fc.integer({ min: 1, max: 11 }),
      bits = fc.nat(4);
    fc.assert(
      fc.property(fc.tuple(side, side, side), bits, bits, bits, (shape, preshift, minishard, shardBits) => {
        const spec = specOf(preshift, minishard, shardBits);
        const counts = new Map<bigint, number>();
        for (let z = 0; z < shape[2]; z++)
          for (let y = 0; y < shape[1]; y++)
            for (let x = 0; x < shape[0]; x++) {
              const { shard } = naiveLocation(spec, naiveMorton([x, y, z], shape));
              counts.set(shard, (counts.get(shard) ?? 0) + 1);
            }
        for (const [shard, count] of counts)
          expect([shard, cellsInShard(spec, shape, Number(shard), 0)]).toEqual([shard, count]);
      }),
      { seed: 21, numRuns: rounds(70) },
    );
  });

  test.each<[name: string, spec: ShardingSpec, shape: Vec3, low: number, high: number, cells: number]>([
    ['one shard of everything', specOf(3, 2, 0), [7, 5, 3], 0, 0, 105],
    ['shards of one cell', specOf(0, 0, 9), [8, 8, 8], 511, 0, 1],
    [
      'a shard number of more than 32 bits',
      specOf(0, 0, 52),
      [2 ** 20, 2 ** 20, 2 ** 12],
      0xffffffff,
      0xfffff,
      1,
    ],
    ['a grid of more than 2^32 cells', specOf(9, 9, 34), [2 ** 20, 2 ** 20, 2 ** 12], 0, 0, 2 ** 18],
    ['a shard that is cut on each axis', specOf(0, 6, 3), [5, 6, 7], 7, 0, 1 * 2 * 3],
  ])('is right for %s', (_name, spec, shape, low, high, cells) =>
    expect(cellsInShard(spec, shape, low, high)).toBe(cells),
  );

  test('is Infinity if a hash spreads the cells', () =>
    expect(cellsInShard(specOf(0, 1, 1, 'murmurhash3_x86_128'), [4, 4, 4], 0, 0)).toBe(Infinity));
});
