/**
 * Inflates a zlib stream in small steps on the calling thread, with the native code of node:zlib. Its public calls
 * give either everything at once or work on the thread pool, so this drives the handle behind them, as npm's minizlib
 * and pngjs do. Where a runtime lacks that handle, fflate does the work.
 */
import { constants, createInflate, type Inflate } from 'node:zlib';
import type { InflateSteps } from '../inflater.ts';
import { inflateStepsPortably } from '../portable/inflate-steps-portably.ts';
import { toDecodeError } from './zlib.ts';

/** The parts of a zlib stream that its types leave out. */
interface Engine {
  _handle?: {
    writeSync?: (
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputBytes: number,
      output: Uint8Array,
      outputAt: number,
      outputBytes: number,
    ) => void;
  };
  /** The bytes of output that stayed free, and the bytes of input that were not used. */
  _writeState?: Uint32Array;
}

const WINDOW_BYTES = 32 * 1024;

/** Implements {@link InflateSteps}. */
export const inflateStepsWithZlib: InflateSteps = function* (pieces, onWindow) {
  const stream = createInflate() as Inflate & Engine,
    { _handle: handle, _writeState: state } = stream;
  if (typeof handle?.writeSync !== 'function' || !(state instanceof Uint32Array)) {
    stream.destroy();
    return yield* inflateStepsPortably(pieces, onWindow);
  }
  stream.on('error', () => undefined); // it is thrown below; the event comes later
  const window = new Uint8Array(WINDOW_BYTES);
  try {
    for (const piece of pieces) {
      let left = piece.length,
        free = 0;
      // Output may be left even if all input is used, as long as it fills the window.
      while (free === 0) {
        handle.writeSync(constants.Z_NO_FLUSH, piece, piece.length - left, left, window, 0, WINDOW_BYTES);
        if (stream.errored) throw toDecodeError('deflate', stream.errored, Infinity);
        [free, left] = state;
        if (free < WINDOW_BYTES && !onWindow(window.subarray(0, WINDOW_BYTES - free))) return;
        yield;
      }
      if (left > 0) return; // the stream has ended
    }
  } finally {
    stream.destroy();
  }
};
