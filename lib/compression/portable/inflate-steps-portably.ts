/** Inflates a zlib stream in small steps with fflate. */
import { Unzlib, type FlateError } from 'fflate';
import type { InflateSteps } from '../inflater.ts';
import { toPortableDecodeError } from './deflate.ts';

/** Bytes of input per step. The output of a step is at most 1,032 times as large. */
const PIECE_BYTES = 4096;

/** Implements {@link InflateSteps}. */
export const inflateStepsPortably: InflateSteps = function* (pieces, onWindow) {
  const stream = new Unzlib(),
    windows: Uint8Array[] = [];
  stream.ondata = (window) => void windows.push(window);
  for (const piece of pieces)
    for (let at = 0; at < piece.length; at += PIECE_BYTES) {
      try {
        stream.push(piece.subarray(at, at + PIECE_BYTES), false);
      } catch (error) {
        throw toPortableDecodeError(error as FlateError);
      }
      for (const window of windows) if (window.length > 0 && !onWindow(window)) return;
      windows.length = 0;
      yield;
    }
};
