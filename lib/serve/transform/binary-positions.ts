/**
 * Reads the positions of a binary request: little-endian float32, without a header. Pure.
 * Source: bocklab/transform_service, app/main.py, `query_values_binary`.
 */
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { FLOAT32_WHOLE } from './transform-dataset.ts';
import { tooMany } from './transform-error.ts';
import { HttpRefusal } from '../http-errors.ts';

/** The formats: rows of x, y, z, or all x, then all y, then all z. */
export const BINARY_FORMATS = ['array_float_Nx3', 'array_float_3xN'] as const;
export type BinaryFormat = (typeof BINARY_FORMATS)[number];

/** Positions, xyz interleaved or in columns. */
export type Float32Positions = Float32Array | Record<'x' | 'y' | 'z', Float32Array>;

const BYTES_PER_POSITION = 12;

/**
 * Returns the positions; a view of the body, where its alignment allows. No bytes are no positions.
 * @throws HttpRefusal 400 if the length is not a multiple of 12; 413 for more than `maxPoints` positions.
 */
export function readBinaryPositions(
  body: Uint8Array,
  format: BinaryFormat,
  maxPoints: number,
): Float32Positions {
  const { byteLength } = body,
    count = byteLength / BYTES_PER_POSITION;
  if (!Number.isInteger(count))
    throw new HttpRefusal(
      400,
      `the body has ${byteLength} bytes, which is not a multiple of 12: a position is x, y, z as three little-endian float32`,
    );
  if (count > maxPoints) throw tooMany(maxPoints);
  const aligned = body.byteOffset % 4 === 0 ? body : new Uint8Array(body);
  const values = new Float32Array(aligned.buffer, aligned.byteOffset, 3 * count);
  if (format === 'array_float_Nx3') return values;
  return {
    x: values.subarray(0, count),
    y: values.subarray(count, 2 * count),
    z: values.subarray(2 * count),
  };
}

/** Returns whether a coordinate is so large that float32 may have rounded it to another whole number. */
export function* hasRounded(positions: Float32Positions): PausableWork<boolean> {
  const columns = positions instanceof Float32Array ? [positions] : Object.values(positions);
  let found = false;
  for (const column of columns)
    yield* inStretches(column.length, (from, end) => {
      for (let at = from; at < end; at++) {
        const size = Math.abs(column[at]);
        if (size >= FLOAT32_WHOLE && size < Infinity) found = true;
      }
    });
  return found;
}
