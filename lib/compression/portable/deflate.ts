/**
 * Decompresses one raw deflate stream with fflate and finds where it ends. fflate does not report the end of
 * a stream, so it is read from fflate's internal state (`s`: bit position, final block, open block; `p`:
 * input that is left). Its version is pinned for this reason.
 */
import { Inflate, type FlateError } from 'fflate';
import { DecodeError } from '../../base/errors.ts';
import type { PausableWork } from '../../base/cooperative-work.ts';

interface State {
  s: { p?: number; f?: number; l?: unknown };
  p: Uint8Array;
}

/** Bytes of input per step. The output of a step is at most 1,032 times as large. */
const PIECE_BYTES = 4096;

/** fflate's "unexpected EOF". */
const ENDED_EARLY = 0;

/**
 * Decompresses the stream that begins at byte `from`.
 *
 * @param onOutput Receives each piece of the output, in order. Each piece has memory of its own.
 * @returns Where the stream ends.
 * @throws DecodeError TRUNCATED or BAD_BITSTREAM; what `onOutput` throws.
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
      throw thrown ?? toPortableDecodeError(error as FlateError);
    }
    if (end === bytes.length) throw toPortableDecodeError({ code: ENDED_EARLY } as FlateError);
    yield;
  }
}

/** Tells whether the final block was read to its end. */
const isOver = ({ s }: State): boolean => Boolean(s.f) && !s.l;

/** Turns an error of fflate into a DecodeError. */
export const toPortableDecodeError = ({ code, message }: FlateError): DecodeError =>
  code === ENDED_EARLY
    ? new DecodeError('TRUNCATED', 'deflate: the data ends inside the stream')
    : new DecodeError('BAD_BITSTREAM', `deflate: ${message}`);
