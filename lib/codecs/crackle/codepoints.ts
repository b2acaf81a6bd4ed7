/**
 * Unpacks the moves of a crack code: 2 bits per move, or 1 to 3 bits per move with a finite context (Markov)
 * model. Both forms store the difference from the move before, modulo 4. One stream holds all chains of a
 * slice.
 * Source: crackle, README.md, "Crack Code Format"; src/crackcodes.hpp, src/markov.hpp.
 */
import { DecodeError } from '../../base/errors.ts';

/**
 * Unpacks the moves in `view[from, to)`, including the padding of the last byte.
 * @param moves Receives the moves; it needs room for 4 per byte.
 * @returns The number of moves.
 */
export function unpackMoves(view: DataView, from: number, to: number, moves: Uint8Array): number {
  let last = 0;
  let count = 0;
  for (let at = from; at < to; at++) {
    const packed = view.getUint8(at);
    moves[count] = last = (last + packed) & 3;
    moves[count + 1] = last = (last + (packed >>> 2)) & 3;
    moves[count + 2] = last = (last + (packed >>> 4)) & 3;
    moves[count + 3] = last = (last + (packed >>> 6)) & 3;
    count += 4;
  }
  return count;
}

/**
 * The 24 orders of four symbols, as Python's `itertools.permutations` lists them. The first symbol is in the
 * low two bits.
 */
const RANKINGS: number[] = [];
for (let a = 0; a < 4; a++)
  for (let b = 0; b < 4; b++)
    for (let c = 0; c < 4; c++)
      if (a !== b && a !== c && b !== c) RANKINGS.push(a | (b << 2) | (c << 4) | ((6 - a - b - c) << 6));

/**
 * Unpacks the moves of a stream with a model. The model is read in place, one row of 5 bits per move, and
 * never unpacked: at order 15 it has a thousand million rows.
 *
 * @param model Byte offset of the model. The caller has checked that all of it is inside the chunk.
 * @param moves Receives the moves; it needs room for 8 per byte.
 * @returns The number of moves.
 * @throws DecodeError BAD_HEADER if a row that is used is not a ranking.
 */
export function unpackModelledMoves(
  view: DataView,
  from: number,
  to: number,
  model: number,
  order: number,
  moves: Uint8Array,
): number {
  if (from === to) return 0;
  const newest = 2 * (order - 1);
  let last = view.getUint8(from) & 3; // the first move is stored as it is
  moves[0] = last;
  let count = 1;
  let context = last << newest;
  const bits = 8 * (to - from);
  for (let bit = 2; bit < bits;) {
    const at = from + (bit >>> 3);
    const code = (view.getUint8(at) | (at + 1 < to ? view.getUint8(at + 1) << 8 : 0)) >>> (bit & 7);
    // The codes 0, 10, 110, 111 (first bit lowest) stand for the most to the least frequent move after this
    // context.
    const rank = (code & 1) === 0 ? 0 : (code & 2) === 0 ? 1 : (code & 4) === 0 ? 2 : 3;
    bit += rank === 3 ? 3 : rank + 1;
    const rowBit = 5 * (context & 7); // eight rows are five bytes
    const row = model + 5 * (context >>> 3) + (rowBit >>> 3);
    const shift = rowBit & 7;
    const ranking = ((view.getUint8(row) | (shift > 3 ? view.getUint8(row + 1) << 8 : 0)) >>> shift) & 31;
    if (ranking >= 24)
      throw new DecodeError(
        'BAD_HEADER',
        `crackle: row ${context} of the Markov model is ${ranking}, which is not an order of four moves`,
      );
    const difference = (RANKINGS[ranking] >>> (2 * rank)) & 3;
    context = (context >>> 2) | (difference << newest);
    moves[count++] = last = (last + difference) & 3;
  }
  return count;
}
