/**
 * Undoes the filters of PNG: each byte of a row was written as its difference from a prediction.
 * Source: Portable Network Graphics (PNG) Specification, third edition, section 9.
 */
import { DecodeError } from '../../base/errors.ts';

const NONE = 0,
  SUB = 1,
  UP = 2,
  AVERAGE = 3,
  PAETH = 4;

/**
 * Undoes the filter of one row, in place.
 *
 * @param row `before` zeros, and the bytes of the row.
 * @param above The row above, without its filter and with the same zeros; all zeros for the first.
 * @param before Bytes per pixel: 1 to 8.
 * @throws DecodeError BAD_BITSTREAM for an unknown filter.
 */
export function unfilterRow(filter: number, row: Uint8Array, above: Uint8Array, before: number): void {
  const { length } = row;
  if (filter === SUB) for (let i = before; i < length; i++) row[i] += row[i - before];
  else if (filter === UP) for (let i = before; i < length; i++) row[i] += above[i];
  else if (filter === AVERAGE)
    for (let i = before; i < length; i++) row[i] += (row[i - before] + above[i]) >>> 1;
  else if (filter === PAETH) {
    if (before === 1) return undoPaethOfBytes(row, above);
    for (let i = before; i < length; i++) {
      const left = row[i - before],
        up = above[i],
        corner = above[i - before];
      const toLeft = Math.abs(up - corner),
        toUp = Math.abs(left - corner),
        toCorner = Math.abs(left + up - 2 * corner);
      row[i] += toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
  } else if (filter !== NONE)
    throw new DecodeError('BAD_BITSTREAM', `png: filter ${filter}, PNG knows 0 to 4`);
}

/** The same for pixels of one byte. The left pixel and the corner stay in variables, which takes half the time. */
function undoPaethOfBytes(row: Uint8Array, above: Uint8Array): void {
  let left = 0,
    corner = 0;
  for (let i = 1; i < row.length; i++) {
    const up = above[i],
      toLeft = Math.abs(up - corner),
      toUp = Math.abs(left - corner),
      toCorner = Math.abs(left + up - 2 * corner);
    left = (row[i] + (toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner)) & 255;
    row[i] = left;
    corner = up;
  }
}
