/**
 * Reads the values of one block of JPEG image data.
 * Source: ITU-T Recommendation T.81, annex F.2.2.
 */
import type { ScanBytes } from './scan-bytes.ts';
import type { JpegComponent } from './skip-units.ts';

/** Where each value of a block is in rows of 8: the zigzag of figure 5. */
const PLACES = zigzag();

function zigzag(): Uint8Array {
  const places = new Uint8Array(64);
  let k = 0;
  for (let diagonal = 0; diagonal < 15; diagonal++)
    for (let n = 0; n <= diagonal; n++) {
      const [x, y] = diagonal % 2 === 0 ? [n, diagonal - n] : [diagonal - n, n];
      if (x < 8 && y < 8) places[k++] = 8 * y + x;
    }
  return places;
}

/**
 * Reads a block and multiplies its values by the divisors of the encoder.
 *
 * @param sum The first value of the block before it.
 * @param values Receives 64 values, row by row.
 * @returns The first value; undefined if the data is broken.
 */
export function readBlock(
  scan: ScanBytes,
  { first, others, divisors }: JpegComponent,
  sum: number,
  values: Int32Array,
): number | undefined {
  const { view } = scan,
    { symbols } = others;
  let { position } = scan;
  values.fill(0);
  for (let k = 0; k < 64; k++) {
    const word = view.getInt32(position >>> 3) << (position & 7),
      code = (k === 0 ? first.symbols : symbols)[word >>> 16];
    if (code === 0) return undefined;
    position += code & 0xff;
    const bits = k === 0 ? code >> 8 : (code >> 8) & 15,
      zeros = k === 0 ? 0 : code >> 12;
    if (bits === 0 && k > 0) {
      if (zeros === 0) break;
      if (zeros !== 15 || k + 15 > 63) return undefined;
      k += 15;
      continue;
    }
    if (k + zeros > 63) return undefined;
    let value = 0;
    if (bits > 0) {
      const following = view.getInt32(position >>> 3) << (position & 7);
      value = (following >>> (32 - bits)) - (~(following >> 31) & ((1 << bits) - 1));
      position += bits;
    }
    if (k === 0) value = sum += value;
    k += zeros;
    // The decoder of reference has 32 bits here.
    values[PLACES[k]] = Math.imul(value, divisors[k]);
  }
  scan.position = position;
  return sum;
}
