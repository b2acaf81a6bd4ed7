import { describe, expect, test } from '@jest/globals';
import { adviseUnits, type Grid } from '../../explorer/points/units.ts';

const GRID: Grid = { resolution: [8, 8, 40], size: [200, 150, 50], offset: [0, 10, 5] };
const VIEWER = { name: 'viewer', resolution: [4, 4, 40] } as const;

describe('adviseUnits', () => {
  test('is content with points that are inside', () => {
    const points = Float64Array.of(0, 10, 5, 199.9, 159.9, 54.9, NaN, 1, 1);
    expect(adviseUnits(points, [8, 8, 40], GRID, [VIEWER])).toEqual({
      points: 2,
      inside: 2,
      bounds: [
        [0, 10, 5],
        [200, 160, 55],
      ],
      fits: [],
    });
  });

  test('tells the bounds in the unit of the points, and which unit fits', () => {
    const points = Float64Array.of(390, 300, 20, 380, 310, 20, 250, 290, 50);
    const { inside, bounds, fits } = adviseUnits(points, [8, 8, 40], GRID, [VIEWER]);
    expect(inside).toBe(0);
    expect(bounds).toEqual([
      [0, 10, 5],
      [200, 160, 55],
    ]);
    expect(fits[0]).toEqual({ name: 'viewer', resolution: [4, 4, 40], inside: 3 });
    expect(adviseUnits(points, [4, 4, 40], GRID, []).bounds).toEqual([
      [0, 20, 5],
      [400, 320, 55],
    ]);
  });

  test('offers no unit that does not fit', () => {
    const { inside, fits } = adviseUnits(Float64Array.of(-5, -5, -5), [8, 8, 40], GRID, [VIEWER]);
    expect([inside, fits]).toEqual([0, []]);
  });
});
