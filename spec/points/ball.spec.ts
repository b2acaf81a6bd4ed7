import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { Ball } from '../../lib/points/ball.ts';
import { rounds } from '../support/rounds.ts';

/**
 * Voxels within the radius, nearest first, then by z, y, x, found in a larger box. For whole numbers only.
 */
function naive(resolution: Vec3, radiusNm: number): number[][] {
  const reach = resolution.map((nm) => Math.ceil(radiusNm / nm) + 1);
  const found: { voxel: number[]; square: number }[] = [];
  for (let z = -reach[2]; z <= reach[2]; z++)
    for (let y = -reach[1]; y <= reach[1]; y++)
      for (let x = -reach[0]; x <= reach[0]; x++) {
        const square = [x, y, z].reduce((sum, v, axis) => sum + (v * resolution[axis]) ** 2, 0);
        if (square <= radiusNm ** 2) found.push({ voxel: [x, y, z], square });
      }
  return found.sort((a, b) => a.square - b.square).map(({ voxel }) => voxel); // a stable sort
}

/** The same for decimal numbers: all lengths are whole multiples of 1e-20 nm. */
function exactly(resolution: readonly string[], radius: string): { voxels: number[][]; ties: number } {
  const whole = (text: string): bigint => {
    const [units, decimals = ''] = text.split('.');
    return BigInt(units + decimals.padEnd(20, '0'));
  };
  const steps = resolution.map(whole),
    most = whole(radius);
  const reach = steps.map((step) => Number(most / step));
  const found: { voxel: number[]; square: bigint }[] = [];
  for (let z = 0 - reach[2]; z <= reach[2]; z++)
    for (let y = 0 - reach[1]; y <= reach[1]; y++)
      for (let x = 0 - reach[0]; x <= reach[0]; x++) {
        const square = [x, y, z].reduce((sum, v, axis) => sum + (BigInt(v) * steps[axis]) ** 2n, 0n);
        if (square <= most ** 2n) found.push({ voxel: [x, y, z], square });
      }
  found.sort((a, b) => (a.square < b.square ? -1 : Number(a.square > b.square)));
  return {
    voxels: found.map(({ voxel }) => voxel),
    ties: found.length - new Set(found.map(({ square }) => square)).size,
  };
}

const voxelsOf = (ball: Ball): number[][] => {
  const at = new Int32Array(3);
  return Array.from({ length: ball.size }, (_, rank) => (ball.voxelAt(rank, at), [...at]));
};

const nm = fc.integer({ min: 1, max: 60 });

