/**
 * Reads points of a JPEG image whose blocks can be decoded one by one: goes past the blocks before the last wanted
 * one, and decodes those with points. What lies behind it is not looked at, unless it is the last of the image.
 */
import type { PausableWork } from '../../base/cooperative-work.ts';
import type { BlockImage } from './block-image.ts';
import { invertCosines } from './inverse-dct.ts';
import type { WordArray } from '../../precomputed/data-type.ts';
import { readBlock } from './read-block.ts';
import { ScanBytes } from './scan-bytes.ts';
import { skipUnits } from './skip-units.ts';
import { blueOf, greenOf, redOf } from './ycc-to-rgb.ts';

const RST0 = 0xd0,
  EOI = 0xd9;
/** Positions are counted in bits. */
const MAX_BYTES = 2 ** 27;
/** The library keeps first values in 16 bits. */
const MAX_SUM = 2 ** 15 - 1;

/** Returns how many blocks across and in all an image has, of each component. */
function blocksOf({ width, height }: BlockImage): { across: number; units: number } {
  const across = Math.ceil(width / 8);
  return { across, units: across * Math.ceil(height / 8) };
}

/** Returns the share of an image's blocks that hold points. */
export function wantedShare(image: BlockImage, offsets: Uint32Array): number {
  const { across, units } = blocksOf(image),
    isWanted = new Uint8Array(units);
  let count = 0;
  for (const offset of offsets) {
    const y = Math.floor(offset / image.width),
      unit = across * (y >> 3) + ((offset - y * image.width) >> 3);
    if (isWanted[unit] === 0) count++;
    isWanted[unit] = 1;
  }
  return count / units;
}

/**
 * Reads the values of points, as {@link Codec.decodePoints} does.
 *
 * @returns False if the data is broken up to the last wanted block, or unusual; `out` may then be partly written.
 */
export function* readJpegPoints(
  bytes: Uint8Array,
  image: BlockImage,
  offsets: Uint32Array,
  out: WordArray,
  outIndex: Uint32Array,
): PausableWork<boolean> {
  if (bytes.length > MAX_BYTES) return false;
  const { width, components, isYcc, restartInterval, dataAt } = image,
    { across, units } = blocksOf(image),
    order = orderByUnit(offsets, width, across);
  const scan = new ScanBytes(bytes, dataAt),
    sums = new Int32Array(components.length),
    blocks = components.map(() => new Int32Array(64));
  let unit = 0,
    restartsAt = restartInterval || units;
  for (let k = 0; k < order.length;) {
    const wanted = Math.floor(order[k] / offsets.length);
    while (unit <= wanted) {
      if (unit === restartsAt) {
        if (!scan.passMarker(RST0 + ((unit / restartInterval - 1) & 7))) return false;
        restartsAt += restartInterval;
        sums.fill(0);
      }
      if (scan.position >= scan.safeEnd) {
        scan.copyOn();
        yield;
      }
      if (unit === wanted) break;
      const passed = skipUnits(scan, components, sums, Math.min(wanted, restartsAt) - unit);
      if (!passed || scan.isOverrun || sums.some((sum) => Math.abs(sum) > MAX_SUM)) return false;
      unit += passed;
    }
    for (const [c, component] of components.entries()) {
      const sum = readBlock(scan, component, sums[c], blocks[c]);
      if (sum === undefined || scan.isOverrun || Math.abs(sum) > MAX_SUM) return false;
      sums[c] = sum;
      invertCosines(blocks[c]);
    }
    unit++;
    for (; k < order.length && Math.floor(order[k] / offsets.length) === wanted; k++) {
      const point = order[k] % offsets.length,
        y = Math.floor(offsets[point] / width),
        at = 8 * (y & 7) + ((offsets[point] - y * width) & 7),
        to = outIndex[point] * components.length;
      if (isYcc) {
        const [brightness, blue, red] = [blocks[0][at], blocks[1][at], blocks[2][at]];
        out[to] = redOf(brightness, red);
        out[to + 1] = greenOf(brightness, blue, red);
        out[to + 2] = blueOf(brightness, blue);
      } else for (let c = 0; c < blocks.length; c++) out[to + c] = blocks[c][at];
    }
  }
  return unit < units || scan.passMarker(EOI);
}

/** Sorts points by their block: block x points + point. */
function orderByUnit(offsets: Uint32Array, width: number, across: number): Float64Array {
  const order = new Float64Array(offsets.length);
  for (let k = 0; k < offsets.length; k++) {
    const y = Math.floor(offsets[k] / width),
      x = offsets[k] - y * width;
    order[k] = (across * (y >> 3) + (x >> 3)) * offsets.length + k;
  }
  return order.sort();
}
