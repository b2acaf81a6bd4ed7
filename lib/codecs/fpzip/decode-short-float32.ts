/**
 * Decodes float32 values of few bits, as `decode-float32.ts` does, but quicker where their predictions are exact.
 *
 * A prediction is a sum of seven values, rounded to float32 after each step. If all are 0 or have exponents close to
 * each other, nothing is rounded, as they have few bits. The order of the sum does not matter then.
 *
 * The algorithm is that of fpzip (github.com/LLNL/fpzip), src/read.cpp, pcdecoder.inl, pcmap.inl and rcdecoder.cpp.
 * Copyright (c) 2018-2019, Lawrence Livermore National Security, LLC; BSD 3-Clause License, see licenses/fpzip.txt.
 */
import { decodeFloat32 } from './decode-float32.ts';
import type { Front } from './front.ts';
import { badBitstream, truncated, type RangeDecoder } from './range-decoder.ts';
import { LOOKUP_SHIFT, MAX_DIRECT_PRECISION, TOTAL_BITS, type SymbolModel } from './symbol-model.ts';

const { clz32, imul } = Math;
const prediction = new Float32Array(1),
  predictionWord = new Int32Array(prediction.buffer);

/** Bits below the highest one of a difference are then one number of the stream. */
const MAX_SHORT_PRECISION = 17;
/** Sign and exponent. The highest bit of the fraction is not stored. */
const OTHER_BITS = 9,
  FRACTION_BITS = 23;
const SMALLEST_NORMAL = 1 << FRACTION_BITS;
/** A sum of seven has up to three bits more than its largest value. */
const SUM_BITS = 3;
/** Sums of values up to this exponent are finite. */
const MAX_EXPONENT = 255 - SUM_BITS - 2;

/** Decodes the rows of a front whose values have 9 to 17 bits. */
export class ShortFloat32Rows {
  /** Whether values of this precision can be decoded so. */
  static canDecode(precision: number): boolean {
    return precision > MAX_DIRECT_PRECISION && precision <= MAX_SHORT_PRECISION;
  }

  readonly #front: Front<Float32Array>;
  readonly #precision: number;
  /** Sums are exact of 0 and of values whose bits without the sign are `#lowest` to `#lowest + #span`. */
  #lowest = SMALLEST_NORMAL;
  readonly #span: number;

  constructor(front: Front<Float32Array>, precision: number) {
    this.#front = front;
    this.#precision = precision;
    // The bits of a sum, from the lowest of its smallest value to the highest of its largest, and three more.
    const exponents = FRACTION_BITS + 1 - SUM_BITS - (precision - OTHER_BITS);
    this.#span = (exponents << FRACTION_BITS) - 1;
  }

