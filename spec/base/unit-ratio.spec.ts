import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { UnitRatio } from '../../lib/base/unit-ratio.ts';
import { rounds } from '../support/rounds.ts';

/** A decimal number as it is written. Its exact value is known without the double. */
interface Written {
  digits: number;
  exponent: number;
}
const read = ({ digits, exponent }: Written): number => Number(`${digits}e${exponent}`);

/** Computes the floor of p × from ÷ to in whole numbers. */
function exactly(p: Written, from: Written, to: Written): number {
  const shift = p.exponent + from.exponent - to.exponent;
  const numerator = BigInt(p.digits) * BigInt(from.digits) * 10n ** BigInt(Math.max(shift, 0)),
    denominator = BigInt(to.digits) * 10n ** BigInt(Math.max(-shift, 0));
  const rest = ((numerator % denominator) + denominator) % denominator;
  return Number((numerator - rest) / denominator) + 0;
}

const exponent = fc.integer({ min: -6, max: 2 });
const resolution = fc.record({ digits: fc.integer({ min: 1, max: 99_999 }), exponent });
const long = fc.record({
  digits: fc.integer({ min: 1, max: 999_999_999_999_999 }),
  exponent: fc.integer({ min: -15, max: -10 }),
});
const anywhere = fc.record({
  digits: fc.integer({ min: -999_999_999, max: 999_999_999 }),
  exponent: fc.integer({ min: -8, max: 1 }),
});

function check(p: Written, from: Written, to: Written): void {
  const ratio = new UnitRatio(read(from), read(to)),
    expected = exactly(p, from, to);
  expect(ratio.floor(read(p)) + 0).toBe(expected);
  const column = Float64Array.of(-7, read(p), -7, -7, read(p), -7);
  ratio.convert(column, 1, 6);
  expect(Array.from(column, Math.floor)).toEqual(
    [-7, expected, -7, -7, expected, -7].map((value) => value + 0),
  );
  const opposite = exactly({ ...p, digits: -p.digits }, from, to);
  expect(ratio.ceil(read(p)) + 0).toBe(-opposite + 0);
}

describe('UnitRatio', () => {
  test('gives the same voxel as arithmetic in whole numbers, for any decimals', () =>
    fc.assert(fc.property(anywhere, fc.oneof(resolution, long), fc.oneof(resolution, long), check), {
      seed: 15,
      numRuns: rounds(1000),
    }));

  test('does so at borders between voxels, and one digit away from them', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: -9_999_999, max: 9_999_999 }),
        fc.integer({ min: 1, max: 999 }),
        resolution,
        fc.integer({ min: -1, max: 1 }),
        fc.integer({ min: 0, max: 2 }),
        (voxel, times, to, offset, how) => {
          // The unit is 1 nm, or `times` voxels, or one `times`-th of a voxel.
          if (how === 0)
            check(
              { digits: voxel * to.digits + offset, exponent: to.exponent },
              { digits: 1, exponent: 0 },
              to,
            );
          else if (how === 1)
            check(
              { digits: voxel * 1000 + offset, exponent: -3 },
              { digits: times * to.digits, exponent: to.exponent },
              to,
            );
          else
            check({ digits: voxel * times + offset, exponent: 0 }, to, {
              digits: times * to.digits,
              exponent: to.exponent,
            });
        },
      ),
      { seed: 16, numRuns: rounds(1500) },
    ));

  test.each<[p: number, from: number, to: number, voxel: number]>([
    [1, 3.3, 1.1, 3],
    [3, 12.84, 4.28, 9],
    [535, 1, 4.28, 125],
    [3, 4.6, 13.8, 1],
    [1, 0.3, 0.1, 3],
    [3, 12, 4, 9],
    [0.3, 1, 0.1, 3],
    [-0.3, 1, 0.1, -3],
    [0.1 + 0.2, 1, 0.1, 3],
    [0.29999999999999993, 1, 0.1, 2],
    [12.344, 1000, 4, 3086],
    [0.5, 8, 4, 1],
    [1e-7, 1, 1e-7, 1],
    [3e-7, 1e7, 1, 3],
    [3, 1 / 3, 1, 0],
    [3, 1, 1 / 3, 9],
    [2 ** 40 + 1, 4.28, 4.28 * 2, 2 ** 39],
    [-1, 1.1, 3.3, -1],
    [-3, 1.1, 3.3, -1],
    [-4, 1.1, 3.3, -2],
    [1e-320, 1, 1, 0],
    [-1e-320, 1e-5, 1, -1],
    [5e-324, 1, 1e300, 0],
    [-5e-324, 1, 1e300, -1],
    [0, 1e300, 1e-300, 0],
  ])('puts %d units of %d nm, in voxels of %d nm, into voxel %d', (p, from, to, voxel) => {
    const column = Float64Array.of(p, 0, 0);
    new UnitRatio(from, to).convert(column, 0, 3);
    expect(Math.floor(column[0]) + 0).toBe(voxel);
    expect(new UnitRatio(from, to).floor(p) + 0).toBe(voxel);
  });

  test.each([
    [1e300, 1e300, 1e-300],
    [-1e300, 1e10, 1],
    [0.5, 1e300, 1e-300],
    [Number.MAX_VALUE, 2.5, 1],
  ])('keeps finite coordinates finite: %d units of %d nm in voxels of %d nm', (p, from, to) => {
    const column = Float64Array.of(p, 0, 0);
    new UnitRatio(from, to).convert(column, 0, 3);
    expect(Math.abs(column[0])).toBe(Number.MAX_VALUE);
    expect(Math.sign(column[0])).toBe(Math.sign(p));
  });

  test.each([[NaN], [Infinity], [-Infinity]])('leaves %d as it is', (p) => {
    const column = Float64Array.of(p, p, p);
    new UnitRatio(3.3, 1.1).convert(column, 0, 3);
    expect([...column]).toEqual([p, p, p]);
  });
});
