/**
 * Reads points of the `png` encoding: one image whose pixels, row after row, are the voxels of the chunk, x fastest;
 * a pixel has one value per channel. 8 and 16 bits, 1 to 4 channels, any width and height with as many pixels as the
 * chunk has voxels. The rows up to the last wanted one are inflated, and two of them are kept. An interlaced image is
 * decoded whole.
 *
 * Each part of the image data is checked against its CRC before it is inflated. Palettes, transparent colours and
 * values of fewer than 8 bits, which no writer of volumes makes, are not supported. Colour spaces and gamma are
 * ignored: values are read as stored.
 *
 * Source: Portable Network Graphics (PNG) Specification, third edition; Neuroglancer and TensorStore for the order of
 * voxels.
 */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import { product } from '../base/vec3.ts';
import { bytesPerValue } from '../precomputed/data-type.ts';
import type { WordArray } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from './codec.ts';
import { groupBySlice } from './group-by-slice.ts';
import { readPngHeader } from './png/png-header.ts';
import { readPngRows } from './png/png-rows.ts';
import { rawCodec } from './raw.ts';

function* decodePoints(
  bytes: Uint8Array,
  layout: ChunkLayout,
  offsets: Uint32Array,
  out: WordArray,
  outIndex: Uint32Array,
): PausableWork {
  const image = readPngHeader(bytes, layout),
    { width, height, channels, valueBytes } = image;
  if (offsets.length === 0) return;
  if (image.isInterlaced) {
    const raw = yield* toRaw(bytes, layout);
    return yield* inStretches(offsets.length, (from, end) => {
      void rawCodec.decodePoints(raw, layout, offsets.subarray(from, end), out, outIndex.subarray(from, end));
    });
  }
  const { order, sliceStart: rowStart } = groupBySlice(offsets, width, height),
    pixelBytes = valueBytes * channels,
    last = order[order.length - 1],
    lastRow = Math.floor(offsets[last] / width);
  yield* readPngRows(bytes, image, (row, _pass, y) => {
    for (let k = rowStart[y]; k < rowStart[y + 1]; k++) {
      const from = (1 + offsets[order[k]] - y * width) * pixelBytes,
        to = outIndex[order[k]] * channels;
      if (valueBytes === 1) for (let c = 0; c < channels; c++) out[to + c] = row[from + c];
      else for (let c = 0; c < channels; c++) out[to + c] = (row[from + 2 * c] << 8) | row[from + 2 * c + 1];
    }
    return y < lastRow;
  });
}

function* toRaw(bytes: Uint8Array, layout: ChunkLayout): PausableWork<Uint8Array> {
  const image = readPngHeader(bytes, layout),
    { width, channels, valueBytes } = image,
    voxels = product(layout.chunkSize),
    raw = new Uint8Array(voxels * channels * valueBytes),
    pixelBytes = channels * valueBytes;
  yield* readPngRows(bytes, image, (row, { left, top, stepX, stepY, width: count }, y) => {
    const first = (top + y * stepY) * width + left;
    if (pixelBytes === 1 && stepX === 1) raw.set(row.subarray(1), first);
    else
      for (let c = 0; c < channels; c++) {
        let to = (first + c * voxels) * valueBytes;
        const end = row.length,
          step = stepX * valueBytes;
        if (valueBytes === 1)
          for (let from = pixelBytes + c; from < end; from += pixelBytes, to += step) raw[to] = row[from];
        else
          for (let from = pixelBytes + 2 * c; from < end; from += pixelBytes, to += step) {
            raw[to] = row[from + 1];
            raw[to + 1] = row[from];
          }
      }
    return count > 0;
  });
  return raw;
}

/** Parts that are not image data may take this much. */
const METADATA_BYTES = 2 ** 20;

/** The codec of `png`. */
export const pngCodec: Codec = {
  encoding: 'png',
  dataTypes: ['uint8', 'uint16'],
  channels: [1, 2, 3, 4],
  decodePoints,
  toRaw,
  // Values and one filter per row, hardly longer when stored than without compression; IDAT parts may be small.
  maxBytes: ({ chunkSize, channels, dataType }) =>
    METADATA_BYTES + 2 * product(chunkSize) * (channels * bytesPerValue(dataType) + 1),
};
