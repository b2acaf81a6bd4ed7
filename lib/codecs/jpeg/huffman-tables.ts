/**
 * Tables that tell what the next bits of JPEG image data mean.
 * Source: ITU-T Recommendation T.81, annexes C and F.2.2.
 */

/** Which symbols have codes of 1 to 16 bits, as in a file. */
export interface HuffmanCodes {
  /** How many there are of each length. */
  lengths: Uint8Array;
  symbols: Uint8Array;
}

/** Codes in a form for looking up. */
export interface HuffmanTable {
  /** By 16 bits: 256 x the symbol that begins there + the length of its code. 0 if no code does. */
  readonly symbols: Uint16Array;
  /** By {@link SKIP_BITS} bits: what {@link skipOf} returns for them, or 0. */
  readonly skips: Uint16Array;
}

/** The longest code. */
const CODE_BITS = 16;
/** Two codes with their values often fit. A larger table has no room in the fastest cache of a processor. */
export const SKIP_BITS = 12;
/** More than the values of a block, so that the end of one shows in a sum. */
export const BLOCK_ENDS = 128;
/** Symbols without bits of their own. */
const SIXTEEN_ZEROS = 0xf0,
  END_OF_BLOCK = 0;

/** Nearly all chunks of a volume have the same codes, in at most four tables. */
const MAX_KEPT = 8;
const kept = new Map<string, HuffmanTable>();

/** Returns the table of codes; undefined if there are more codes than bits allow. */
export function huffmanTable({ lengths, symbols }: HuffmanCodes): HuffmanTable | undefined {
  const key = String.fromCharCode(...lengths, ...symbols),
    known = kept.get(key);
  if (known) return known;
  const table = { symbols: new Uint16Array(1 << CODE_BITS), skips: new Uint16Array(1 << SKIP_BITS) };
  let first = 0,
    k = 0;
  for (let length = 1; length <= CODE_BITS; length++)
    for (let count = lengths[length - 1]; count > 0; count--) {
      const next = first + (1 << (CODE_BITS - length));
      if (next > 1 << CODE_BITS) return undefined;
      table.symbols.fill((symbols[k++] << 8) | length, first, next);
      first = next;
    }
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(key, table);
  return table;
}

/**
 * Returns how far the symbol at 16 bits leads, if it is not about the first value of a block: 256 x how many values it
 * is about + how many bits it and its value take. The end of a block counts as {@link BLOCK_ENDS} values. 0 if there
 * is no such symbol.
 */
export function stepOf({ symbols }: HuffmanTable, bits: number): number {
  const entry = symbols[bits],
    symbol = entry >> 8,
    size = symbol & 15;
  if (size > 0 || symbol === SIXTEEN_ZEROS) return (((symbol >> 4) + 1) << 8) | ((entry & 0xff) + size);
  return symbol === END_OF_BLOCK && entry > 0 ? (BLOCK_ENDS << 8) | entry : 0;
}

/**
 * Returns how far the symbols lead that are whole, with their values, in the first {@link SKIP_BITS} of 16 bits; those
 * of the first symbol if it is longer. The result has the form of {@link stepOf}. It is kept in the table.
 */
export function skipOf(table: HuffmanTable, bits: number): number {
  const wanted = bits >> (CODE_BITS - SKIP_BITS);
  let sum = stepOf(table, bits);
  if (sum === 0 || (sum & 0xff) > SKIP_BITS) return sum;
  while (sum < BLOCK_ENDS << 8) {
    const step = stepOf(table, (bits << (sum & 0xff)) & 0xffff);
    if (step === 0 || (sum & 0xff) + (step & 0xff) > SKIP_BITS) break;
    sum += step;
  }
  return (table.skips[wanted] = sum);
}
