/** Carries out a plan: every chunk read once, every point written where it belongs. */
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

/** A chunk that failed and the points in it, ascending; undefined: all that failed and are in no other failure. */
export interface ChunkFailure {
  error: ChunkError;
  points: Uint32Array | undefined;
}

export interface ReadRequest {
  plan: PointPlan;
  source: ChunkSource;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
  /** Words of the answer, one value a channel and point. */
  out: WordArray;
  /** `failed` for every planned point to begin with: whatever ends a call, what was not read is not taken for read. */
  status: Uint8Array;
  signal?: AbortSignal;
  onProgress?: (progress: { chunks: number; chunksDone: number }) => void;
  /** Told of the points `from` to `end` of the plan, all of one chunk, once their values are written and they are `ok`. */
  checkPoints?: (ordinal: number, from: number, end: number) => void;
  /** Sees the bytes of every chunk once its points are written, and must not throw. No chunk goes by in windows then. */
  onChunkRead?: (ordinal: number, bytes: Uint8Array, codec: Codec) => PausableWork;
}

/** Points between two pauses: the first to be written each touch a page of memory of their own, which takes up to 10 microseconds. */
const STRETCH = 2048;

/**
 * Reads all planned points. Chunks are registered before the first await.
 * @throws signal.reason, or what `onProgress` threw. Failed chunks do not throw: they come back as failures.
 */
export async function readPoints(
  chunks: ChunkReader,
  request: ReadRequest,
): Promise<{ cost: ChunkCost; failures: ChunkFailure[] }> {
  const {
    plan,
    source,
    codec,
    layoutOf,
    out,
    status,
    signal,
    onProgress,
    checkPoints: judge,
    onChunkRead: look,
  } = request;
  const { cells, starts, offsets, order } = plan;
  const failures: ChunkFailure[] = [];
  const wordsPerPoint = out.length / status.length;
  /** Chunks of which values may be written that are not accepted yet. */
  const unaccepted = new Set<number>();
  let chunksDone = 0;
  const progress = new ProgressReporter(onProgress);
  const settle = (count = 1): void => {
    chunksDone += count;
    progress.report({ chunks: cells.length, chunksDone });
  };
  const pointsOf = (ordinal: number): Uint32Array => order.subarray(starts[ordinal], starts[ordinal + 1]);
  const offsetsOf = (ordinal: number): Uint32Array => offsets.subarray(starts[ordinal], starts[ordinal + 1]);
  const mark = (from: number, end: number, code: number): void => {
    for (let k = from; k < end; k++) status[order[k]] = code;
  };
  const accept = (ordinal: number, from: number, end: number): void => {
    mark(from, end, PointStatus.ok);
    judge?.(ordinal, from, end);
  };
  /** With pauses, in which a deadline may come. */
  function* acceptAll(ordinal: number): PausableWork {
    const from = starts[ordinal];
    unaccepted.add(ordinal);
    yield* inStretches(starts[ordinal + 1] - from, (a, b) => accept(ordinal, from + a, from + b));
    unaccepted.delete(ordinal);
  }
  /** A decoder may have begun. */
  const clear = (from: number, end: number): void => {
    mark(from, end, PointStatus.failed);
    for (let k = from; k < end; k++)
      for (let w = order[k] * wordsPerPoint; w < (order[k] + 1) * wordsPerPoint; w++) out[w] = 0;
  };
  const consumer: ChunkConsumer = {
    *receive(ordinal, bytes, kept = codec) {
      if (!bytes) return;
      unaccepted.delete(ordinal); // what went by in windows was not the chunk
      const layout = layoutOf(cells[ordinal]),
        first = starts[ordinal],
        last = starts[ordinal + 1];
      const size = kept.isPointwise ? STRETCH : last - first;
      for (let from = first; from < last; from += size) {
        if (from > first) yield;
        const end = Math.min(last, from + size);
        try {
          kept.decodePoints(bytes, layout, offsets.subarray(from, end), out, order.subarray(from, end));
        } catch (error) {
          clear(first, end);
          throw error;
        }
        if (size === STRETCH) accept(ordinal, from, end);
        else yield* acceptAll(ordinal);
      }
      if (look) yield* look(ordinal, bytes, kept);
    },
    windowReader(ordinal) {
      const reader = look
        ? undefined
        : codec.createStreamDecoder?.(layoutOf(cells[ordinal]), offsetsOf(ordinal), out, pointsOf(ordinal));
      if (reader) unaccepted.add(ordinal);
      return reader;
    },
    rangesOf(ordinal) {
      const voxels = offsetsOf(ordinal),
        layout = layoutOf(cells[ordinal]);
      return look || voxels.length * layout.channels > MAX_VALUES_FOR_PARTS
        ? undefined
        : codec.wantedBytes?.(layout, voxels);
    },
    *done(ordinal, stored) {
      const from = starts[ordinal],
        count = starts[ordinal + 1] - from;
      if (!stored) yield* inStretches(count, (a, b) => mark(from + a, from + b, PointStatus.missingChunk));
      else if (unaccepted.has(ordinal)) yield* acceptAll(ordinal);
      settle();
    },
    fail(ordinal, error) {
      if (unaccepted.delete(ordinal)) clear(starts[ordinal], starts[ordinal + 1]);
      failures.push({ error, points: pointsOf(ordinal) });
      settle();
    },
    failRest(count, error) {
      for (const ordinal of unaccepted) clear(starts[ordinal], starts[ordinal + 1]);
      failures.push({ error, points: undefined });
      settle(count);
    },
  };
  const cost = await chunks.read(source, cells, consumer, signal);
  progress.throwIfFailed();
  return { cost, failures };
}
