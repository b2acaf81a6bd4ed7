/**
 * Reads the container of zfpc: a header, an index of sizes, and one zfp stream for each place in the dimensions
 * that are not correlated.
 *
 * Source: zfpc (github.com/seung-lab/zfpc), README.md, "Container Format"; what it leaves open (the order of
 * dimensions in a stream, dimensions of 0) is as the package writes it. None of its code is used.
 */
import { DecodeError } from '../../base/errors.ts';
import { formatVec3 } from '../../base/vec3.ts';
import type { ChunkLayout } from '../codec.ts';
import { SHORT_HEADER_BITS, ZFP_TYPES, readZfpHeader } from '../zfp/zfp-header.ts';
import type { ZfpHeader } from '../zfp/zfp-header.ts';

const HEADER_BYTES = 4 + 1 + 1 + 4 * 4 + 1;
const VERSION = 0;

/** How the voxels of one axis (x, y, z or channel) are spread over streams, blocks and places in a block. */
export interface AxisSpread {
  /** Bits of a coordinate that are within a block: 2 if the axis is correlated, else 0. */
  blockShift: 0 | 2;
  /** How far the next block of this axis is, counted in blocks of all streams. */
  blockStride: number;
  /** How far the next value of a block is along this axis. */
  valueStride: number;
}

/** Where the streams of a chunk are and what they hold. */
export interface ZfpcContainer {
  /** For x, y, z and the channel. */
  axes: readonly AxisSpread[];
  /** The sizes of each stream's array, the fastest dimension first. */
  streamSizes: readonly number[];
  blocksPerStream: number;
  streamCount: number;
  /** The start of each stream in the bytes, and the end of the last. */
  starts: Float64Array;
}

/**
 * Reads the header and the index.
 *
 * @throws DecodeError TRUNCATED, UNSUPPORTED (another version) or BAD_HEADER (another format, or sizes that
 *   are not those of the layout). Nothing larger than the index is allocated.
 */