  /**
   * Decodes the values `from` to `end` of the present row.
   * @throws DecodeError TRUNCATED or BAD_BITSTREAM.
   */
  decode(stream: RangeDecoder, model: SymbolModel, from: number, end: number): void {
    const front = this.#front,
      { exactRows, height } = front;
    const row = front.slotOf(0),
      start = front.startOf(0);
    const isExact = from === 0 || exactRows[row] === 1,
      neighbours = [1, height + 1, height + 2];
    const next =
      isExact && neighbours.every((back) => exactRows[front.slotOf(back)] === 1)
        ? decodeExact(stream, model, front, from, end, this.#precision, this.#lowest, this.#span)
        : from;
    if (next < end) decodeFloat32(stream, model, front, next, end, this.#precision);
    // The values before the one at which it stopped fit.
    exactRows[row] = isExact && this.#fits(start + Math.max(from, next - 1), start + end) ? 1 : 0;
    if (exactRows[row] === 0 && from === 0) this.#adapt(start, start + end);
  }

  /** Tells whether values are such that their sums are exact. */
  #fits(from: number, end: number): boolean {
    const { words } = this.#front;
    for (let at = from; at < end; at++)
      if (((words[at] & 0x7fffffff) - this.#lowest) >>> 0 > this.#span && words[at] !== 0) return false;
    return true;
  }

  /** Chooses other sizes if all values have them. */
  #adapt(from: number, end: number): void {
    const { words, exactRows } = this.#front;
    let most = 0;
    for (let at = from; at < end; at++) most = Math.max(most, words[at] & 0x7fffffff);
    const exponent = most >>> FRACTION_BITS;
    if (exponent > MAX_EXPONENT) return;
    const before = this.#lowest,
      smallest = ((exponent + 1) << FRACTION_BITS) - (this.#span + 1);
    this.#lowest = Math.max(smallest, SMALLEST_NORMAL);
    if (!this.#fits(from, end)) this.#lowest = before;
    else {
      exactRows.fill(0);
      exactRows[this.#front.slotOf(0)] = 1;
    }
  }
}

/**
 * Decodes values, each from a prediction that is exact, until one does not fit.
 * @returns The position after it, or `end`.
 */
function decodeExact(
  stream: RangeDecoder,
  model: SymbolModel,
  front: Front<Float32Array>,
  from: number,
  end: number,
  precision: number,
  lowest: number,
  span: number,
): number {
  const { values, words, height } = front,
    { bytes, view } = stream,
    { frequencies, cumulative, lookup } = model;
  const length = bytes.length,
    lastWord = length - 3,
    bias = frequencies.length >> 1,
    shift = 32 - precision,
    mask = -1 << shift,
    magnitude = mask & 0x7fffffff;
  let { low, range, code, position } = stream,
    { left: symbolsLeft, increment } = model;
  let settled = 0, // how many bits of the interval are known, in whole bytes
    ahead = 0;
  let at = front.startOf(0) + from,
    above = front.startOf(1) + from,
    behind = front.startOf(height + 1) + from,
    behindAbove = front.startOf(height + 2) + from;
  // The value to the left, minus what the other rows alone would predict for it.
  let before =
    from > 0 ? values[at - 1] - (values[above - 1] + values[behind - 1] - values[behindAbove - 1]) : 0;
  let x = from;
  while (x < end) {
    const others = values[above++] + values[behind++] - values[behindAbove++];
    prediction[0] = before + others;
    const predicted = predictionWord[0];

    // One symbol: the sign of the difference, and the number of its bits.
    range >>>= TOTAL_BITS;
    const share = (((code - low) >>> 0) / range) >>> 0;
    if (share >>> TOTAL_BITS !== 0) throw badBitstream(position);
    let symbol = lookup[share >> LOOKUP_SHIFT],
      beyond = lookup[(share >> LOOKUP_SHIFT) + 1] + 1;
    while (symbol + 1 < beyond) {
      const middle = (symbol + beyond) >> 1;
      if (share < cumulative[middle]) beyond = middle;
      else symbol = middle;
    }
    const start = cumulative[symbol];
    low = (low + imul(range, start)) | 0;
    range = imul(range, cumulative[symbol + 1] - start);
    if (symbolsLeft === 0) {
      model.update();
      symbolsLeft = model.left;
      increment = model.increment;
    }
    symbolsLeft--;
    frequencies[symbol] += increment;
    settled = clz32(low ^ (low + range)) & 24;
    ahead = position < lastWord ? view.getInt32(position) : stream.wordBeforeEnd(position, settled);
    position += settled >> 3;
    code = (code << settled) | ((ahead >>> 1) >>> (31 - settled));
    low <<= settled;
    range <<= settled;
    if (range >>> 16 === 0) {
      if (position + 2 > length) throw truncated(bytes);
      code = (code << 16) | (bytes[position] << 8) | bytes[position + 1];
      position += 2;
      low <<= 16;
      range = -low | 0;
    }

    // Bits that order floats as integers do: negative numbers count downwards.
    let ordered = ~predicted & mask;
    ordered ^= (ordered >> 31) & magnitude;
    // Without branches, as nothing foresees them. The sign is -1 for negative differences, else 0.
    const sign = (symbol - bias) >> 31,
      count = ((symbol - bias) ^ sign) - sign,
      size = count - 1;
    let difference = (1 << size) & (-count >> 31);
    // The bits below the highest one follow.
    if (size > 0) {
      range >>>= size;
      const piece = (((code - low) >>> 0) / range) >>> 0;
      if (piece >>> size !== 0) throw badBitstream(position);
      low = (low + imul(range, piece)) | 0;
      settled = clz32(low ^ (low + range)) & 24;
      ahead = position < lastWord ? view.getInt32(position) : stream.wordBeforeEnd(position, settled);
      position += settled >> 3;
      code = (code << settled) | ((ahead >>> 1) >>> (31 - settled));
      low <<= settled;
      range <<= settled;
      if (range >>> 16 === 0) {
        if (position + 2 > length) throw truncated(bytes);
        code = (code << 16) | (bytes[position] << 8) | bytes[position + 1];
        position += 2;
        low <<= 16;
        range = -low | 0;
      }
      difference |= piece;
    }
    ordered = (ordered + (((difference << shift) ^ sign) - sign)) | 0;
    ordered ^= (ordered >> 31) & magnitude;
    const word = ~ordered & mask;
    words[at] = word;
    x++;
    if (((word & 0x7fffffff) - lowest) >>> 0 > span && word !== 0) break;
    before = values[at++] - others;
  }
  stream.low = low;
  stream.range = range;
  stream.code = code;
  stream.position = position;
  model.left = symbolsLeft;
  return x;
}
