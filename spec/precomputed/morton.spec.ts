import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InfoError } from '../../lib/base/errors.ts';
import { compressedMortonCodes } from '../../lib/precomputed/morton.ts';
import { bigintsOf, naiveCell, naiveMorton, type Triple } from './sharding-naive.ts';
import { vectors } from './sharding-vectors.ts';
import { rounds } from '../support/rounds.ts';

const codesOf = (shape: Triple, cells: readonly Triple[]): bigint[] =>
  bigintsOf(compressedMortonCodes(shape, Float64Array.from(cells.flat())));

/** Axes of one, a few and very many cells. The code stays within 64 bits. */
const axis = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 2 ** 24 }),
  fc.integer({ min: 1, max: 2 ** 44 }),
);
const bitsOf = (cells: number): number => (cells - 1 === 0 ? 0 : (cells - 1).toString(2).length);
const grid = fc
  .tuple(axis, axis, axis)
  .filter((shape) => bitsOf(shape[0]) + bitsOf(shape[1]) + bitsOf(shape[2]) <= 64);
const gridAndCells = grid.chain((shape) => {
  const [x, y, z] = shape.map((cells) =>
    fc.oneof(fc.constant(cells - 1), fc.integer({ min: 0, max: cells - 1 })),
  );
  return fc.tuple(fc.constant(shape), fc.array(fc.tuple(x, y, z), { maxLength: 5 }));
});

describe('compressed Morton codes', () => {
  test.each(vectors.morton)('of a grid of $shape equal those of cloud-volume', ({ shape, chunks }) => {
    const cells = chunks.map(([x, y, z]): Triple => [x, y, z]);
    expect(codesOf(shape, cells)).toEqual(chunks.map((chunk) => BigInt(chunk[3])));
  });

  // google/tensorstore, driver/neuroglancer_precomputed/metadata_test.cc, EncodeCompressedZIndexTest: 4, 2
  // and 1 bits.
  test.each([
    [[0, 0, 0], 0n],
    [[1, 0, 0], 1n],
    [[0, 1, 0], 2n],
    [[0b10, 0b0, 0b1], 0b1100n],
    [[0b10, 0b11, 0b0], 0b11010n],
    [[0b1001, 0b10, 0b1], 0b1010101n],
  ] as const)('of cell %s is that of TensorStore', (cell, code) =>
    expect(codesOf([16, 4, 2], [cell])).toEqual([code]),
  );

  test('equal the definition for any grid, and can be decoded to the cell', () => {
    fc.assert(
      fc.property(gridAndCells, ([shape, cells]) => {
        const codes = codesOf(shape, cells);
        expect(codes).toEqual(cells.map((cell) => naiveMorton(cell, shape)));
        expect(codes.map((code) => naiveCell(code, shape))).toEqual(cells);
      }),
      { seed: 4, numRuns: rounds(700) },
    );
  });

  test('are all different on a small odd grid', () => {
    const shape = [7, 1, 5] as const;
    const cells = Array.from({ length: 35 }, (_, i): Triple => [i % 7, 0, Math.floor(i / 7)]);
    expect(new Set(codesOf(shape, cells)).size).toBe(35);
  });

  test('accept positions as uint32, too', () => {
    expect(bigintsOf(compressedMortonCodes([4, 4, 4], Uint32Array.of(1, 0, 2, 3, 3, 3)))).toEqual([33n, 63n]);
  });

  test('are refused if they need more than 64 bits', () => {
    const compute = (): unknown =>
      compressedMortonCodes([2 ** 22, 2 ** 22, 2 ** 20 + 1], new Float64Array(0));
    expect(compute).toThrow(InfoError);
    expect(compute).toThrow(expect.objectContaining({ code: 'BAD_INFO' }));
    expect(compute).toThrow('65 bits');
  });

  test.each([[[7, 0, 0]], [[0, 5, 0]], [[0, 0, -1]], [[NaN, 0, 0]]] as const)(
    'refuse cell %s of a grid of 7,5,3',
    (cell) => {
      expect(() => codesOf([7, 5, 3], [cell])).toThrow(RangeError);
    },
  );
});
