/**
 * The two entropy codes of Zstandard: finite state entropy and Huffman, read backwards. Source: RFC 8878, sections 4 and 5.
 * `source` always has at least 4 readable bytes beyond `end` (see zstd.ts), so that bits are taken from whole words.
 */
import { DecodeError } from '../base/errors.ts';

export const corrupt = (what: string): DecodeError => new DecodeError('BAD_BITSTREAM', `zstd: ${what}`);

const highestBit = (value: number): number => 31 - Math.clz32(value);

/** Bits from the end of a section to its start; the last byte's highest 1 marks where they begin. */
export class BackwardBits {
  /** Bits left; below 0 when more was read than is there, and what was read there is zeros. */
  left: number;

  constructor(
    readonly source: Uint8Array,
    readonly start: number,
    end: number,
  ) {
    if (end <= start || source[end - 1] === 0) throw corrupt('a bit stream without its end mark');
    this.left = (end - start - 1) * 8 + highestBit(source[end - 1]);
  }

  /** At most 24 bits. */
  read(count: number): number {
    this.left -= count;
    if (this.left < 0) return this.#readPastStart(count);
    const at = this.start + (this.left >>> 3), source = this.source;
    const word = source[at] | (source[at + 1] << 8) | (source[at + 2] << 16) | (source[at + 3] << 24);
    return (word >>> (this.left & 7)) & ((1 << count) - 1);
  }

  #readPastStart(count: number): number {
    const there = this.left + count;
    if (there <= 0) return 0;
    const word = this.source[this.start] | (this.source[this.start + 1] << 8) | (this.source[this.start + 2] << 16);
    return ((word & ((1 << there) - 1)) << -this.left) & ((1 << count) - 1);
  }
}

/** State to symbol, and to the next state: `next[s] + read(bits[s])`. */
export interface FseTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  next: Uint16Array;
}

/** The table of one symbol that takes no bits. */
export const rleTable = (symbol: number): FseTable => ({ log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), next: new Uint16Array(1) });

/** RFC 8878, 4.1.1: spreads normalized counts (-1: "less than one") over 2^log states. */
export function fseTable(counts: ArrayLike<number>, log: number): FseTable {
  const size = 1 << log, mask = size - 1, step = (size >> 1) + (size >> 3) + 3;
  const symbols = new Uint8Array(size), bits = new Uint8Array(size), next = new Uint16Array(size), seen = new Uint16Array(counts.length);
  let high = size, position = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    seen[symbol] = Math.abs(counts[symbol]);
    if (counts[symbol] === -1) symbols[--high] = symbol;
  }
  for (let symbol = 0; symbol < counts.length; symbol++)
    for (let k = 0; k < counts[symbol]; k++) {
      symbols[position] = symbol;
      do position = (position + step) & mask;
      while (position >= high);
    }
  for (let state = 0; state < size; state++) {
    const count = seen[symbols[state]]++;
    bits[state] = log - highestBit(count);
    next[state] = (count << bits[state]) - size;
  }
  return { log, symbols, bits, next };
}

/** A table description at `at`; gives the byte behind it. */
export function readFseTable(source: Uint8Array, at: number, end: number, maxLog: number, maxSymbol: number): { table: FseTable; end: number } {
  let bit = at * 8;
  const peek = (count: number): number => {
    const byte = bit >>> 3;
    if (byte >= end) throw corrupt('an FSE table runs over its section');
    return ((source[byte] | (source[byte + 1] << 8) | (source[byte + 2] << 16)) >>> (bit & 7)) & ((1 << count) - 1);
  };
  const log = peek(4) + 5;
  if (log > maxLog) throw corrupt(`an FSE accuracy of ${log} where ${maxLog} is the most`);
  bit += 4;
  const counts: number[] = [];
  for (let remaining = 1 << log; remaining > 0; ) {
    const width = highestBit(remaining + 1) + 1, low = (1 << (width - 1)) - 1, threshold = (1 << width) - 2 - remaining;
    let value = peek(width);
    bit += width;
    if ((value & low) < threshold) {
      value &= low;
      bit--;
    } else if (value > low) value -= threshold;
    const count = value - 1;
    remaining -= Math.abs(count);
    counts.push(count);
    if (count === 0)
      for (let repeat = 3; repeat === 3; ) {
        repeat = peek(2);
        bit += 2;
        for (let k = 0; k < repeat; k++) counts.push(0);
        if (counts.length > 256) break;
      }
    if (remaining < 0 || counts.length > maxSymbol + 1) throw corrupt('impossible FSE counts');
  }
  const behind = (bit + 7) >>> 3;
  if (behind > end) throw corrupt('an FSE table runs over its section');
  return { table: fseTable(counts, log), end: behind };
}

