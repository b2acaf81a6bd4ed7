import { describe, expect, test } from '@jest/globals';
import { JoinedPoints } from '../../lib/points/joined-points.ts';
import { toPointSource, type PointSource } from '../../lib/points/point-input.ts';

const EMPTY = toPointSource([]);
/** Sources of 0, 2, 0, 1, 3 and 0 points, whose coordinates count up. Those of the last three are integers. */
const sources: PointSource[] = [
  EMPTY,
  toPointSource([[0, 1, 2], [3, 4, 5]]), // prettier-ignore
  EMPTY,
  toPointSource([{ x: 6, y: 7n, z: 8 }]),
  toPointSource(Int16Array.of(9, 10, 11, 12, 13, 14, 15, 16, 17)),
  EMPTY,
];
const COUNT = 6;

describe('JoinedPoints', () => {
  test('reads the points of all sources in order, from anywhere and in blocks of any size', () => {
    const joined = new JoinedPoints(sources);
    expect(joined.count).toBe(COUNT);
    for (let first = 0; first < COUNT; first++)
      for (let count = 1; count <= COUNT + 1; count++) {
        const out = new Float64Array(3 * count).fill(-1);
        joined.read(first, out);
        const expected = Array.from({ length: 3 * count }, (_, k) =>
          3 * first + k < 3 * COUNT ? 3 * first + k : -1,
        );
        expect([...out]).toEqual(expected);
      }
  });

  test('keeps which coordinates are integers', () => {
    const out = new Float64Array(3 * COUNT);
    new JoinedPoints(sources).readPlaces(0, out);
    expect([...out]).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7.5, 8, 9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5, 16.5, 17.5,
    ]);
  });

  test('joins nothing', () => {
    const out = Float64Array.of(-1, -1, -1);
    for (const joined of [new JoinedPoints([]), new JoinedPoints([EMPTY, EMPTY])]) {
      expect(joined.count).toBe(0);
      joined.read(0, out);
    }
    expect([...out]).toEqual([-1, -1, -1]);
  });
});
