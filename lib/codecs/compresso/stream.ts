/**
 * Reads the header of a compresso stream and finds its sections: ids, window values, locations, windows and
 * (format version 1) the z-index. Every section is checked to lie inside the bytes before anything is read
 * from it.
 * Source: seung-lab/compresso, README.md "Compresso Stream Format" and "Updated Header"; widths of windows
 * and index from compresso.hpp.
 */
import { DecodeError } from '../../base/errors.ts';
import { formatVec3 } from '../../base/vec3.ts';
import { bytesPerValue } from '../../precomputed/data-type.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { ChunkLayout } from '../codec.ts';

/** Bytes of the header. */
export const HEADER_BYTES = 36;

/** `count` little-endian unsigned integers of `width` bytes, from byte `at`. */
export interface Section {
  at: number;
  count: number;
  width: number;
}

/** A stream, its header fields and its sections. */
export interface CompressoStream {
  bytes: Uint8Array;
  view: DataView;
  shape: Vec3;
  /** Voxels per window, xyz; their product is at most 64. */
  steps: Vec3;
  /** 4 if components are numbered slice by slice; 6 if over the whole chunk. */
  connectivity: number;
  /** The label of each component, in raster order of the components' first voxels. */
  ids: Section;
  /** The distinct windows: boundary bits, x fastest. */
  values: Section;
  /** The labels of boundary voxels without a non-boundary neighbour before them; see `locations.ts`. */
  locations: Section;
  /** Run-length coded indices into `values`. */
  windows: Section;
  /**
   * The components of each slice, then the locations before each slice, as differences; undefined in version
   * 0.
   */
  zIndex: Section | undefined;
}

/**
 * Reads the header and checks it against the chunk's layout.
 * @throws DecodeError TRUNCATED (a section does not fit in the bytes), BAD_HEADER (not compresso, an
 *   impossible field, or another shape or data width than the layout's) or UNSUPPORTED (a later version,
 *   several channels).
 */
export function openStream(
  bytes: Uint8Array,
  { chunkSize, channels, dataType }: ChunkLayout,
): CompressoStream {
  if (channels !== 1)
    throw new DecodeError(
      'UNSUPPORTED',
      `compresso: the volume has ${channels} channels, the format has one`,
    );
  if (bytes.length < HEADER_BYTES)
    throw new DecodeError(
      'TRUNCATED',
      `compresso: ${bytes.length} bytes are too few; the header alone takes ${HEADER_BYTES}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x6370736f)
    throw new DecodeError('BAD_HEADER', 'compresso: the bytes do not start with "cpso"');
  const version = bytes[4];
  if (version > 1)
    throw new DecodeError(
      'UNSUPPORTED',
      `compresso: format version ${version} is not supported; supported: 0 and 1`,
    );

  const width = bytes[5],
    shape: Vec3 = [6, 8, 10].map((at) => view.getUint16(at, true)) as unknown as Vec3;
  expectField('data width', width, bytesPerValue(dataType));
  expectField('shape', formatVec3(shape), formatVec3(chunkSize));
  const steps: Vec3 = [bytes[12], bytes[13], bytes[14]],
    windowBits = steps[0] * steps[1] * steps[2],
    connectivity = bytes[35];
  if (windowBits < 1 || windowBits > 64)
    throw new DecodeError(
      'BAD_HEADER',
      `compresso: steps ${formatVec3(steps)} are impossible; a window has 1 to 64 voxels`,
    );
  if (connectivity !== 4 && connectivity !== 6)
    throw new DecodeError('BAD_HEADER', `compresso: connectivity ${connectivity} is not 4 or 6`);

  const windowWidth = windowBits <= 8 ? 1 : windowBits <= 16 ? 2 : windowBits <= 32 ? 4 : 8;
  const ids = { at: HEADER_BYTES, count: uint64At(view, 15), width };
  const values = { at: endOf(ids), count: view.getUint32(23, true), width: windowWidth };
  const locations = { at: endOf(values), count: uint64At(view, 27), width };
  const indexWidth = indexWidthOf(shape),
    indexBytes = version === 1 ? 2 * shape[2] * indexWidth : 0;
  const windowsAt = endOf(locations),
    windowBytes = bytes.length - indexBytes - windowsAt;
  if (windowBytes < 0)
    throw new DecodeError(
      'TRUNCATED',
      `compresso: ${bytes.length} bytes are too few; the sections take ${windowsAt + indexBytes}`,
    );
  if (windowBytes % windowWidth !== 0)
    throw new DecodeError(
      'TRUNCATED',
      `compresso: ${windowBytes} bytes are not a whole number of windows of ${windowWidth} bytes`,
    );
  const windows = { at: windowsAt, count: windowBytes / windowWidth, width: windowWidth };
  const zIndex = version === 1 ? { at: endOf(windows), count: 2 * shape[2], width: indexWidth } : undefined;
  return { bytes, view, shape, steps, connectivity, ids, values, locations, windows, zIndex };
}

/** Reads a uint64. Values above 2^53 are rounded, but they exceed any length they are compared with. */
export const uint64At = (view: DataView, at: number): number =>
  view.getUint32(at, true) + 2 ** 32 * view.getUint32(at + 4, true);

const endOf = ({ at, count, width }: Section): number => at + count * width;

function expectField(name: string, got: number | string, expected: number | string): void {
  if (got !== expected)
    throw new DecodeError('BAD_HEADER', `compresso: ${name} ${got}, expected ${expected}`);
}

/**
 * Returns the bytes of the narrowest integer that holds twice the voxels of a slice. The largest value of
 * each width counts as too large.
 */
function indexWidthOf([sx, sy]: Vec3): number {
  const largest = 2 * sx * sy;
  return largest < 0xff ? 1 : largest < 0xffff ? 2 : largest < 0xffffffff ? 4 : 8;
}