/** The next `log` bits to a symbol and the bits it really took. */
export interface HuffmanTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
}

/** RFC 8878, 4.2.1: a Huffman tree description at `at`; gives the byte behind it. */
export function readHuffmanTable(source: Uint8Array, at: number, limit: number): { table: HuffmanTable; end: number } {
  if (at >= limit) throw corrupt('no room for a Huffman table');
  const header = source[at++];
  const direct = header >= 128, count = header - 127;
  const end = at + (direct ? (count + 1) >> 1 : header);
  if (end > limit) throw corrupt('a Huffman table runs over its section');
  const weights = direct
    ? Array.from({ length: count }, (_, k) => (k % 2 === 0 ? source[at + (k >> 1)] >> 4 : source[at + (k >> 1)] & 15))
    : readWeights(source, at, end);
  return { table: huffmanTable(weights), end };
}

/** Two FSE states in turn, until the bits are used up. */
function readWeights(source: Uint8Array, at: number, end: number): number[] {
  const { table, end: start } = readFseTable(source, at, end, 6, 255);
  const bits = new BackwardBits(source, start, end);
  const states = [bits.read(table.log), bits.read(table.log)];
  const weights: number[] = [];
  for (let turn = 0; weights.length < 254; turn ^= 1) {
    weights.push(table.symbols[states[turn]]);
    states[turn] = table.next[states[turn]] + bits.read(table.bits[states[turn]]);
    if (bits.left >= 0) continue;
    weights.push(table.symbols[states[turn ^ 1]]);
    return weights;
  }
  throw corrupt('more than 255 Huffman weights');
}

/** The last weight is not stored: it fills the tree. */
function huffmanTable(weights: number[]): HuffmanTable {
  const total = weights.reduce((sum, weight) => sum + (weight > 0 ? 2 ** (weight - 1) : 0), 0);
  const log = total > 0 && total < 2048 ? highestBit(total) + 1 : 12;
  const missing = 2 ** log - total;
  if (log > 11 || (missing & (missing - 1)) !== 0) throw corrupt('impossible Huffman weights');
  const all = [...weights, highestBit(missing) + 1];
  const symbols = new Uint8Array(1 << log), bits = new Uint8Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++)
    for (let symbol = 0; symbol < all.length; symbol++)
      if (all[symbol] === weight) {
        symbols.fill(symbol, at, at + (1 << (weight - 1)));
        bits.fill(log + 1 - weight, at, (at += 1 << (weight - 1)));
      }
  return { log, symbols, bits };
}

/** Fills `out[from..to)` from one Huffman stream, which must be used up exactly. */
export function readHuffman({ log, symbols, bits }: HuffmanTable, source: Uint8Array, start: number, end: number, out: Uint8Array, from: number, to: number): void {
  let left = new BackwardBits(source, start, end).left;
  const mask = (1 << log) - 1;
  for (let k = from; k < to; k++) {
    const low = left - log;
    let code: number;
    if (low >= 0) {
      const at = start + (low >>> 3);
      code = ((source[at] | (source[at + 1] << 8) | (source[at + 2] << 16)) >>> (low & 7)) & mask;
    } else if (left > 0) code = ((source[start] | (source[start + 1] << 8)) << -low) & mask;
    else throw corrupt('a Huffman stream ends early');
    out[k] = symbols[code];
    left -= bits[code];
  }
  if (left !== 0) throw corrupt('a Huffman stream is not used up');
}