describe('Ball', () => {
  test('holds every voxel within the radius, nearest first, then by z, y, x, and gives the rank of each', () =>
    fc.assert(
      fc.property(fc.tuple(nm, nm, nm), fc.integer({ min: 1, max: 120 }), (resolution, radiusNm) => {
        fc.pre(resolution.reduce((voxels, step) => (voxels * (2 * radiusNm)) / step, 1) < 20_000);
        const ball = runWithoutPause(Ball.create(resolution, radiusNm));
        const expected = naive(resolution, radiusNm);
        expect(voxelsOf(ball)).toEqual(expected);
        expect(expected.map(([x, y, z]) => ball.rankOf(x, y, z))).toEqual([...expected.keys()]);
        const nm = expected.map(([x, y, z]) =>
          Math.sqrt((x * resolution[0]) ** 2 + (y * resolution[1]) ** 2 + (z * resolution[2]) ** 2),
        );
        expect(expected.map((_voxel, rank) => ball.distanceNm(rank))).toEqual(nm);
      }),
      { seed: 11, numRuns: rounds(15) },
    ));

  const decimal = fc
    .tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 3 }))
    .map(([digits, decimals]) => (digits / 10 ** decimals).toFixed(decimals));

  function checkExactly(resolution: readonly string[], radius: string): void {
    const ball = runWithoutPause(Ball.create(resolution.map(Number) as unknown as Vec3, Number(radius))),
      { voxels } = exactly(resolution, radius);
    expect(voxelsOf(ball)).toEqual(voxels);
    expect(voxels.map(([x, y, z]) => ball.rankOf(x, y, z))).toEqual([...voxels.keys()]);
    const reachOf = (rank: number): Int32Array => {
      const reach = new Int32Array(3);
      ball.reachOf(rank, reach);
      return reach;
    };
    expect([...reachOf(ball.size)]).toEqual([...ball.reach]);
    // Distances never fall, and no voxel of a lower rank is beyond the reach of a rank.
    const wrong = voxels.filter(
      (voxel, rank) =>
        ball.distanceNm(rank) < ball.distanceNm(Math.max(0, rank - 1)) ||
        reachOf(rank).some((reach, axis) => reach < Math.abs(voxel[axis])),
    );
    expect(wrong).toEqual([]);
  }

  test('is exact for decimal resolutions and radii: rounding neither splits ties nor moves voxels in or out', () =>
    fc.assert(
      fc.property(
        decimal,
        fc.constantFrom(1, 1, 2, 3, 10),
        fc.constantFrom(1, 1, 2, 3, 10),
        decimal,
        fc.integer({ min: 0, max: 7 }),
        (step, y, z, other, reach) => {
          const [digits, decimals] = [step.replace('.', ''), step.split('.')[1]?.length ?? 0];
          const times = (n: number): string =>
            (Number(digits) * n)
              .toString()
              .padStart(decimals + 1, '0')
              .replace(new RegExp(`(\\d{${decimals}})$`), decimals > 0 ? '.$1' : '$1');
          fc.pre(Number(step) > 0 && Number(other) > 0);
          checkExactly([step, times(y), times(z)], times(reach + 1));
          fc.pre(Number(other) / Number(step) < 12);
          checkExactly([times(y), step, times(z)], other);
        },
      ),
      { seed: 12, numRuns: rounds(15) },
    ));

  test.each<[resolution: string[], radius: string]>([
    [['0.3333333333333333', '0.3333333333333333', '0.3333333333333333'], '3'],
    [['0.3333333333333333', '0.3333333333333333', '1'], '2.9999999999999996'],
    [['13.799999999999999', '13.799999999999999', '40'], '110.3'],
    [['13.799999999999999', '13.8', '13.799999999999997'], '69'],
    [['9.2', '9.2', '9.2'], '82.8'],
    [['4.28', '4.28', '12.84'], '51.36'],
    [['0.1', '0.1', '0.1'], '0.9'],
  ])(
    'is exact for voxels of %j nm within %s nm, whose squares do not fit in doubles',
    (resolution, radius) => {
      expect(exactly(resolution, radius).ties).toBeGreaterThan(100); // symmetry alone makes most voxels ties
      checkExactly(resolution, radius);
    },
  );

  test('gives ties one distance, the exact decimal', () => {
    const ball = runWithoutPause(Ball.create([1.1, 1.1, 1.1], 5.5));
    expect(
      [
        [5, 0, 0],
        [3, 4, 0],
        [0, -4, 3],
      ].map(([x, y, z]) => ball.distanceNm(ball.rankOf(x, y, z))),
    ).toEqual([5.5, 5.5, 5.5]);
  });

  test('holds only the centre when no neighbour is near enough', () =>
    expect(voxelsOf(runWithoutPause(Ball.create([8, 8, 40], 7.9)))).toEqual([[0, 0, 0]]));

  test('reaches further along the finer axes, and breaks ties by z, then y, then x', () =>
    expect(voxelsOf(runWithoutPause(Ball.create([8, 8, 40], 12)))).toEqual([
      [0, 0, 0],
      [0, -1, 0],
      [-1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [-1, -1, 0],
      [1, -1, 0],
      [-1, 1, 0],
      [1, 1, 0],
    ]));

  test.each([
    [1.1, 3.3, 3],
    [0.1, 0.3, 3],
    [4.3, 12.9, 3],
    [4.3, 12.89, 2],
  ])('includes voxels of %d nm at exactly %d nm, despite rounding', (step, radiusNm, reach) => {
    const ball = runWithoutPause(Ball.create([step, 100, 100], radiusNm));
    expect([ball.reach, ball.size]).toEqual([[reach, 0, 0], 2 * reach + 1]);
  });

  test.each<[x: number, y: number, z: number]>([
    [3, 0, 0],
    [-3, 0, 0],
    [0, 3, 0],
    [0, 0, 1],
    [2, 2, 0],
    [1000, 1000, 1000],
  ])('gives the voxel %d, %d, %d outside the ball the rank after the last', (x, y, z) => {
    const ball = runWithoutPause(Ball.create([8, 8, 40], 16));
    expect(ball.rankOf(x, y, z)).toBe(ball.size);
  });

  test.each([
    [
      [4, 4, 40],
      1e4,
      'a snap radius of 10000 nm spans 5001 x 5001 x 501 voxels of 4,4,40 nm; at most 8388608 voxels can be spanned: take a smaller radius or a coarser mip',
    ],
    [[4, 4, 40], Number.MAX_VALUE, 'a snap radius of 1.7976931348623157e+308 nm spans'],
    [[1e-300, 1e300, 1e300], 1e10, 'a snap radius of 10000000000 nm spans'],
  ] as [Vec3, number, string][])(
    'refuses a ball of voxels of %j nm and %d nm',
    (resolution, radiusNm, message) => {
      const make = (): Ball => runWithoutPause(Ball.create(resolution, radiusNm));
      expect(make).toThrow(RangeError);
      expect(make).toThrow(message);
    },
  );

  test('can hold the largest ball that it accepts', () => {
    const ball = runWithoutPause(Ball.create([1, 1, 1], 101));
    expect(ball.size).toBeGreaterThan(4e6);
    expect(ball.distanceNm(ball.size - 1)).toBe(101);
    expect(ball.rankOf(101, 0, 0)).toBeLessThan(ball.size);
  });
});
