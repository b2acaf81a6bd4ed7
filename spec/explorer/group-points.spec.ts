import { describe, expect, test } from '@jest/globals';
import { groupPoints } from '../../explorer/points/group-points.ts';

/** Rows of a grid of 20 x 20 x 20 cells, 4 points in each, shuffled. */
const COUNT = 32_000;
const order = Uint32Array.from({ length: COUNT }, (_, k) => (k * 7919) % COUNT);
const coordinates = Float64Array.from({ length: 3 * COUNT }, (_, at) => {
  const cell = Math.floor(order[Math.floor(at / 3)] / 4);
  return [cell % 20, Math.floor(cell / 20) % 20, Math.floor(cell / 400)][at % 3] * 10 + 3;
});
const CELL = [10, 10, 10] as const;

describe('groupPoints', () => {
  test('puts each row in one request, the first of them small', () => {
    const groups = groupPoints(coordinates, { cell: CELL, most: 4000 });
    expect(groups.map(({ length }) => length)).toEqual([500, ...Array<number>(7).fill(4000), 3500]);
    expect(Uint32Array.from(groups.flatMap((group) => [...group])).sort()).toEqual(
      Uint32Array.from({ length: COUNT }, (_, k) => k),
    );
  });

  test('keeps the points of a cell together', () => {
    const groups = groupPoints(coordinates, { cell: CELL, most: 4000 });
    const cellsOf = (group: Uint32Array): number =>
      new Set([...group].map((row) => coordinates.subarray(3 * row, 3 * row + 3).join())).size;
    const read = groups.reduce((sum, group) => sum + cellsOf(group), 0);
    // A request border cuts a cell at most once. Rows in the order of the points would read 32,000 cells.
    expect(read).toBeLessThanOrEqual(8000 + groups.length);
  });

  test('groups the given rows only, and puts points without numbers last', () => {
    const some = Float64Array.of(NaN, 0, 0, 55, 0, 0, 1, 1, 1, 2, 2, 2);
    expect(
      groupPoints(some, { cell: CELL, most: 2, rows: Uint32Array.of(0, 1, 3) }).map((group) => [...group]),
    ).toEqual([[3, 1], [0]]);
    expect(groupPoints(new Float64Array(), { cell: CELL })).toEqual([]);
  });
});
