/** Reads the rows of a PNG image one after the other. Two rows are kept, and one window of inflated bytes. */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { DecodeError } from '../../base/errors.ts';
import { inflateSteps } from '../../compression/image-platform.ts';
import { imageData, type PngImage } from './png-header.ts';
import { unfilterRow } from './unfilter.ts';

/** The rows of one image: all pixels, or every n-th of them in an interlaced image. */
export interface PngPass {
  /** Where the first pixel is, and how far the next pixel and row are. */
  left: number;
  top: number;
  stepX: number;
  stepY: number;
  /** The size in pixels; none is 0. */
  width: number;
  height: number;
}

/** The seven passes of an interlaced image. Source: the specification, section 8.1, "Adam7". */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Lists the passes of an image that have pixels. */
export function passesOf({ width, height, isInterlaced }: PngImage): PngPass[] {
  return (isInterlaced ? ADAM7 : [[0, 0, 1, 1] as const])
    .map(([left, top, stepX, stepY]) => ({
      left,
      top,
      stepX,
      stepY,
      width: Math.ceil((width - left) / stepX),
      height: Math.ceil((height - top) / stepY),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/**
 * Reads the rows of the passes, in order.
 *
 * @param onRow Receives each row as a view that is used again: values are at `bytesPerPixel` and after. Returns
 *   whether more rows are wanted.
 * @throws DecodeError TRUNCATED (the data ends before the last wanted row), BAD_BITSTREAM, BAD_CHECKSUM, and what
 *   {@link imageData} throws.
 */
export function* readPngRows(
  bytes: Uint8Array,
  image: PngImage,
  onRow: (row: Uint8Array, pass: PngPass, y: number) => boolean,
): PausableWork {
  const pixelBytes = image.valueBytes * image.channels,
    passes = passesOf(image);
  let pass = 0,
    y = 0,
    filter = -1,
    filled = 0,
    [row, above] = emptyRows(passes[0], pixelBytes),
    isWanted = true;

  const endRow = (): void => {
    unfilterRow(filter, row, above, pixelBytes);
    isWanted = onRow(row, passes[pass], y);
    [row, above] = [above, row];
    filter = -1;
    if (++y < passes[pass].height) return;
    y = 0;
    if (++pass === passes.length) isWanted = false;
    else [row, above] = emptyRows(passes[pass], pixelBytes);
  };
  yield* inflateSteps(imageData(bytes, image), (window) => {
    for (let at = 0; at < window.length && isWanted;) {
      if (filter < 0) {
        filter = window[at++];
        filled = pixelBytes;
      }
      const end = Math.min(window.length, at + row.length - filled);
      row.set(window.subarray(at, end), filled);
      filled += end - at;
      at = end;
      if (filled === row.length) endRow();
    }
    return isWanted;
  });
  if (isWanted)
    throw new DecodeError(
      'TRUNCATED',
      `png: the image data ends in row ${y} of ${passes[pass].height}${image.isInterlaced ? `, pass ${pass + 1}` : ''}`,
    );
}

/** Makes two rows of zeros, each with a pixel of zeros before it. */
function emptyRows({ width }: PngPass, pixelBytes: number): [Uint8Array, Uint8Array] {
  const length = (1 + width) * pixelBytes;
  return [new Uint8Array(length), new Uint8Array(length)];
}
