/**
 * Reads points of the `crackle` encoding. Only the z-slices that hold wanted voxels are decoded, each once
 * per call, to walls, runs and the requested labels; never to voxels. Checksums (format version 1) are
 * verified for everything that is used: header, slice index, labels, and the components of each decoded
 * slice.
 *
 * Working memory: 17 bytes per voxel of one slice and 8 per byte of its crack code; with pins also 4 per
 * component and 24 per pin of the chunk. The memory for slices is kept for the next call: at most 21 MB per
 * thread, and 0.3 MB for slices of 128 x 128 voxels.
 *
 * Source: crackle (github.com/seung-lab/crackle), README.md, "Stream Format", and src/. None of its code is
 * used.
 */
import { DecodeError } from '../base/errors.ts';
import { product } from '../base/vec3.ts';
import { bytesPerValue, wordsPerValue } from '../precomputed/data-type.ts';
import type { WordArray } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from './codec.ts';
import { componentAt, findComponents } from './crackle/slice-components.ts';
import type { SliceComponents } from './crackle/slice-components.ts';
import { drawCracks } from './crackle/crack-code.ts';
import { readFlatLabels } from './crackle/flat-labels.ts';
import { LABELS_FLAT, markovModelBytes, readHeader, readSections } from './crackle/header.ts';
import type { CrackleHeader, CrackleSections } from './crackle/header.ts';
import { readPinLabels } from './crackle/pin-labels.ts';
import { sliceChecksum } from './crackle/slice-checksum.ts';

/** A limit with some margin: crackle's README calls orders up to 10 reasonable, and 5 to 7 typical. */
const MAX_EXPECTED_MARKOV_ORDER = 12;

const decodePoints: Codec['decodePoints'] = (bytes, layout, offsets, out, outIndex) => {
  if (layout.channels !== 1)
    throw new DecodeError(
      'UNSUPPORTED',
      `crackle: the volume has ${layout.channels} channels, the format has one`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view, layout);
  const sections = readSections(view, header);
  const labels = (header.labelFormat === LABELS_FLAT ? readFlatLabels : readPinLabels)(
    view,
    header,
    sections,
  );

  const [sx, sy, sz] = header.shape;
  const words = wordsPerValue(layout.dataType);
  const { order, ends } = groupBySlice(offsets, sx * sy, sz);
  for (let z = 0, k = 0; z < sz; z++) {
    if (k === ends[z]) continue;
    const slice = decodeSlice(view, header, sections, z);
    const labelOf = labels.ofSlice(z, slice);
    for (; k < ends[z]; k++) {
      const point = order[k];
      copyLabel(
        view,
        labelOf(componentAt(slice, offsets[point] - z * sx * sy)),
        header,
        out,
        outIndex[point] * words,
        words,
      );
    }
  }
};

/** Sorts the indices of `offsets` by slice; those of slice z end before `ends[z]`. */
function groupBySlice(
  offsets: Uint32Array,
  sliceVoxels: number,
  sz: number,
): { order: Uint32Array; ends: Uint32Array } {
  const ends = new Uint32Array(sz);
  for (const offset of offsets) ends[Math.floor(offset / sliceVoxels)]++;
  // These are starts; the next loop advances each of them to the end of its slice.
  for (let z = 0, sum = 0; z < sz; z++) [ends[z], sum] = [sum, sum + ends[z]];
  const order = new Uint32Array(offsets.length);
  for (let point = 0; point < offsets.length; point++)
    order[ends[Math.floor(offsets[point] / sliceVoxels)]++] = point;
  return { order, ends };
}

function decodeSlice(
  view: DataView,
  header: CrackleHeader,
  { labelsTo, cracks }: CrackleSections,
  z: number,
): SliceComponents {
  const { shape, version, permissible, markovOrder } = header;
  const [sx, sy, sz] = shape;
  const walls = drawCracks(
    view,
    { from: cracks[z], to: cracks[z + 1], model: labelsTo, order: markovOrder },
    sx,
    sy,
  );
  const slice = findComponents(walls, sx, sy, permissible);
  if (version === 1 && sliceChecksum(slice) !== view.getUint32(cracks[sz] + 4 + 4 * z, true))
    throw new DecodeError('BAD_CHECKSUM', `crackle: components of slice ${z} do not match their CRC-32C`);
  return slice;
}

/**
 * Copies the label at `from`, narrowed to the chunk's label width and widened to the width of `out`, as the
 * reference and CloudVolume do.
 */
function copyLabel(
  view: DataView,
  from: number,
  { labelWidth, signed }: CrackleHeader,
  out: WordArray,
  to: number,
  words: 1 | 2,
): void {
  const low =
    labelWidth === 1
      ? signed
        ? view.getInt8(from)
        : view.getUint8(from)
      : labelWidth === 2
        ? signed
          ? view.getInt16(from, true)
          : view.getUint16(from, true)
        : signed
          ? view.getInt32(from, true)
          : view.getUint32(from, true);
  out[to] = low;
  if (words === 2) out[to + 1] = labelWidth === 8 ? view.getUint32(from + 4, true) : low < 0 ? -1 : 0;
}

/**
 * Bounds the size of a chunk. In the worst case, every voxel has its own component and label, every edge is
 * drawn with a branch and a model, and every vertex starts a chain. That is a few times more than any encoder
 * writes.
 */
function maxBytes({ chunkSize, dataType }: ChunkLayout): number {
  const [sx, sy, sz] = chunkSize;
  const labels = product(chunkSize) * (bytesPerValue(dataType) + 4);
  const cracks = (sx + 1) * (sy + 1) * sz * 16;
  return 64 + 12 * sz + labels + cracks + markovModelBytes(MAX_EXPECTED_MARKOV_ORDER);
}

/** The codec of `crackle`. */
export const crackleCodec: Codec = {
  encoding: 'crackle',
  dataTypes: ['uint8', 'uint16', 'uint32', 'uint64', 'int8', 'int16', 'int32', 'int64'],
  decodePoints,
  maxBytes,
};
