/**
 * Decodes float64 values of an fpzip stream. Integers of 64 bits are pairs of words. The state is in local variables of one loop:
 * closures or methods would take several times as long.
 *
 * The algorithm is that of fpzip (github.com/LLNL/fpzip), src/read.cpp, pcdecoder.inl, pcmap.inl and rcdecoder.cpp.
 * Copyright (c) 2018-2019, Lawrence Livermore National Security, LLC; BSD 3-Clause License, see licenses/fpzip.txt.
 */
import type { Front } from './front.ts';
import { predictNaN } from './nan-prediction.ts';
import { badBitstream, truncated, type RangeDecoder } from './range-decoder.ts';
import { LOOKUP_SHIFT, MAX_DIRECT_PRECISION, TOTAL_BITS, type SymbolModel } from './symbol-model.ts';

const { clz32, imul } = Math;
const prediction = new Float64Array(1),
  predictionWords = new Int32Array(prediction.buffer);

/**
 * Decodes the values `from` to `end` of the present row of the front.
 *
 * @param precision Bits per value, from the highest: 4 to 64, even.
 * @throws DecodeError TRUNCATED or BAD_BITSTREAM.
 */
export function decodeFloat64(
  stream: RangeDecoder,
  model: SymbolModel,
  front: Front<Float64Array>,
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
    shift = 64 - precision,
    lowMask = shift < 32 ? -1 << shift : 0,
    highMask = shift < 32 ? -1 : -1 << (shift - 32),
    magnitude = highMask & 0x7fffffff;
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
    const sum = atLeft - behindAboveAt + aboveAt - behindLeft + behindAt - aboveLeft + behindAboveLeft;
    prediction[0] = sum;
    if (sum !== sum) predictNaN(front, x > 0, at, above, behind, behindAbove, predictionWords);
    const predictedLow = predictionWords[0],
      predictedHigh = predictionWords[1];

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

    let wordLow = predictedLow & lowMask,
      wordHigh = predictedHigh & highMask;
    if (symbol !== bias) {
      // Bits that order floats as integers do: negative numbers count downwards.
      let orderedLow = ~predictedLow & lowMask,
        orderedHigh = ~predictedHigh & highMask;
      orderedLow ^= (orderedHigh >> 31) & lowMask;
      orderedHigh ^= (orderedHigh >> 31) & magnitude;
      const size = symbol > bias ? symbol - bias - 1 : bias - 1 - symbol;
      let differenceLow = isDirect ? size + 1 : size < 32 ? 1 << size : 0,
        differenceHigh = size < 32 || isDirect ? 0 : 1 << (size - 32);
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
        if (place < 32) differenceLow |= piece << place;
        else differenceHigh |= piece << (place - 32);
      }
      if (shift >= 32) {
        differenceHigh = differenceLow << (shift - 32);
        differenceLow = 0;
      } else if (shift > 0) {
        differenceHigh = (differenceHigh << shift) | (differenceLow >>> (32 - shift));
        differenceLow <<= shift;
      }
      if (symbol > bias) {
        const sum = (orderedLow + differenceLow) | 0;
        orderedHigh = (orderedHigh + differenceHigh + (sum >>> 0 < orderedLow >>> 0 ? 1 : 0)) | 0;
        orderedLow = sum;
      } else {
        orderedHigh = (orderedHigh - differenceHigh - (orderedLow >>> 0 < differenceLow >>> 0 ? 1 : 0)) | 0;
        orderedLow = (orderedLow - differenceLow) | 0;
      }
      wordLow = ~(orderedLow ^ ((orderedHigh >> 31) & lowMask)) & lowMask;
      wordHigh = ~(orderedHigh ^ ((orderedHigh >> 31) & magnitude)) & highMask;
    }
    words[2 * at] = wordLow;
    words[2 * at + 1] = wordHigh;
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
