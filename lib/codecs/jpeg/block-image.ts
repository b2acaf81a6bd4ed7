/**
 * Reads what the segments of a JPEG file say up to its scan, if its blocks can be decoded one by one: Huffman codes, 8
 * bits, one scan that has all components, each with a value per pixel.
 * Source: ITU-T Recommendation T.81, annex B.
 */
import { huffmanTable, type HuffmanCodes } from './huffman-tables.ts';
import type { JpegComponent } from './skip-units.ts';

/** An image whose blocks can be decoded one by one. */
export interface BlockImage {
  width: number;
  height: number;
  /** One, or three. */
  components: readonly JpegComponent[];
  /** Whether the components are a brightness and two differences of colour, instead of the colours themselves. */
  isYcc: boolean;
  /** Units between two restarts; 0 if there are none. */
  restartInterval: number;
  /** Where the image data starts. */
  dataAt: number;
}

const SOF0 = 0xc0,
  SOF1 = 0xc1,
  DHT = 0xc4,
  SOS = 0xda,
  DQT = 0xdb,
  DRI = 0xdd,
  APP0 = 0xe0,
  APP14 = 0xee,
  APP15 = 0xef,
  COM = 0xfe;

/** What the library allows: codes per table, and bits of a first value. */
const MOST_CODES = 256,
  MOST_BITS = 15;

interface FrameComponent {
  id: number;
  divisorsAt: number;
}

interface Frame {
  width: number;
  height: number;
  components: FrameComponent[];
}

/** What the segments read so far say. */
class Segments {
  readonly codes = new Map<number, HuffmanCodes>();
  readonly divisors = new Map<number, Uint8Array>();
  frame: Frame | undefined;
  restartInterval = 0;
  isJfif = false;
  /** What Adobe's segment says of the colours. */
  adobeTransform: number | undefined;
}

/** @returns Undefined for any other image, and if anything is unusual. */
export function readBlockImage(bytes: Uint8Array): BlockImage | undefined {
  const found = new Segments();
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1],
      end = at + 2 + wordAt(bytes, at + 2);
    if (end < at + 4 || end > bytes.length) return undefined;
    const segment = bytes.subarray(at + 4, end);
    if (marker === SOS) return readScan(segment, found, end);
    if (!readSegment(marker, segment, found)) return undefined;
    at = end;
  }
  return undefined;
}

const wordAt = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];
const startsWith = (segment: Uint8Array, text: string): boolean =>
  [...text].every((letter, k) => segment[k] === letter.charCodeAt(0));

function readSegment(marker: number, segment: Uint8Array, found: Segments): boolean {
  switch (marker) {
    case SOF0:
    case SOF1:
      found.frame = readFrame(segment);
      return found.frame !== undefined;
    case DHT:
      return readCodes(segment, found.codes);
    case DQT:
      return readDivisors(segment, found.divisors);
    case DRI:
      found.restartInterval = wordAt(segment, 0);
      return segment.length === 2;
    case APP0:
      if (!startsWith(segment, 'JFIF\0')) return true;
      found.isJfif = true;
      return segment.length >= 12 && segment[5] === 1;
    case APP14:
      if (startsWith(segment, 'Adobe') && segment.length >= 12) found.adobeTransform = segment[11];
      return true;
    default:
      return (marker > APP0 && marker <= APP15) || marker === COM;
  }
}

function readFrame(segment: Uint8Array): Frame | undefined {
  const count = segment[5];
  if ((count !== 1 && count !== 3) || segment.length !== 6 + 3 * count || segment[0] !== 8) return undefined;
  const components: FrameComponent[] = [];
  for (let at = 6; at < segment.length; at += 3) {
    const [id, sampling, divisorsAt] = segment.subarray(at, at + 3);
    if (sampling !== 0x11 || components.some((other) => other.id === id)) return undefined;
    components.push({ id, divisorsAt });
  }
  return { height: wordAt(segment, 1), width: wordAt(segment, 3), components };
}

/** Finds the codes of a segment: those of first values are kept at 0 to 3, others at 16 to 19. */
function readCodes(segment: Uint8Array, codes: Map<number, HuffmanCodes>): boolean {
  for (let at = 0; at < segment.length;) {
    const lengths = segment.subarray(at + 1, at + 17),
      from = at + 17,
      end = lengths.reduce((sum, count) => sum + count, from);
    if ((segment[at] & ~0x13) !== 0 || end > segment.length || end - from > MOST_CODES) return false;
    codes.set(segment[at], { lengths, symbols: segment.subarray(from, end) });
    at = end;
  }
  return true;
}

/** Finds the divisors of a segment: 64 numbers of one or two bytes. */
function readDivisors(segment: Uint8Array, divisors: Map<number, Uint8Array>): boolean {
  for (let at = 0; at < segment.length;) {
    const end = at + 1 + (segment[at] >> 4 === 0 ? 64 : 128);
    if ((segment[at] & ~0x13) !== 0 || end > segment.length) return false;
    divisors.set(segment[at] & 3, segment.subarray(at + 1, end));
    at = end;
  }
  return true;
}

const divisorsOf = (bytes: Uint8Array): Uint16Array =>
  bytes.length === 64
    ? Uint16Array.from(bytes)
    : Uint16Array.from({ length: 64 }, (_, k) => wordAt(bytes, 2 * k));

function readScan(segment: Uint8Array, found: Segments, dataAt: number): BlockImage | undefined {
  const { frame, codes, divisors, restartInterval } = found,
    count = frame?.components.length;
  if (!frame || count === undefined || segment[0] !== count || segment.length !== 4 + 2 * count)
    return undefined;
  const components: JpegComponent[] = [];
  for (const [k, { id, divisorsAt }] of frame.components.entries()) {
    const [component, tables] = segment.subarray(1 + 2 * k, 3 + 2 * k),
      firstCodes = codes.get(tables >> 4),
      otherCodes = codes.get(16 + (tables & 15)),
      own = divisors.get(divisorsAt);
    if (component !== id || !firstCodes || !otherCodes || !own) return undefined;
    if (firstCodes.symbols.some((bits) => bits > MOST_BITS)) return undefined;
    const first = huffmanTable(firstCodes),
      others = huffmanTable(otherCodes);
    if (!first || !others) return undefined;
    components.push({ first, others, divisors: divisorsOf(own) });
  }
  // All 64 values in one scan, with all their bits.
  const [from, to, bits] = segment.subarray(1 + 2 * count);
  if (from !== 0 || to !== 63 || bits !== 0) return undefined;
  const isYcc = count === 3 ? usesYcc(found) : false;
  return isYcc === undefined
    ? undefined
    : { width: frame.width, height: frame.height, components, isYcc, restartInterval, dataAt };
}

/** Tells what three components are, as libjpeg does; undefined where it warns. */
function usesYcc({ isJfif, adobeTransform, frame }: Segments): boolean | undefined {
  if (isJfif) return true;
  if (adobeTransform !== undefined) return adobeTransform > 1 ? undefined : adobeTransform === 1;
  return !frame!.components.every(({ id }, k) => id === 'RGB'.charCodeAt(k));
}
