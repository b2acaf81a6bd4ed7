/**
 * Reads the size and the kind of a JPEG XL image from the start of its codestream, which may be in a container.
 * Source: ISO/IEC 18181-1, "Image header"; libjxl, lib/jxl/headers.h, image_metadata.h and color_encoding_internal.h,
 * for the order of fields.
 */
import { DecodeError } from '../../base/errors.ts';

/** What the header says. */
export interface JxlHeader {
  width: number;
  height: number;
  channels: 1 | 3;
}

const CODESTREAM = [0xff, 0x0a];
const CONTAINER = [0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20, 13, 10, 0x87, 10];

const unsupported = (what: string): DecodeError => new DecodeError('UNSUPPORTED', `jxl: ${what}`);
const cut = (): DecodeError => new DecodeError('TRUNCATED', 'jxl: the bytes end within the header');

/** Width by height, for the ratios that are not written out. */
const RATIOS = [
  [1, 1],
  [12, 10],
  [4, 3],
  [3, 2],
  [16, 9],
  [5, 4],
  [2, 1],
];

/** Reads bits, the lowest first. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  /** Reads up to 30 bits. */
  read(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++, this.#at++) {
      if (this.#at >>> 3 >= this.#bytes.length) throw cut();
      value |= ((this.#bytes[this.#at >>> 3] >>> (this.#at & 7)) & 1) << bit;
    }
    return value;
  }
  isSet(): boolean {
    return this.read(1) === 1;
  }
  /** Reads a number that is written in one of four ways: `[offset, bits]`. */
  choose(ways: readonly (readonly [offset: number, bits: number])[]): number {
    const [offset, bits] = ways[this.read(2)];
    return offset + this.read(bits);
  }
  /** Reads a number of a list. */
  enumerated(): number {
    return this.choose([
      [0, 0],
      [1, 0],
      [2, 4],
      [18, 6],
    ]);
  }
}

/**
 * Reads the header.
 *
 * @throws DecodeError TRUNCATED, BAD_HEADER (not JPEG XL) or UNSUPPORTED: several frames, other than 8 bits,
 *   transparency, a rotation, or colours that are not sRGB, which the decoder would convert.
 */
export function readJxlHeader(bytes: Uint8Array): JxlHeader {
  const reader = new BitReader(findCodestream(bytes).subarray(CODESTREAM.length));
  const { width, height } = readSize(reader);
  // All default: 8 bits, three channels of sRGB, one frame.
  if (reader.isSet()) return { width, height, channels: 3 };
  if (reader.isSet()) {
    const orientation = 1 + reader.read(3);
    if (orientation !== 1) throw unsupported(`the image is rotated (orientation ${orientation})`);
    if (reader.isSet()) readSize(reader); // the intrinsic size
    if (reader.isSet()) throw unsupported('images with a preview are not read');
    if (reader.isSet())
      throw unsupported(
        'the image has several frames; CloudVolume writes three channels so, and only the first could be decoded',
      );
  }
  const isFloat = reader.isSet(),
    bits = reader.choose(
      isFloat
        ? [
            [32, 0],
            [16, 0],
            [24, 0],
            [1, 6],
          ]
        : [
            [8, 0],
            [10, 0],
            [12, 0],
            [1, 6],
          ],
    );
  if (isFloat || bits !== 8)
    throw unsupported(`${bits} bits per value${isFloat ? ', as floats' : ''}; 8 are supported`);
  reader.read(1); // whether 16 bits are enough for the decoder
  const extra = reader.choose([
    [0, 0],
    [1, 0],
    [2, 4],
    [1, 12],
  ]);
  if (extra > 0) throw unsupported(`${extra} channel(s) besides the colours`);
  reader.read(1); // whether the values are stored as XYB
  return { width, height, channels: readColours(reader) };
}

/** Reads the colour space. @returns the channels. */
function readColours(reader: BitReader): 1 | 3 {
  if (reader.isSet()) return 3;
  if (reader.isSet()) throw unsupported('colours with an ICC profile');
  const space = reader.enumerated();
  if (space > 1) throw unsupported(`colour space ${space}`);
  const isGrey = space === 1,
    white = reader.enumerated(),
    primaries = white === 1 && !isGrey ? reader.enumerated() : 1;
  if (white !== 1 || primaries !== 1) throw unsupported('colours that are not sRGB');
  if (reader.isSet() || reader.enumerated() !== 13)
    throw unsupported('values that do not follow the curve of sRGB');
  return isGrey ? 1 : 3;
}

function readSize(reader: BitReader): { width: number; height: number } {
  const isSmall = reader.isSet();
  const side = (): number =>
    isSmall
      ? 8 * (1 + reader.read(5))
      : reader.choose([
          [1, 9],
          [1, 13],
          [1, 18],
          [1, 30],
        ]);
  const height = side(),
    ratio = reader.read(3);
  if (ratio === 0) return { width: side(), height };
  const [wide, high] = RATIOS[ratio - 1];
  return { width: Math.floor((height * wide) / high), height };
}

/** Finds the codestream, or the first part of it. */
function findCodestream(bytes: Uint8Array): Uint8Array {
  const startsWith = (magic: readonly number[]): boolean =>
    magic.every((byte, at) => at >= bytes.length || bytes[at] === byte);
  if (startsWith(CODESTREAM)) return bytes;
  if (!startsWith(CONTAINER)) throw new DecodeError('BAD_HEADER', 'jxl: the chunk is not JPEG XL');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; ;) {
    if (at + 16 > bytes.length) throw cut();
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    let length = view.getUint32(at),
      head = 8;
    if (length === 1) {
      length = view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12);
      head = 16;
    }
    if (type === 'jxlc' || type === 'jxlp') {
      const stream = bytes.subarray(at + head + (type === 'jxlp' ? 4 : 0));
      if (stream.length < CODESTREAM.length) throw cut();
      if (CODESTREAM.some((byte, k) => stream[k] !== byte))
        throw new DecodeError('BAD_HEADER', 'jxl: the container holds no codestream');
      return stream;
    }
    if (length < head) throw new DecodeError('BAD_HEADER', `jxl: a box of ${length} bytes`);
    at += length;
  }
}
