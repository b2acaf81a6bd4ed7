/**
 * Reads points of the `raw` encoding: a little-endian array in `[x, y, z, channel]` order, x fastest, without
 * a header.
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "raw chunk encoding".
 */
import { DecodeError } from '../base/errors.ts';
import { formatVec3, product } from '../base/vec3.ts';
import { bytesPerValue, DATA_TYPES } from '../precomputed/data-type.ts';
import type { DataType } from '../precomputed/data-type.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ChunkLayout, Codec } from './codec.ts';
import { MAX_POINTS, createRawStreamDecoder } from './raw-windows.ts';

const exactBytes = ({ chunkSize, channels, dataType }: ChunkLayout): number =>
  product(chunkSize) * channels * bytesPerValue(dataType);

/** Reads a little-endian word. It may be negative; storing it in a Uint32Array makes it positive. */
const word32 = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

/**
 * A call for one voxel takes hardly longer than one cache miss, so two details matter. No DataView is made,
 * because that would double the time. `length` is read instead of `byteLength`, because for a Buffer V8 calls
 * a getter for the latter.
 */
const decodePoints: Codec['decodePoints'] = (bytes, layout, offsets, out, outIndex) => {
  const { chunkSize, channels, dataType } = layout;
  const expected = exactBytes(layout);
  if (bytes.length !== expected)
    throw new DecodeError(
      'WRONG_SIZE',
      `raw chunk of ${formatVec3(chunkSize)} voxels, ${channels} channel(s) of ${dataType}: expected ${expected} bytes, got ${bytes.length}`,
    );
  const width = bytesPerValue(dataType);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * product(chunkSize) * width;
    for (let k = 0; k < offsets.length; k++) {
      const from = start + offsets[k] * width;
      const to = outIndex[k] * channels + channel;
      if (width === 8) {
        out[2 * to] = word32(bytes, from);
        out[2 * to + 1] = word32(bytes, from + 4);
      } else
        out[to] =
          width === 4
            ? word32(bytes, from)
            : width === 2
              ? bytes[from] | (bytes[from + 1] << 8)
              : bytes[from];
    }
  }
};

function wantedBytes({ chunkSize, channels, dataType }: ChunkLayout, offsets: Uint32Array): ByteRange[] {
  const width = bytesPerValue(dataType),
    voxels = product(chunkSize);
  return Array.from({ length: channels }, (_, channel) =>
    Array.from(offsets, (offset) => (channel * voxels + offset) * width),
  )
    .flat()
    .map((start) => ({ start, end: start + width }));
}

/** The codec of `raw`. */
export const rawCodec: Codec = {
  encoding: 'raw',
  dataTypes: Object.keys(DATA_TYPES) as DataType[],
  isPointwise: true,
  decodePoints,
  createStreamDecoder: (layout, offsets, ...to) =>
    offsets.length < MAX_POINTS ? createRawStreamDecoder(layout, offsets, ...to) : undefined,
  wantedBytes,
  maxBytes: exactBytes,
  exactBytes,
};
