/**
 * Goes past blocks of JPEG image data without keeping their values: only the sums of first values, from which the
 * next ones follow. Several codes are passed at once.
 * Source: ITU-T Recommendation T.81, annex F.2.2.
 */
import { BLOCK_ENDS, SKIP_BITS, skipOf, stepOf, type HuffmanTable } from './huffman-tables.ts';
import type { ScanBytes } from './scan-bytes.ts';

/** One component of an image. */
export interface JpegComponent {
  /** The codes of the first value of each block, and those of the others. */
  readonly first: HuffmanTable;
  readonly others: HuffmanTable;
  /** The divisor of each value, in the order of the file. */
  readonly divisors: Uint16Array;
}

/** Values per block. */
const BLOCK_VALUES = 64;
const BROKEN = -1;

/**
 * Goes past units, which have one block of each component.
 *
 * @param sums The first value of the last block of each component.
 * @param count How many units to pass at most.
 * @returns How many were passed: fewer if the copied data ends; undefined if the data is broken.
 */
export function skipUnits(
  scan: ScanBytes,
  components: readonly JpegComponent[],
  sums: Int32Array,
  count: number,
): number | undefined {
  const { view, safeEnd } = scan;
  let { position } = scan;
  let unit = 0;
  for (; unit < count && position < safeEnd; unit++)
    for (let c = 0; c < components.length; c++) {
      const { first, others } = components[c];
      // 25 bits are known of each word.
      const code = first.symbols[(view.getInt32(position >>> 3) << (position & 7)) >>> 16],
        bits = code >> 8;
      if (code === 0) return undefined;
      position += code & 0xff;
      if (bits > 0) {
        const word = view.getInt32(position >>> 3) << (position & 7);
        // Without its highest bit, a number stands for a negative one.
        sums[c] += (word >>> (32 - bits)) - (~(word >> 31) & ((1 << bits) - 1));
        position += bits;
      }
      position = skipOthers(view, others, others.skips, position);
      if (position === BROKEN) return undefined;
    }
  scan.position = position;
  return unit;
}

/**
 * Goes past all values of a block but the first. A small function: V8 optimizes it early.
 * @returns The next position, or BROKEN.
 */
function skipOthers(view: DataView, table: HuffmanTable, skips: Uint16Array, position: number): number {
  for (let k = 1; k < BLOCK_VALUES;) {
    const word = view.getInt32(position >>> 3) << (position & 7);
    let step = skips[word >>> (32 - SKIP_BITS)],
      next = k + (step >> 8);
    if (step === 0 || (next > BLOCK_VALUES && (next <= BLOCK_ENDS || next >= BLOCK_ENDS + BLOCK_VALUES))) {
      step = unusualStep(table, word >>> 16, k);
      if (step === 0) return BROKEN;
      next = k + (step >> 8);
    }
    position += step & 0xff;
    k = next;
  }
  return position;
}

/** Returns the step for bits that are seen for the first time, or near the end of a block; 0 if there is none. */
function unusualStep(table: HuffmanTable, bits: number, k: number): number {
  const step = skipOf(table, bits);
  if (!passesEnd(k + (step >> 8))) return step;
  // The last of the symbols may belong to the next block.
  const single = stepOf(table, bits);
  return passesEnd(k + (single >> 8)) ? 0 : single;
}

/** Tells whether a block with k values, or one that ends at k, has too many. */
const passesEnd = (k: number): boolean =>
  k > BLOCK_VALUES && (k <= BLOCK_ENDS || k >= BLOCK_ENDS + BLOCK_VALUES);
