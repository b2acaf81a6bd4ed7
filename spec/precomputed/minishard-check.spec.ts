/** Compares the checks of minishard indices with a plain BigInt implementation of the format's text. */
import { describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { checkMinishardIndex } from '../../lib/precomputed/minishard-check.ts';
import type { MinishardIndex } from '../../lib/precomputed/shard-index.ts';
import type { ShardingSpec } from '../../lib/precomputed/sharding.ts';
import { seeded } from '../../testing/random.ts';
import { naiveCell, naiveLocation, naiveMorton, pairsOf } from './sharding-naive.ts';

const specOf = (part: Partial<ShardingSpec>): ShardingSpec => ({
  hash: 'identity',
  preshiftBits: 0,
  minishardBits: 0,
  shardBits: 0,
  minishardIndexEncoding: 'raw',
  dataEncoding: 'raw',
  ...part,
});

/** Makes an index, by default of chunks of ten bytes, one after the other. */
function indexOf(
  ids: readonly bigint[],
  starts = ids.map((_, i) => 16 + 10 * i),
  sizes = ids.map(() => 10),
): MinishardIndex {
  return {
    ids: pairsOf(ids),
    starts: Float64Array.from(starts),
    ends: Float64Array.from(starts, (start, i) => start + sizes[i]),
  };
}

const words = (n: bigint): [number, number] => [Number(n & 0xffffffffn), Number(n >> 32n)];

function codeOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof DecodeError && error.code === 'BAD_HEADER') return error.message;
    throw error;
  }
}

describe('checkMinishardIndex: the listed chunks', () => {
  const specs: ShardingSpec[] = [
    specOf({ preshiftBits: 3, minishardBits: 2, shardBits: 2 }),
    specOf({ minishardBits: 0, shardBits: 3 }),
    specOf({ preshiftBits: 1, minishardBits: 30, shardBits: 20 }),
    specOf({ preshiftBits: 40, minishardBits: 20, shardBits: 44 }),
    specOf({ hash: 'murmurhash3_x86_128', preshiftBits: 2, minishardBits: 3, shardBits: 1 }),
    specOf({ hash: 'murmurhash3_x86_128', minishardBits: 20, shardBits: 40 }),
  ];
  const shapes: Vec3[] = [
    [5, 9, 3],
    [8, 4, 16],
    [1, 1, 1],
    [1, 100, 1],
    [2 ** 20 + 1, 2 ** 15, 2 ** 12 - 3],
  ];

  test.each(specs.flatMap((spec) => shapes.map((gridShape) => ({ ...spec, gridShape }))))(
    'are checked one by one: $hash $preshiftBits $minishardBits $shardBits, $gridShape',
    ({ gridShape, ...spec }) => {
      const random = seeded(11);
      const randomCell = (): Vec3 => gridShape.map((cells) => random.below(cells)) as unknown as Vec3;
      const own = naiveMorton(randomCell(), gridShape),
        place = naiveLocation(spec, own);
      const at = { shard: words(place.shard), minishard: Number(place.minishard), gridShape };
      const mark = 1n << BigInt(random.below(64));
      const ids = [
        own,
        ...Array.from({ length: 40 }, () => naiveMorton(randomCell(), gridShape)),
        ...Array.from({ length: 64 }, (_, bit) => own ^ (1n << BigInt(bit))),
        own + mark,
        2n ** 64n - 1n,
      ];
      const seen = { own: 0, foreign: 0 };
      for (const id of ids) {
        const here = naiveLocation(spec, id),
          cell = naiveCell(id, gridShape);
        const isOwn =
          here.shard === place.shard &&
          here.minishard === place.minishard &&
          naiveMorton(cell, gridShape) === id &&
          cell.every((c, axis) => c < gridShape[axis]);
        const message = codeOf(() => checkMinishardIndex(indexOf([BigInt.asUintN(64, id)]), spec, at));
        seen[isOwn ? 'own' : 'foreign']++;
        if (isOwn) expect(message).toBeUndefined();
        else
          expect(message).toMatch(
            new RegExp(
              `^minishard ${at.minishard}: its index lists chunk ${BigInt.asUintN(64, id)}, which (belongs to another minishard|is outside the grid of )`,
            ),
          );
      }
      expect(seen.own).toBeGreaterThan(0);
      expect(seen.foreign).toBeGreaterThan(0);
    },
  );

  test('are all checked, however many there are', () => {
    const gridShape: Vec3 = [64, 64, 4],
      spec = specOf({});
    const ids = Array.from({ length: 64 * 64 * 4 }, (_, i) => BigInt(i));
    const at = { shard: [0, 0] as const, minishard: 0, gridShape };
    expect(() => checkMinishardIndex(indexOf(ids), spec, at)).not.toThrow();
    ids[ids.length - 1] = 2n ** 40n;
    expect(codeOf(() => checkMinishardIndex(indexOf(ids), spec, at))).toBe(
      'minishard 0: its index lists chunk 1099511627776, which is outside the grid of 64,64,4 chunks',
    );
  });
});

describe('checkMinishardIndex: the byte ranges', () => {
  const place = { shard: [0, 0] as const, minishard: 0, gridShape: [4, 4, 4] as Vec3 };
  const check = (starts: number[], sizes: number[]): string | undefined =>
    codeOf(() =>
      checkMinishardIndex(
        indexOf(
          starts.map((_, i) => BigInt(i)),
          starts,
          sizes,
        ),
        specOf({}),
        place,
      ),
    );

  test.each([
    ['one after the other', [16, 26, 36], [10, 10, 10]],
    ['with gaps, in any order', [160, 16, 80], [10, 64, 10]],
    ['equal', [50, 16, 50], [10, 34, 10]],
    ['empty and inside others', [16, 20, 50], [34, 0, 5]],
  ])('may be %s', (_, starts, sizes) => expect(check(starts, sizes)).toBeUndefined());

  test.each([
    [
      'partly inside the one before',
      [16, 25],
      [10, 10],
      'chunk 0 at bytes 16 to 26 and chunk 1 at bytes 25 to 35',
    ],
    ['inside another', [16, 80, 20], [34, 10, 5], 'chunk 0 at bytes 16 to 50 and chunk 2 at bytes 20 to 25'],
    [
      'at the same start with two sizes',
      [16, 16],
      [10, 11],
      'chunk 0 at bytes 16 to 26 and chunk 1 at bytes 16 to 27',
    ],
  ])('may not be %s', (_, starts, sizes, which) =>
    expect(check(starts, sizes)).toBe(`minishard 0: its index places ${which}, which overlap`),
  );
});
