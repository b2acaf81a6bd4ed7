/**
 * Reads points of the `compresso` encoding, format versions 0 and 1. With a z-index (version 1, connectivity
 * 4) only the slices that hold wanted voxels are decoded. Without one, all slices up to the last wanted slice
 * are decoded; with connectivity 6, where components span slices, all slices. Slices are decoded to boundary
 * bits and runs, never to voxels. The format has no checksum, so lengths and counts are checked against each
 * other.
 *
 * Scratch memory: at most 9 times (usually twice) the bytes of the windows and their table, 8 bytes per
 * point, and for the slices that are decoded together (one, with a z-index) at most 8 bytes per voxel
 * (usually 0.2) and 30 per row. Nothing is kept between calls.
 * Source: seung-lab/compresso, README.md and compresso.hpp (format facts).
 */
import { DecodeError } from '../base/errors.ts';
import { product } from '../base/vec3.ts';
import { bytesPerValue, wordsPerValue } from '../precomputed/data-type.ts';
import { Slab } from './compresso/slab.ts';
import { HEADER_BYTES, openStream } from './compresso/stream.ts';
import { readWindows } from './compresso/boundary-windows.ts';
import { readSliceStarts } from './compresso/z-index.ts';
import type { Codec } from './codec.ts';
import { groupBySlice } from './group-by-slice.ts';
import type { CompressoStream } from './compresso/stream.ts';
import type { WindowTable } from './compresso/boundary-windows.ts';

/**
 * The most voxels in slices that are decoded together: a cube of 1,024 voxels, in which every index fits in
 * 32 bits.
 */
const MAX_SLAB_VOXELS = 2 ** 30;

/** The codec of `compresso`. */
export const compressoCodec: Codec = {
  encoding: 'compresso',
  dataTypes: ['uint8', 'uint16', 'uint32', 'uint64'],

  decodePoints(bytes, layout, offsets, out, outIndex) {
    const stream = openStream(bytes, layout),
      windows = readWindows(stream),
      words = wordsPerValue(layout.dataType);
    const [sx, sy] = stream.shape;
    for (const { slab, points } of decodeSlabs(stream, windows, offsets)) {
      for (const k of points) {
        const row = Math.floor(offsets[k] / sx),
          z = Math.floor(row / sy);
        slab.writeLabel(offsets[k] - row * sx, row - z * sy, z, out, outIndex[k] * words);
      }
    }
  },

  /**
   * In the worst case, every voxel is a component or two locations, and every window has a table entry and an
   * index of 8 bytes each.
   */
  maxBytes: ({ chunkSize, dataType }) =>
    HEADER_BYTES + product(chunkSize) * (2 * bytesPerValue(dataType) + 16) + 16 * chunkSize[2],
};

/**
 * Decodes the slabs that hold wanted voxels, one after the other in the same memory, each with its points
 * (indices into `offsets`).
 */
function* decodeSlabs(
  stream: CompressoStream,
  windows: WindowTable,
  offsets: Uint32Array,
): Generator<{ slab: Slab; points: Uint32Array }> {
  if (offsets.length === 0) return;
  const {
    shape: [sx, sy, sz],
    connectivity,
    zIndex,
    ids,
    locations,
  } = stream;
  const { order, sliceStart } = groupBySlice(offsets, sx * sy, sz);
  if (zIndex && connectivity === 4) {
    const starts = readSliceStarts(stream, zIndex),
      slab = openSlab(stream, windows, 1);
    const position = (z: number) => ({ component: starts.components[z], location: starts.locations[z] });
    for (let z = 0; z < sz; z++) {
      if (sliceStart[z] === sliceStart[z + 1]) continue;
      slab.load(z, z + 1, position(z), position(z + 1));
      yield { slab, points: order.subarray(sliceStart[z], sliceStart[z + 1]) };
    }
  } else {
    let last = sz - 1;
    while (sliceStart[last] === offsets.length) last--;
    // A location may point to the next slice.
    const depth = connectivity === 6 ? sz : Math.min(last + 2, sz),
      slab = openSlab(stream, windows, depth);
    slab.load(
      0,
      depth,
      { component: 0, location: 0 },
      depth === sz ? { component: ids.count, location: locations.count } : undefined,
    );
    yield { slab, points: order };
  }
}

function openSlab(stream: CompressoStream, windows: WindowTable, depth: number): Slab {
  const {
    shape: [sx, sy],
  } = stream;
  if (sx * sy * depth > MAX_SLAB_VOXELS)
    throw new DecodeError(
      'TOO_LARGE',
      `compresso: ${depth} slices of ${sx} by ${sy} voxels are too large to be decoded together`,
    );
  return new Slab(stream, windows, depth);
}
