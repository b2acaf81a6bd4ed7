import { describe, expect, test } from '@jest/globals';
import { CellSketch } from '../../lib/points/cell-sketch.ts';

const range = (from: number, end: number, step = 1): Float64Array =>
  Float64Array.from({ length: end - from }, (_, k) => (from + k) * step);

describe('CellSketch', () => {
  test('counts distinct cells exactly up to its limit, and returns those that are new', () => {
    const sketch = new CellSketch(1000);
    expect(sketch.add([5, 7, 5, 2 ** 40])).toEqual(Float64Array.of(5, 7, 2 ** 40));
    expect(sketch.add([7, 8])).toEqual(Float64Array.of(8));
    sketch.add(range(0, 1000));
    expect(sketch.isExact).toBe(false);
    const exact = new CellSketch(1000);
    for (let k = 0; k < 3; k++) exact.add(range(0, 1000));
    expect({ count: exact.count, isExact: exact.isExact }).toEqual({ count: 1000, isExact: true });
  });

  // The standard error is 1 / sqrt(kept), and between half of the limit and the limit are kept: 2.2 % at most.
  test.each([
    ['neighbours', 1],
    ['cells of one column of a grid', 4096],
    ['cells beyond 2^32', 2 ** 30 + 2 ** 21],
  ])('estimates more %s within four standard errors, in any order and with repeats', (_, step) => {
    const sketch = new CellSketch(4096);
    for (const from of [60_000, 0, 30_000, 60_000]) sketch.add(range(from, from + 30_000, step));
    expect(sketch.isExact).toBe(false);
    expect(Math.abs(sketch.count / 90_000 - 1)).toBeLessThan(0.09);
  });

  test('samples distinct cells of it, spread over all', () => {
    const sketch = new CellSketch();
    sketch.add(range(0, 10_000));
    const sample = sketch.sample(16);
    expect(new Set(sample).size).toBe(16);
    expect(sample.every((cell) => Number.isInteger(cell) && cell >= 0 && cell < 10_000)).toBe(true);
    expect(Math.max(...sample) - Math.min(...sample)).toBeGreaterThan(5000);
    const few = new CellSketch();
    few.add([3, 1, 2]);
    expect(few.sample(16).toSorted()).toEqual([1, 2, 3]);
    expect(new CellSketch().sample(16)).toEqual([]);
  });
});
