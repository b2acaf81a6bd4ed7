/**
 * Reads the parts of a PNG file around the image data: the signature, IHDR, and what else comes before and between
 * IDAT chunks.
 * Source: Portable Network Graphics (PNG) Specification, third edition, sections 5 and 11.
 */
import { DecodeError } from '../../base/errors.ts';
import { formatVec3, product } from '../../base/vec3.ts';
import { crc32 } from '../../compression/image-platform.ts';
import { bytesPerValue } from '../../precomputed/data-type.ts';
import type { ChunkLayout } from '../codec.ts';

/** An image whose size, values and channels are those of the layout. */
export interface PngImage {
  width: number;
  height: number;
  /** Bytes per value: 1 or 2. */
  valueBytes: 1 | 2;
  channels: number;
  isInterlaced: boolean;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const IHDR_BYTES = 13;
/** Length, type and CRC. */
const AROUND_DATA = 12;
/** The end of IHDR. */
const IHDR_END = SIGNATURE.length + AROUND_DATA + IHDR_BYTES;
const GREY = 0,
  RGB = 2,
  PALETTE = 3,
  GREY_ALPHA = 4,
  RGB_ALPHA = 6;
const CHANNELS = new Map([
  [GREY, 1],
  [GREY_ALPHA, 2],
  [RGB, 3],
  [RGB_ALPHA, 4],
]);

const badHeader = (message: string): DecodeError => new DecodeError('BAD_HEADER', `png: ${message}`);
const unsupported = (message: string): DecodeError => new DecodeError('UNSUPPORTED', `png: ${message}`);

/**
 * Reads the signature and IHDR.
 *
 * @throws DecodeError TRUNCATED, BAD_CHECKSUM, BAD_HEADER (not a PNG file, or not the layout's size, type or
 *   channels) or UNSUPPORTED (a palette, fewer than 8 bits per value).
 */
export function readPngHeader(bytes: Uint8Array, layout: ChunkLayout): PngImage {
  const { chunkSize, channels, dataType } = layout,
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (SIGNATURE.some((byte, at) => at < bytes.length && bytes[at] !== byte))
    throw badHeader('the chunk does not start with the signature of PNG');
  if (bytes.length < IHDR_END)
    throw new DecodeError('TRUNCATED', `png: ${bytes.length} bytes, signature and IHDR have ${IHDR_END}`);
  const { type, data } = readPart(bytes, view, SIGNATURE.length);
  if (type !== 'IHDR' || data.length !== IHDR_BYTES)
    throw badHeader(`the first part is ${JSON.stringify(type)} of ${data.length} bytes, not IHDR`);
  const width = view.getUint32(16),
    height = view.getUint32(20),
    [depth, color, compression, filter, interlace] = data.subarray(8);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw badHeader(`compression ${compression}, filter ${filter}, interlace ${interlace}`);
  if (color === PALETTE) throw unsupported('images with a palette are not read; write grey or colour values');
  const found = CHANNELS.get(color);
  if (found === undefined || ![1, 2, 4, 8, 16].includes(depth))
    throw badHeader(`colour type ${color} with ${depth} bits per value`);
  if (depth < 8) throw unsupported(`${depth} bits per value; 8 and 16 are supported`);
  const valueBytes = depth === 16 ? 2 : 1;
  if (found !== channels || valueBytes !== bytesPerValue(dataType))
    throw badHeader(
      `${found} channel(s) of ${depth} bits, expected ${channels} channel(s) of ${8 * bytesPerValue(dataType)} bits (${dataType})`,
    );
  // Width and height are at most 2^32, so their product may be rounded; the chunk's size is not.
  if (width * height !== product(chunkSize))
    throw badHeader(
      `${width}x${height} pixels, expected as many as there are voxels in ${formatVec3(chunkSize)}`,
    );
  return { width, height, valueBytes, channels, isInterlaced: interlace === 1 };
}

/** One part of a file, which PNG calls a chunk. */
interface PngPart {
  type: string;
  data: Uint8Array;
  /** Where the next part starts. */
  end: number;
}

function readPart(bytes: Uint8Array, view: DataView, at: number): PngPart {
  if (bytes.length - at < AROUND_DATA)
    throw new DecodeError('TRUNCATED', `png: the file ends at byte ${bytes.length}, before IEND`);
  const length = view.getUint32(at),
    name = bytes.subarray(at + 4, at + 8),
    type = String.fromCharCode(...name);
  if (!/^[A-Za-z]{4}$/.test(type)) throw badHeader(`byte ${at} does not begin a part of PNG`);
  const end = at + AROUND_DATA + length;
  if (end > bytes.length)
    throw new DecodeError('TRUNCATED', `png: ${type} ends at byte ${end} of ${bytes.length}`);
  const data = bytes.subarray(at + 8, end - 4);
  // Parts whose names begin in lower case do not change the pixels.
  if (type < 'a' && crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4))
    throw new DecodeError('BAD_CHECKSUM', `png: ${type} does not match its CRC`);
  return { type, data, end };
}

/**
 * Lists the contents of the IDAT parts: a zlib stream. Each is checked against its CRC before it is handed out.
 *
 * @throws DecodeError TRUNCATED, BAD_CHECKSUM, BAD_HEADER or UNSUPPORTED (transparent colours, unknown parts).
 */
export function* imageData(bytes: Uint8Array, { channels }: PngImage): Generator<Uint8Array, void, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let wasData = false;
  for (let at = IHDR_END; ;) {
    const { type, data, end } = readPart(bytes, view, at);
    if (type === 'IEND') return;
    if (type === 'tRNS') throw unsupported('transparent colours (tRNS) are not read');
    if (type === 'IDAT') {
      wasData = true;
      yield data;
    } else if (wasData)
      return; // image data ends where another part begins
    else if (type === 'IHDR' || (type === 'PLTE' && channels < 3))
      throw badHeader(`${type} is not allowed here`);
    else if (type < 'a' && type !== 'PLTE') throw unsupported(`the part ${type} is not known`);
    at = end;
  }
}
