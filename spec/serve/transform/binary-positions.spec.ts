import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../../lib/base/cooperative-work.ts';
import { hasRounded, readBinaryPositions } from '../../../lib/serve/transform/binary-positions.ts';

/** Little-endian float32 of two positions, (1, 2, 3) and (4, 5, 6.5), at an odd place in memory. */
const bytesOf = (values: number[]): Uint8Array => {
  const whole = new Uint8Array(1 + 4 * values.length),
    view = new DataView(whole.buffer, 1);
  values.forEach((value, k) => view.setFloat32(4 * k, value, true));
  return whole.subarray(1);
};

describe('binary positions', () => {
  test('are rows of x, y, z as array_float_Nx3', () =>
    expect(readBinaryPositions(bytesOf([1, 2, 3, 4, 5, 6.5]), 'array_float_Nx3', 100)).toEqual(
      Float32Array.of(1, 2, 3, 4, 5, 6.5),
    ));

  test('are columns as array_float_3xN', () =>
    expect(readBinaryPositions(bytesOf([1, 4, 2, 5, 3, 6.5]), 'array_float_3xN', 100)).toEqual({
      x: Float32Array.of(1, 4),
      y: Float32Array.of(2, 5),
      z: Float32Array.of(3, 6.5),
    }));

  test.each(['array_float_Nx3', 'array_float_3xN'] as const)('may be none as %s', (format) => {
    const none = readBinaryPositions(new Uint8Array(0), format, 100);
    expect(none instanceof Float32Array ? none : none.x).toHaveLength(0);
  });

  test.each([1, 4, 8, 11, 13, 23, 25])('are refused in %i bytes', (length) => {
    expect(() => readBinaryPositions(new Uint8Array(length), 'array_float_Nx3', 100)).toThrow(
      expect.objectContaining({ statusCode: 400, message: expect.stringContaining(`${length} bytes`) }),
    );
  });

  test('are refused if they are too many', () => {
    expect(readBinaryPositions(new Uint8Array(24), 'array_float_Nx3', 2)).toHaveLength(6);
    expect(() => readBinaryPositions(new Uint8Array(36), 'array_float_Nx3', 2)).toThrow(
      expect.objectContaining({ statusCode: 413, message: expect.stringContaining('(2) exceeded') }),
    );
  });

  test.each([
    [[16777215, -16777215, NaN], false],
    [[0, Infinity, -Infinity], false],
    [[16777216, 0, 0], true],
    [[0, 0, -16777216], true],
  ])('%j: whether float32 may have rounded them is %s', (values, expected) => {
    expect(runWithoutPause(hasRounded(Float32Array.from(values)))).toBe(expected);
    const [x, y, z] = values.map((value) => Float32Array.of(value));
    expect(runWithoutPause(hasRounded({ x, y, z }))).toBe(expected);
  });
});
