/**
 * One raw deflate stream by fflate, whose output is bounded and whose end is known. fflate tells neither where a stream ends nor that it is over:
 * both are read from its state (`s`: bit position, final block, open block; `p`: input that is left), for which its version is pinned.
 */
import { Inflate, type FlateError } from 'fflate';
import { DecodeError } from '../../base/errors.ts';
import type { PausableWork } from '../../base/cooperative-work.ts';

interface State {
  s: { p?: number; f?: number; l?: unknown };
  p: Uint8Array;
}

/** Input for one step: what comes out of it is at most 1,032 times as much. */
const PIECE_BYTES = 4096;

/** fflate's "unexpected EOF". */
const ENDED_EARLY = 0;

/**
 * @param from Where the stream begins.
 * @param onOutput Sees each piece, in order. Each has memory of its own.
 * @returns Where the stream ends.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM; what `onOutput` throws.
 */
export function* inflateRaw(
  bytes: Uint8Array,
  from: number,
  onOutput: (piece: Uint8Array) => void,
): PausableWork<number> {
  const stream = new Inflate(),
    state = stream as unknown as State;
  let thrown: unknown;
  stream.ondata = (piece) => {
    if (piece.length === 0) return;
    try {
      onOutput(piece);
    } catch (error) {
      thrown = error;
      throw error;
    }
  };
  for (let at = from; ; at += PIECE_BYTES) {
    const end = Math.min(bytes.length, at + PIECE_BYTES);
    try {
      stream.push(bytes.subarray(at, end), false);
      if (isOver(state)) return end - state.p.length + ((state.s.p ?? 0) > 0 ? 1 : 0);
    } catch (error) {
      throw thrown ?? broken(error as FlateError);
    }
    if (end === bytes.length) throw broken({ code: ENDED_EARLY } as FlateError);
    yield;
  }
}

/** The final block was read to its end. */
const isOver = ({ s }: State): boolean => Boolean(s.f) && !s.l;

const broken = ({ code, message }: FlateError): DecodeError =>
  code === ENDED_EARLY
    ? new DecodeError('TRUNCATED', 'deflate: the data end inside the stream')
    : new DecodeError('BAD_BITSTREAM', `deflate: ${message}`);
