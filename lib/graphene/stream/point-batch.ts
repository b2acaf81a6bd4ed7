/** The batches of a stream: their points, in one form. */
import { isTypedArray } from '../../base/typed-array.ts';
import { toPointSource, type PointInput, type PointSource } from '../../points/point-input.ts';
import type { StreamBatch } from './stream-types.ts';

/** A batch, as the source gave it, and its points. */
export interface ReadBatch<Batch> {
  index: number;
  batch: Batch;
  source: PointSource;
}

/** Reads the points of a batch. @throws TypeError that names the batch. */
export function readBatch<Batch extends StreamBatch>(
  batch: Batch,
  index: number,
  options: { borrow?: boolean },
): ReadBatch<Batch> {
  try {
    return { index, batch, source: toPointSource(pointsOf(batch), options) };
  } catch (error) {
    throw new TypeError(`batch ${index} of the stream: ${(error as Error).message}`, { cause: error });
  }
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint';

function pointsOf(batch: StreamBatch): PointInput {
  if (typeof batch !== 'object' || batch === null || isTypedArray(batch)) return batch;
  if (Array.isArray(batch)) return batch.length === 3 && isNumber(batch[0]) ? [batch] : (batch as PointInput);
  if ('points' in batch) return pointsOf(batch.points);
  return 'x' in batch && isNumber(batch.x) ? ([batch] as PointInput) : (batch as PointInput);
}

/** Checks the source of a stream before anything is read. @throws TypeError. */
export function checkStreamSource(source: unknown): void {
  const what = 'the source of a stream is an iterable or an async iterable of batches of points';
  if (typeof source === 'function') throw new TypeError(`${what}, not a function: call it first`);
  if (
    typeof source !== 'object' ||
    source === null ||
    !(Symbol.asyncIterator in source || Symbol.iterator in source)
  )
    throw new TypeError(what);
  if (isTypedArray(source)) throw new TypeError(`${what}, not a typed array: pass [points] for one batch`);
  // Its pieces are bytes, which would be taken for coordinates.
  if ('readableObjectMode' in source && source.readableObjectMode === false)
    throw new TypeError(`${what}, not a stream of bytes: its objectMode is false`);
}
