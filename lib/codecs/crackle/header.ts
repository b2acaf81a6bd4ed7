/**
 * Reads the header and the section table of a crackle stream, format versions 0 and 1:
 *
 *     header | bytes of each slice's crack code (+ CRC) | labels | Markov model | crack codes | CRC of the labels | CRC of each slice
 *
 * Source: crackle, README.md, "Stream Format", and src/header.hpp.
 */
import { DecodeError } from '../../base/errors.ts';
import { formatVec3 } from '../../base/vec3.ts';
import type { Vec3 } from '../../base/vec3.ts';
import { bytesPerValue } from '../../precomputed/data-type.ts';
import type { ChunkLayout } from '../codec.ts';
import { crc32c } from '../../base/crc32c.ts';
import { crc8 } from './crc.ts';

const MAGIC = 0x6c6b7263; // "crkl"
const HEADER_BYTES = [24, 29];

/** The label format in which each component has the index of its label. */
export const LABELS_FLAT = 0;
/** The label format in which labels have vertical lines ("pins"). */
export const LABELS_PINS = 2;

/** The fields of a header. */
export interface CrackleHeader {
  version: 0 | 1;
  /** Bytes of the header. */
  bytes: number;
  shape: Vec3;
  /** Bytes per label in the table of labels. */
  storedWidth: number;
  /**
   * How many of these bytes are used, from the lowest: the chunk's own values may be narrower. Never more than
   * a value of the volume has.
   */
  labelWidth: number;
  /** Whether labels are signed, so that widening repeats the sign. */
  signed: boolean;
  /** Whether crack codes draw the edges without walls, rather than the walls. */
  permissible: boolean;
  labelFormat: typeof LABELS_FLAT | typeof LABELS_PINS;
  /** The order of the Markov model; 0 for none. */
  markovOrder: number;
  /** Bytes of the labels section. */
  labelBytes: number;
}

/**
 * Reads the header and checks it against the chunk's layout, so that nothing later is sized by the header
 * alone. The flag for C or Fortran order is ignored: it concerns decoded arrays, and voxels are numbered x
 * fastest in both.
 *
 * @throws DecodeError TRUNCATED, UNSUPPORTED, BAD_CHECKSUM or BAD_HEADER.
 */
export function readHeader(view: DataView, { chunkSize, dataType }: ChunkLayout): CrackleHeader {
  if (view.byteLength < 5)
    throw new DecodeError('TRUNCATED', `crackle: ${view.byteLength} bytes are too few for a header`);
  if (view.getUint32(0, true) !== MAGIC)
    throw new DecodeError('BAD_HEADER', 'crackle: the bytes do not begin with "crkl"');
  const version = view.getUint8(4);
  if (version !== 0 && version !== 1)
    throw new DecodeError(
      'UNSUPPORTED',
      `crackle: format version ${version} is not supported; supported: 0 and 1`,
    );
  const bytes = HEADER_BYTES[version];
  if (view.byteLength < bytes)
    throw new DecodeError(
      'TRUNCATED',
      `crackle: ${view.byteLength} bytes are too few; a header of version ${version} takes ${bytes}`,
    );
  if (version === 1 && crc8(view, 5, bytes - 1) !== view.getUint8(bytes - 1))
    throw new DecodeError('BAD_CHECKSUM', 'crackle: the header does not match its CRC-8');

  const format = view.getUint16(5, true);
  const dataWidth = 1 << (format & 3); // bytes per value of the array that was encoded
  const shape: Vec3 = [view.getUint32(7, true), view.getUint32(11, true), view.getUint32(15, true)];
  if (shape.some((size, axis) => size !== chunkSize[axis]))
    throw new DecodeError(
      'BAD_HEADER',
      `crackle: expected ${formatVec3(chunkSize)} voxels, got ${formatVec3(shape)}`,
    );
  // `crackle.refit` and `crackle.astype` write narrower values than the volume's, and CloudVolume widens
  // them.
  const storedWidth = 1 << ((format >>> 2) & 3),
    labelWidth = Math.min(storedWidth, dataWidth);
  if (labelWidth > bytesPerValue(dataType))
    throw new DecodeError(
      'BAD_HEADER',
      `crackle: labels of ${labelWidth} bytes in a volume of ${bytesPerValue(dataType)} byte(s) per value`,
    );
  const labelFormat = (format >>> 5) & 3;
  if (labelFormat !== LABELS_FLAT && labelFormat !== LABELS_PINS)
    throw new DecodeError(
      'UNSUPPORTED',
      `crackle: label format ${labelFormat} is not defined by the reference; supported: 0 (flat) and 2 (pins)`,
    );
  const gridSize = 2 ** view.getUint8(19);
  if (gridSize < Math.max(shape[0], shape[1]))
    throw new DecodeError(
      'UNSUPPORTED',
      `crackle: slices cut into grids of ${gridSize} voxels are not defined by the reference`,
    );
  return {
    version,
    bytes,
    shape,
    storedWidth,
    labelWidth,
    signed: (format & 0x100) !== 0,
    permissible: (format & 0x10) !== 0,
    labelFormat,
    markovOrder: (format >>> 9) & 15,
    labelBytes: view.getUint32(20, true) + (version === 1 ? 2 ** 32 * view.getUint32(24, true) : 0),
  };
}

/** The byte offsets of the sections, all inside the chunk. */
export interface CrackleSections {
  labelsFrom: number;
  labelsTo: number;
  /**
   * Where the crack code of each slice starts. The last entry is the end of all, where the CRCs (version 1)
   * begin.
   */
  cracks: Float64Array;
}

/** Returns the bytes of a Markov model: 4 ** order rows of 5 bits. */
export const markovModelBytes = (order: number): number =>
  order === 0 ? 0 : Math.ceil((4 ** order * 5) / 8);

/**
 * Finds the sections.
 * @throws DecodeError TRUNCATED, WRONG_SIZE (bytes left over) or BAD_CHECKSUM (slice index or labels).
 */
export function readSections(
  view: DataView,
  { version, bytes, shape, labelBytes, markovOrder }: CrackleHeader,
): CrackleSections {
  const sz = shape[2];
  const indexTo = bytes + 4 * sz;
  const labelsFrom = indexTo + 4 * version;
  if (labelsFrom > view.byteLength)
    throw new DecodeError(
      'TRUNCATED',
      `crackle: ${view.byteLength} bytes cannot hold the index of ${sz} slices`,
    );
  if (version === 1 && crc32c(view, bytes, indexTo) !== view.getUint32(indexTo, true))
    throw new DecodeError('BAD_CHECKSUM', 'crackle: the slice index does not match its CRC-32C');

  const labelsTo = labelsFrom + labelBytes;
  const cracks = new Float64Array(sz + 1);
  cracks[0] = labelsTo + markovModelBytes(markovOrder);
  for (let z = 0; z < sz; z++) cracks[z + 1] = cracks[z] + view.getUint32(bytes + 4 * z, true);
  const end = cracks[sz] + version * (4 + 4 * sz);
  if (end !== view.byteLength)
    throw new DecodeError(
      end > view.byteLength ? 'TRUNCATED' : 'WRONG_SIZE',
      `crackle: the sections end at byte ${end} of ${view.byteLength}`,
    );
  if (version === 1 && crc32c(view, labelsFrom, labelsTo) !== view.getUint32(cracks[sz], true))
    throw new DecodeError('BAD_CHECKSUM', 'crackle: the labels do not match their CRC-32C');
  return { labelsFrom, labelsTo, cracks };
}
