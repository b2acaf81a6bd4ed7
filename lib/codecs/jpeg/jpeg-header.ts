/**
 * Reads the size of a JPEG image from the segments before its first scan.
 * Source: ITU-T Recommendation T.81, annex B.
 */
import { DecodeError } from '../../base/errors.ts';

/** What the frame header says. */
export interface JpegFrame {
  width: number;
  height: number;
  components: number;
}

const SOI = 0xd8,
  EOI = 0xd9,
  SOS = 0xda;
/** Baseline, extended and progressive, with Huffman codes. */
const READABLE_FRAMES = [0xc0, 0xc1, 0xc2];
/** Markers in the range of frames that are not frames: tables, and a reserved one. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];

/**
 * Reads the frame header.
 *
 * @throws DecodeError TRUNCATED, BAD_HEADER (not a JPEG file) or UNSUPPORTED (a lossless or arithmetic frame, more
 *   than 8 bits, no height).
 */
export function readJpegFrame(bytes: Uint8Array): JpegFrame {
  let frame: JpegFrame | undefined,
    at = 2;
  const byteAt = (index: number): number => {
    if (index >= bytes.length)
      throw new DecodeError('TRUNCATED', `jpeg: ${bytes.length} bytes end before the image data`);
    return bytes[index];
  };
  const wordAt = (index: number): number => (byteAt(index) << 8) | byteAt(index + 1);
  if (byteAt(0) !== 0xff || byteAt(1) !== SOI)
    throw new DecodeError('BAD_HEADER', 'jpeg: the chunk does not start with the marker of JPEG');
  for (;;) {
    if (byteAt(at) !== 0xff) throw new DecodeError('BAD_HEADER', `jpeg: byte ${at} is not a marker`);
    while (byteAt(at) === 0xff) at++;
    const marker = bytes[at++];
    if (marker === SOS) break;
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= EOI))
      throw new DecodeError('BAD_HEADER', `jpeg: marker ${marker.toString(16)} before the image data`);
    const length = wordAt(at);
    if (length < 2) throw new DecodeError('BAD_HEADER', `jpeg: a segment of ${length} bytes`);
    if (marker <= 0xcf && !NO_FRAMES.includes(marker)) {
      if (frame) throw new DecodeError('BAD_HEADER', 'jpeg: two frame headers');
      if (!READABLE_FRAMES.includes(marker))
        throw new DecodeError('UNSUPPORTED', `jpeg: frames of type ${marker - 0xc0} are not read`);
      if (length < 8) throw new DecodeError('BAD_HEADER', `jpeg: a frame header of ${length} bytes`);
      const bits = byteAt(at + 2);
      if (bits !== 8) throw new DecodeError('UNSUPPORTED', `jpeg: ${bits} bits per value, 8 are supported`);
      frame = { height: wordAt(at + 3), width: wordAt(at + 5), components: byteAt(at + 7) };
      if (frame.height === 0)
        throw new DecodeError('UNSUPPORTED', 'jpeg: the height is not in the frame header');
    }
    at += length;
  }
  if (!frame) throw new DecodeError('BAD_HEADER', 'jpeg: image data without a frame header');
  return frame;
}