export function readZfpcContainer(bytes: Uint8Array, layout: ChunkLayout): ZfpcContainer {
  if (bytes.length < HEADER_BYTES)
    throw new DecodeError('TRUNCATED', `zfpc: ${bytes.length} bytes, a header has ${HEADER_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x7a667063)
    throw new DecodeError('BAD_HEADER', 'zfpc: the chunk does not start with "zfpc"');
  if (bytes[4] !== VERSION)
    throw new DecodeError('UNSUPPORTED', `zfpc: format version ${bytes[4]}, supported: ${VERSION}`);
  const sizes = readSizes(view, layout);
  const isCorrelated = sizes.map((_, axis) => ((bytes[22] >>> axis) & 1) === 1);
  checkType(bytes[5], layout);

  let streamCount = 1;
  for (const [axis, size] of sizes.entries()) if (!isCorrelated[axis]) streamCount *= size;
  const correlated = sizes.flatMap((_, axis) => (isCorrelated[axis] ? [axis] : []));
  if (correlated.length === 0)
    throw new DecodeError('BAD_HEADER', 'zfpc: none of the dimensions is correlated');
  // The last correlated dimension is the fastest of a stream.
  const streamSizes = correlated.map((axis) => sizes[axis]).reverse();
  const blocksPerStream = streamSizes.reduce((blocks, size) => blocks * Math.ceil(size / 4), 1);
  return {
    axes: spreadAxes(sizes, isCorrelated, blocksPerStream),
    streamSizes,
    blocksPerStream,
    streamCount,
    starts: readIndex(view, streamCount),
  };
}

/** Reads the sizes: those of the layout, without trailing dimensions of 1 voxel if the array had fewer than four. */
function readSizes(view: DataView, { chunkSize, channels }: ChunkLayout): number[] {
  const sizes = [0, 1, 2, 3].map((axis) => view.getUint32(6 + 4 * axis, true)),
    expected = [...chunkSize, channels];
  const used = sizes.indexOf(0) === -1 ? sizes.length : sizes.indexOf(0);
  if (
    !expected.every((size, axis) => size === (axis < used ? sizes[axis] : 1)) ||
    sizes.slice(used).some(Boolean)
  )
    throw new DecodeError(
      'BAD_HEADER',
      `zfpc: an array of ${sizes.join()}, expected ${formatVec3(chunkSize)} voxels and ${channels} channel(s)`,
    );
  return sizes.slice(0, used);
}

function checkType(flags: number, { dataType }: ChunkLayout): void {
  const type = ZFP_TYPES.at((flags & 7) - 1);
  if ((flags & 7) === 0 || type !== dataType)
    throw new DecodeError('BAD_HEADER', `zfpc: data type ${type ?? flags & 7}, expected ${dataType}`);
}

function spreadAxes(
  sizes: readonly number[],
  isCorrelated: readonly boolean[],
  blocksPerStream: number,
): AxisSpread[] {
  const axes: AxisSpread[] = Array.from({ length: 4 }, () => ({
    blockShift: 0,
    blockStride: 0,
    valueStride: 0,
  }));
  for (let axis = sizes.length - 1, blocks = 1, values = 1; axis >= 0; axis--) {
    if (!isCorrelated[axis]) continue;
    axes[axis] = { blockShift: 2, blockStride: blocks, valueStride: values };
    blocks *= Math.ceil(sizes[axis] / 4);
    values *= 4;
  }
  // Streams are in Fortran order: that of x is the fastest.
  for (let axis = 0, blocks = blocksPerStream; axis < sizes.length; axis++) {
    if (isCorrelated[axis]) continue;
    axes[axis] = { blockShift: 0, blockStride: blocks, valueStride: 0 };
    blocks *= sizes[axis];
  }
  return axes;
}

function readIndex(view: DataView, streamCount: number): Float64Array {
  const indexEnd = HEADER_BYTES + 8 * (1 + streamCount);
  if (indexEnd > view.byteLength)
    throw new DecodeError(
      'TRUNCATED',
      `zfpc: an index of ${streamCount} streams, but ${view.byteLength} bytes`,
    );
  const starts = new Float64Array(streamCount + 1);
  starts[0] = readUint64(view, HEADER_BYTES);
  if (starts[0] < indexEnd)
    throw new DecodeError('BAD_HEADER', 'zfpc: the first stream starts within the index');
  for (let stream = 0; stream < streamCount; stream++)
    starts[stream + 1] = starts[stream] + readUint64(view, HEADER_BYTES + 8 * (1 + stream));
  return starts;
}

/** Reads a number that is rounded above 2^53; no chunk is that long. */
const readUint64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;

/** One zfp stream of a chunk. */
export interface OpenedStream {
  bytes: Uint8Array;
  header: ZfpHeader;
}

/**
 * Opens one stream.
 *
 * @param before Another stream of the chunk. Its header is used if this one begins with the same bytes.
 * @throws DecodeError TRUNCATED (it is not wholly in the chunk), BAD_HEADER (its header does not fit the
 *   container's) or UNSUPPORTED (another version of zfp).
 */
export function openZfpStream(
  bytes: Uint8Array,
  { starts, streamSizes }: ZfpcContainer,
  stream: number,
  { dataType }: ChunkLayout,
  before?: OpenedStream,
): OpenedStream {
  if (starts[stream + 1] > bytes.length)
    throw new DecodeError(
      'TRUNCATED',
      `zfpc: stream ${stream} ends at byte ${starts[stream + 1]} of ${bytes.length}`,
    );
  const part = bytes.subarray(starts[stream], starts[stream + 1]);
  if (before && hasSameHeader(part, before)) return { bytes: part, header: before.header };
  const header = readZfpHeader(part);
  if (header.type !== dataType || header.sizes.join() !== streamSizes.join())
    throw new DecodeError(
      'BAD_HEADER',
      `zfpc: stream ${stream} holds ${header.sizes.join()} values of ${header.type}, expected ${streamSizes.join()} of ${dataType}`,
    );
  return { bytes: part, header };
}

/** Tells whether a stream begins like another one whose header is short. The bytes after it are data. */
function hasSameHeader(bytes: Uint8Array, { bytes: other, header }: OpenedStream): boolean {
  if (header.firstBit !== SHORT_HEADER_BITS) return false;
  for (let i = 0; i < SHORT_HEADER_BITS / 8; i++) if (bytes[i] !== other[i]) return false;
  return true;
}

/** Bits of a block's header, the group tests beside the planes not counted. */
const BLOCK_HEADER_BITS = 1 + 1 + 11 + 6;
/** Bits per value at the highest rate that makes sense, for any type. */
const MAX_RATE = 65;
const STREAM_HEADER_BITS = 148;

/**
 * Bounds the size of a chunk: the most that zfp can need for any choice of correlated dimensions, or at a rate
 * of 65 bits per value.
 */
export function zfpcBytes({ chunkSize, channels }: ChunkLayout): number {
  const sizes = [...chunkSize, channels];
  let most = 0;
  for (let correlated = 1; correlated < 16; correlated++) {
    let streams = 1,
      blocks = 1,
      values = 1;
    for (const [axis, size] of sizes.entries())
      if (((correlated >>> axis) & 1) === 0) streams *= size;
      else {
        blocks *= Math.ceil(size / 4);
        values *= 4;
      }
    const words = Math.ceil((STREAM_HEADER_BITS + blocks * (BLOCK_HEADER_BITS + values * MAX_RATE)) / 64);
    most = Math.max(most, streams * 8 * (1 + words));
  }
  return HEADER_BYTES + 8 + most;
}
