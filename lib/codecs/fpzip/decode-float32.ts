/**
 * Decodes float32 values of an fpzip stream. The state is in local variables of one loop:
 * closures or methods would take several times as long.
 *
 * The algorithm is that of fpzip (github.com/LLNL/fpzip), src/read.cpp, pcdecoder.inl, pcmap.inl and rcdecoder.cpp.
 * Copyright (c) 2018-2019, Lawrence Livermore National Security, LLC; BSD 3-Clause License, see licenses/fpzip.txt.
 */
import type { Front } from './front.ts';
import { predictNaN } from './nan-prediction.ts';
import { badBitstream, truncated, type RangeDecoder } from './range-decoder.ts';
import { LOOKUP_SHIFT, MAX_DIRECT_PRECISION, TOTAL_BITS, type SymbolModel } from './symbol-model.ts';

const { clz32, fround, imul } = Math;
const prediction = new Float32Array(1),
  predictionWord = new Int32Array(prediction.buffer);

/**
 * Decodes the values `from` to `end` of the present row of the front.
 *
 * @param precision Bits per value, from the highest: 2 to 32.
 * @throws DecodeError TRUNCATED or BAD_BITSTREAM.
 */
export function decodeFloat32(
  stream: RangeDecoder,
  model: SymbolModel,
  front: Front<Float32Array>,
  from: number,
  end: number,
  precision: number,
): void {
  const { values, words, height } = front,
    { bytes, view } = stream,
    { frequencies, cumulative, lookup } = model;
  const length = bytes.length,
    lastWord = length - 3,
    isDirect = precision <= MAX_DIRECT_PRECISION,
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
  let atLeft = 0,
    aboveLeft = 0,
    behindLeft = 0,
    behindAboveLeft = 0;
  if (from > 0) {
    atLeft = values[at - 1];
    aboveLeft = values[above - 1];
    behindLeft = values[behind - 1];
    behindAboveLeft = values[behindAbove - 1];
  }
  for (let x = from; x < end; x++, at++, above++, behind++, behindAbove++) {
    const aboveAt = values[above],
      behindAt = values[behind],
      behindAboveAt = values[behindAbove];
    let sum = fround(atLeft - behindAboveAt);
    sum = fround(sum + aboveAt);
    sum = fround(sum - behindLeft);
    sum = fround(sum + behindAt);
    sum = fround(sum - aboveLeft);
    sum = fround(sum + behindAboveLeft);
    prediction[0] = sum;
    if (sum !== sum) predictNaN(front, x > 0, at, above, behind, behindAbove, predictionWord);
    const predicted = predictionWord[0];

    // One symbol: the sign of the difference, and its size or the number of its bits.
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
    let difference = isDirect ? count : (1 << size) & (-count >> 31);
    // The bits below the highest one follow, the lowest 16 first.
    for (let bits = isDirect ? 0 : size, place = 0; bits > 0; bits -= 16, place += 16) {
      const part = bits < 16 ? bits : 16;
      range >>>= part;
      const piece = (((code - low) >>> 0) / range) >>> 0;
      if (piece >>> part !== 0) throw badBitstream(position);
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
      difference |= piece << place;
    }
    ordered = (ordered + (((difference << shift) ^ sign) - sign)) | 0;
    ordered ^= (ordered >> 31) & magnitude;
    words[at] = ~ordered & mask;
    atLeft = values[at];
    aboveLeft = aboveAt;
    behindLeft = behindAt;
    behindAboveLeft = behindAboveAt;
  }
  stream.low = low;
  stream.range = range;
  stream.code = code;
  stream.position = position;
  model.left = symbolsLeft;
}
