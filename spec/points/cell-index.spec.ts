import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CellIndex } from '../../lib/points/cell-index.ts';

/** Checks against the answers of a Map. */
function check(cells: Iterable<number>): void {
  const index = new CellIndex(),
    expected = new Map<number, number>();
  for (const cell of cells) {
    if (!expected.has(cell)) expected.set(cell, expected.size);
    if (index.add(cell) !== expected.get(cell))
      throw new Error(`cell ${cell}: ${index.add(cell)} instead of ${expected.get(cell)}`);
  }
  expect(index.size).toBe(expected.size);
  expect([...index.cells]).toEqual([...expected.keys()]);
}

describe('CellIndex', () => {
  test('is empty at first', () => check([]));

  test('numbers cells in order of insertion, duplicates once, up to 2^53', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.nat(20),
            fc.maxSafeNat(),
            fc.nat(300).map((n) => n * 2 ** 32),
          ),
          { maxLength: 300 },
        ),
        check,
      ),
      { seed: 2, numRuns: 200 },
    ));

  test('distinguishes cells that share their low 32 bits', () =>
    check([1, 2 ** 32 + 1, 2 ** 52 + 1, 1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, 2 ** 32 - 1]));

  // Columns of a grid whose rows and planes are powers of two: a weak hash would put them into few slots.
  test.each([1, 2 ** 5, 2 ** 10, 2 ** 20, 2 ** 31, 2 ** 32, 2 ** 36])(
    'grows to 50,000 cells in steps of %d',
    (step) =>
      check(
        (function* () {
          for (let k = 0; k < 50_000; k++) yield k * step;
          for (let k = 0; k < 50_000; k += 97) yield k * step;
        })(),
      ),
  );
});
