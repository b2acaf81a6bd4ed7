/** Carries out a plan: reads each chunk once, and writes the value and status of each point. */
import type { ChunkError } from '../base/errors.ts';
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import type { ChunkConsumer, ChunkCost, ChunkReader } from '../chunks/chunk-reader.ts';
import type { ChunkSource } from '../chunks/chunk-source.ts';
import { MAX_VALUES_FOR_PARTS } from '../chunks/range-cost.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import type { WordArray } from '../precomputed/data-type.ts';
import type { PointPlan } from './plan.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { PointStatus } from './status.ts';

/**
 * An error, and the indices of the points it concerns, ascending. Without `points`: every
 * failed point that is in no other failure.
 */
export interface ChunkFailure {
  error: ChunkError;
  points: Uint32Array | undefined;
}

/** What to read, and where to write it. */
export interface ReadRequest {
  plan: PointPlan;
  source: ChunkSource;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
  /** Receives the values as words, one value per channel and point. */
  out: WordArray;
  /**
   * Receives the statuses. Every planned point must start as `failed`, so that a point that was not read
   * never looks read.
   */
  status: Uint8Array;
  signal?: AbortSignal;
  onProgress?: (progress: { chunks: number; chunksDone: number }) => void;
  /**
   * Called when the points `from` to `end` of the plan, all of one chunk, have their values and the status
   * `ok`.
   */
  checkPoints?: (ordinal: number, from: number, end: number) => void;
  /**
   * Called with the bytes of each chunk when its points are written. Must not throw. Chunks are then read
   * whole.
   */
  onChunkRead?: (ordinal: number, bytes: Uint8Array, codec: Codec) => PausableWork;
}

/** Number of points between two pauses. The first write to a page of memory takes up to 10 microseconds. */
const STRETCH = 1024;

/**
 * Reads all planned points. Chunks are registered before the first await. Failed chunks do not throw: they
 * are returned as failures.
 * @throws signal.reason, or the error that `onProgress` threw.
 */
