/**
 * Calls point decoders for specs: values as unsigned bits, errors as codes, inputs at odd positions in
 * memory.
 */
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { DecodeError } from '../../lib/base/errors.ts';
import type { DecodeErrorCode } from '../../lib/base/errors.ts';
import type { ChunkLayout, Codec } from '../../lib/codecs/codec.ts';
import { bytesPerValue } from '../../lib/precomputed/data-type.ts';

/** Returns a view with an odd `byteOffset` into a larger buffer of 0xa5, so that a read outside shows. */
export function atOddOffset(bytes: Uint8Array): Uint8Array {
  const room = new Uint8Array(bytes.length + 64).fill(0xa5);
  const view = room.subarray(17, 17 + bytes.length);
  view.set(bytes);
  return view;
}

export const voxelsOf = ({ chunkSize: [x, y, z] }: ChunkLayout): number => x * y * z;

/** Lists every voxel of the chunk, x fastest. */
export const allOffsets = (layout: ChunkLayout): Uint32Array =>
  Uint32Array.from({ length: voxelsOf(layout) }, (_, i) => i);

/** Reads points. `values[k][c]` holds the bits of channel c at `offsets[k]`, unsigned. */
export function pointValues(
  codec: Codec,
  bytes: Uint8Array,
  layout: ChunkLayout,
  offsets: Uint32Array,
): bigint[][] {
  const width = bytesPerValue(layout.dataType);
  const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: Uint32Array }[width]!;
  const out = new Words(offsets.length * layout.channels * (width === 8 ? 2 : 1));
  // The order is reversed, so that a mistake in outIndex shows.
  const outIndex = Uint32Array.from(offsets, (_, k) => offsets.length - 1 - k);
  runWithoutPause(codec.decodePoints(bytes, layout, offsets, out, outIndex));
  const bits = (i: number): bigint =>
    width === 8 ? BigInt(out[2 * i]) + (BigInt(out[2 * i + 1]) << 32n) : BigInt(out[i]);
  return Array.from(outIndex, (to) =>
    Array.from({ length: layout.channels }, (_, c) => bits(to * layout.channels + c)),
  );
}

/** Reads points, or returns the code of the DecodeError. Any other error is thrown. */
export function valuesOrCode(
  codec: Codec,
  bytes: Uint8Array,
  layout: ChunkLayout,
  offsets: Uint32Array,
): bigint[][] | DecodeErrorCode {
  try {
    return pointValues(codec, bytes, layout, offsets);
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}
