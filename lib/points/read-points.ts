/** Carries out a plan: every chunk read once, every point written where it belongs. */
import type { ChunkError } from '../base/errors.ts';
import type { ChunkConsumer, ChunkCost, ChunkReader } from '../chunks/chunk-reader.ts';
import type { ChunkSource } from '../chunks/chunk-source.ts';
import { MAX_PARTS_VALUES } from '../chunks/range-cost.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import type { WordArray } from '../precomputed/data-type.ts';
import type { PointPlan } from './plan.ts';
import { PointStatus } from './status.ts';

/** A chunk that failed and the points in it, ascending. */
export interface ChunkFailure {
  error: ChunkError;
  points: Uint32Array;
}

export interface ReadRequest {
  plan: PointPlan;
  source: ChunkSource;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
  /** Words of the answer, one value a channel and point. */
  out: WordArray;
  /** `ok`, `missingChunk` or `failed` is written for every planned point. */
  status: Uint8Array;
  signal?: AbortSignal;
  onProgress?: (progress: { chunks: number; chunksDone: number }) => void;
  /** Sees the bytes of every chunk once its points are written, and must not throw. No chunk goes by in windows then. */
  look?: (ordinal: number, bytes: Uint8Array, codec: Codec) => void;
}

/**
 * Reads all planned points. Chunks are registered before the first await.
 * @throws signal.reason, or what `onProgress` threw. Failed chunks do not throw: they come back as failures.
 */
export async function readPoints(reader: ChunkReader, request: ReadRequest): Promise<{ cost: ChunkCost; failures: ChunkFailure[] }> {
  const { plan, source, codec, layoutOf, out, status, signal, onProgress, look } = request;
  const { cells, starts, offsets, order } = plan;
  const failures: ChunkFailure[] = [];
  const wordsPerPoint = out.length / status.length;
  let chunksDone = 0;
  let thrownByCaller: { error: unknown } | undefined;
  const settle = (points: Uint32Array, code: number): void => {
    for (let k = 0; k < points.length; k++) status[points[k]] = code;
    chunksDone++;
    try {
      onProgress?.({ chunks: cells.length, chunksDone });
    } catch (error) {
      thrownByCaller ??= { error }; // no fault of the chunk: told at the end
    }
  };
  const pointsOf = (ordinal: number): Uint32Array => order.subarray(starts[ordinal], starts[ordinal + 1]);
  const offsetsOf = (ordinal: number): Uint32Array => offsets.subarray(starts[ordinal], starts[ordinal + 1]);
  const consumer: ChunkConsumer = {
    take(ordinal, bytes, kept = codec) {
      if (!bytes) return;
      kept.decodePoints(bytes, layoutOf(cells[ordinal]), offsetsOf(ordinal), out, pointsOf(ordinal));
      look?.(ordinal, bytes, kept);
    },
    watch: (ordinal) => look ? undefined : codec.watchPoints?.(layoutOf(cells[ordinal]), offsetsOf(ordinal), out, pointsOf(ordinal)),
    wanted(ordinal) {
      const voxels = offsetsOf(ordinal), layout = layoutOf(cells[ordinal]);
      return look || voxels.length * layout.channels > MAX_PARTS_VALUES ? undefined : codec.wantedBytes?.(layout, voxels);
    },
    done: (ordinal, stored) => settle(pointsOf(ordinal), stored ? PointStatus.ok : PointStatus.missingChunk),
    fail(ordinal, error) {
      const points = pointsOf(ordinal);
      for (const point of points) out.fill(0, point * wordsPerPoint, (point + 1) * wordsPerPoint); // a decoder may have begun
      failures.push({ error, points: points.slice() });
      settle(points, PointStatus.failed);
    },
  };
  const cost = await reader.read(source, cells, consumer, signal);
  if (thrownByCaller) throw thrownByCaller.error;
  return { cost, failures };
}