export async function readPoints(
  chunks: ChunkReader,
  request: ReadRequest,
): Promise<{ cost: ChunkCost; failures: ChunkFailure[] }> {
  const { plan, source, codec, layoutOf, out, status, signal, onProgress, checkPoints, onChunkRead } =
    request;
  const { cells, starts, offsets, order } = plan;
  const failures: ChunkFailure[] = [];
  const wordsPerPoint = out.length / status.length;
  /** Chunks that may have values in `out` that are not accepted yet. */
  const unaccepted = new Set<number>();
  let chunksDone = 0;
  const progress = new ProgressReporter(onProgress);
  const countDone = (count = 1): void => {
    chunksDone += count;
    progress.report({ chunks: cells.length, chunksDone });
  };
  const pointsOf = (ordinal: number): Uint32Array => order.subarray(starts[ordinal], starts[ordinal + 1]);
  const offsetsOf = (ordinal: number): Uint32Array => offsets.subarray(starts[ordinal], starts[ordinal + 1]);
  const setStatus = (from: number, end: number, code: number): void => {
    for (let k = from; k < end; k++) status[order[k]] = code;
  };
  const accept = (ordinal: number, from: number, end: number): void => {
    setStatus(from, end, PointStatus.ok);
    checkPoints?.(ordinal, from, end);
  };
  /** Accepts all points of a chunk, with pauses. A deadline may come in a pause. */
  function* acceptAll(ordinal: number): PausableWork {
    const from = starts[ordinal];
    unaccepted.add(ordinal);
    yield* inStretches(starts[ordinal + 1] - from, (a, b) => accept(ordinal, from + a, from + b));
    unaccepted.delete(ordinal);
  }
  /** Marks points as failed and clears their values: a decoder may have written some. */
  const clearPoints = (from: number, end: number): void => {
    setStatus(from, end, PointStatus.failed);
    for (let k = from; k < end; k++)
      for (let w = order[k] * wordsPerPoint; w < (order[k] + 1) * wordsPerPoint; w++) out[w] = 0;
  };
  function* finish(ordinal: number, stored: boolean): PausableWork {
    const from = starts[ordinal],
      count = starts[ordinal + 1] - from;
    if (stored) yield* acceptAll(ordinal);
    else yield* inStretches(count, (a, b) => setStatus(from + a, from + b, PointStatus.missingChunk));
    countDone();
  }
  const consumer: ChunkConsumer = {
    *receive(ordinal, bytes, chunkCodec = codec) {
      if (!bytes) return;
      unaccepted.delete(ordinal); // the windows seen before were not this chunk
      const layout = layoutOf(cells[ordinal]),
        first = starts[ordinal],
        last = starts[ordinal + 1];
      const size = chunkCodec.isPointwise ? STRETCH : last - first;
      for (let from = first; from < last; from += size) {
        if (from > first) yield;
        const end = Math.min(last, from + size);
        try {
          const decoding = chunkCodec.decodePoints(
            bytes,
            layout,
            offsets.subarray(from, end),
            out,
            order.subarray(from, end),
          );
          if (decoding) {
            unaccepted.add(ordinal); // a deadline may come in a pause
            yield* decoding;
          }
        } catch (error) {
          clearPoints(first, end);
          throw error;
        }
        if (size === STRETCH) accept(ordinal, from, end);
        else yield* acceptAll(ordinal);
      }
      if (onChunkRead) yield* onChunkRead(ordinal, bytes, chunkCodec);
    },
    voxelsOf: (ordinal) => (onChunkRead ? undefined : offsetsOf(ordinal)),
    receiveValues(ordinal, values) {
      const first = starts[ordinal],
        count = starts[ordinal + 1] - first;
      const receive = (from: number, end: number): void => {
        if (wordsPerPoint === 2 && out instanceof Uint32Array && values instanceof Uint32Array)
          movePairs(values.subarray(2 * from, 2 * end), order.subarray(first + from, first + end), out);
        else
          for (let k = from; k < end; k++)
            for (let w = 0; w < wordsPerPoint; w++)
              out[order[first + k] * wordsPerPoint + w] = values[k * wordsPerPoint + w];
        accept(ordinal, first + from, first + end);
      };
      return count <= STRETCH ? receive(0, count) : inStretches(count, receive, STRETCH);
    },
    windowReader(ordinal) {
      const reader = onChunkRead
        ? undefined
        : codec.createStreamDecoder?.(layoutOf(cells[ordinal]), offsetsOf(ordinal), out, pointsOf(ordinal));
      if (reader) unaccepted.add(ordinal);
      return reader;
    },
    rangesOf(ordinal) {
      if (!codec.wantedBytes) return undefined;
      const voxels = offsetsOf(ordinal),
        layout = layoutOf(cells[ordinal]);
      return onChunkRead || voxels.length * layout.channels > MAX_VALUES_FOR_PARTS
        ? undefined
        : codec.wantedBytes(layout, voxels);
    },
    done(ordinal, stored) {
      if (stored && !unaccepted.has(ordinal)) return countDone();
      return finish(ordinal, stored);
    },
    fail(ordinal, error) {
      if (unaccepted.delete(ordinal)) clearPoints(starts[ordinal], starts[ordinal + 1]);
      failures.push({ error, points: pointsOf(ordinal) });
      countDone();
    },
    failRest(count, error) {
      for (const ordinal of unaccepted) clearPoints(starts[ordinal], starts[ordinal + 1]);
      failures.push({ error, points: undefined });
      countDone(count);
    },
  };
  const cost = await chunks.read(source, cells, consumer, signal);
  progress.throwIfFailed();
  return { cost, failures };
}

/** Moves 64-bit values to their places: in a function of its own, V8 makes the loop faster. */
function movePairs(values: Uint32Array, places: Uint32Array, out: Uint32Array): void {
  for (let k = 0; k < places.length; k++) {
    const to = 2 * places[k];
    out[to] = values[2 * k];
    out[to + 1] = values[2 * k + 1];
  }
}
