/**
 * Draws the crack code of one slice: chains of moves along the edges between voxels become two bitmaps of
 * walls.
 * Source: crackle, README.md, "Crack Code Format"; src/crackcodes.hpp.
 *
 * A pair of moves in which the second undoes the first is a control symbol. Up-down and left-right remember
 * the vertex (a branch). Down-up and right-left go back to the last remembered vertex, or end the chain.
 */
import { DecodeError } from '../../base/errors.ts';
import { unpackModelledMoves, unpackMoves } from './codepoints.ts';
import { readUint, widthFor } from './read-uint.ts';
import { scratchBytes, scratchWords } from './scratch.ts';

const UP = 0;
const RIGHT = 1;
const DOWN = 2;
const LEFT = 3;
const NONE = -1;

/**
 * The byte range of a slice's crack code, and the byte offset and order of its Markov model (order 0: no
 * model).
 */
export interface CrackCode {
  from: number;
  to: number;
  model: number;
  order: number;
}

/**
 * Bits of one slice, `stride` words per row, x in bit `x % 32` of word `x / 32`. Bits past the last voxel
 * have no meaning.
 */
export interface Cracks {
  /** Bit x of row y: the edge between voxels x - 1 and x is drawn. Row y starts at `stride * y`. */
  words: Int32Array;
  stride: number;
  /**
   * The first word of a second bitmap. Bit x of row y: the edge between the voxels at x of rows y - 1 and y
   * is drawn.
   */
  horizontal: number;
}

const wordScratch = scratchWords();
const moveScratch = scratchBytes();

/**
 * Draws the crack code of one slice.
 * @throws DecodeError TRUNCATED or BAD_HEADER (a chain that leaves the slice).
 */
export function drawCracks(
  view: DataView,
  { from, to, model, order }: CrackCode,
  sx: number,
  sy: number,
): Cracks {
  const stride = (sx >>> 5) + 1;
  const horizontal = stride * (sy + 1);
  const length = stride * 2 * (sy + 1);
  const words = wordScratch.take(length).fill(0, 0, length);
  const cracks = { words, stride, horizontal };

  const startsFrom = from + 4;
  const movesFrom = startsFrom + (to - from < 4 ? 0 : view.getUint32(from, true));
  if (movesFrom > to)
    throw new DecodeError('TRUNCATED', `crackle: crack code of ${to - from} bytes cannot hold its index`);
  // Without moves there are no chains. `crackle.full` writes an index that is too short to read.
  if (movesFrom === to) return cracks;
  const moves = moveScratch.take((to - movesFrom) * (order === 0 ? 4 : 8));
  const count =
    order === 0
      ? unpackMoves(view, movesFrom, to, moves)
      : unpackModelledMoves(view, movesFrom, to, model, order, moves);

  // The index lists the vertices at which chains start: rows as differences, and for each row a count and
  // columns as differences.
  const xWidth = widthFor(sx + 1);
  const yWidth = widthFor(sy + 1);
  let at = startsFrom;
  const next = (width: number): number => {
    if (at + width > movesFrom) throw new DecodeError('TRUNCATED', 'crackle: the index of chains ends early');
    at += width;
    return readUint(view, at - width, width);
  };
  const pen = new Pen(moves, count, sx, sy, cracks);
  let y = 0;
  for (let rows = next(yWidth); rows > 0; rows--) {
    y += next(yWidth);
    let x = 0;
    for (let columns = next(xWidth); columns > 0; columns--) {
      x += next(xWidth);
      if (x > sx || y > sy)
        throw new DecodeError(
          'BAD_HEADER',
          `crackle: a chain starts at vertex ${x},${y} of a slice of ${sx},${sy}`,
        );
      pen.drawChain(x, y);
    }
  }
  return cracks;
}

/** Draws the moves of a slice, chain after chain. */
class Pen {
  #used = 0;
  readonly #branches: number[] = [];

  constructor(
    private readonly moves: Uint8Array,
    private readonly count: number,
    private readonly sx: number,
    private readonly sy: number,
    private readonly cracks: Cracks,
  ) {}

  /** Draws the next chain, from vertex x, y. */
  drawChain(x: number, y: number): void {
    const { moves, count, sx, sy } = this;
    const { words, stride, horizontal } = this.cracks;
    const branches = this.#branches;
    const mostBranches = 2 * (sx + 1) * (sy + 1); // one per edge
    let pending = NONE;
    let row = y * stride;
    for (let k = this.#used; k < count; k++) {
      const move = moves[k];
      if ((move ^ pending) === 2) {
        pending = NONE;
        if (move === RIGHT || move === DOWN) {
          if (branches.length >= 2 * mostBranches)
            throw new DecodeError('BAD_HEADER', 'crackle: a chain has more branches than there are edges');
          branches.push(x, y);
        } else if (branches.length > 0) {
          y = branches.pop()!;
          x = branches.pop()!;
          row = y * stride;
        } else {
          this.#used = k + 1;
          return;
        }
        continue;
      }
      // The pending move is not part of a control symbol, so it is drawn.
      if (pending === UP) {
        if (--y < 0) throw this.#leaveError();
        row -= stride;
        words[row + (x >>> 5)] |= 1 << x; // a shift by x counts modulo 32
      } else if (pending === DOWN) {
        if (++y > sy) throw this.#leaveError();
        words[row + (x >>> 5)] |= 1 << x;
        row += stride;
      } else if (pending === RIGHT) {
        if (x >= sx) throw this.#leaveError();
        words[horizontal + row + (x >>> 5)] |= 1 << x;
        x++;
      } else if (pending === LEFT) {
        if (--x < 0) throw this.#leaveError();
        words[horizontal + row + (x >>> 5)] |= 1 << x;
      }
      pending = move;
    }
    throw new DecodeError('TRUNCATED', 'crackle: the moves end inside a chain');
  }

  #leaveError(): DecodeError {
    return new DecodeError('BAD_HEADER', `crackle: a chain leaves a slice of ${this.sx},${this.sy} voxels`);
  }
}
