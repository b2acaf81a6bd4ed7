/** How many worker threads a volume starts, and when. */
import { availableParallelism } from 'node:os';
import type { WorkerPoolOptions } from './pool-options.ts';

/** More threads than this do not help: the main thread is then busy all the time. */
const MOST_THREADS = 8;
/** A thread takes about as long to start as the reading of this many small chunks. */
const FEWEST_CHUNKS = 96;

/**
 * Returns how the option `workers` is carried out.
 * @param workers Most threads. @default one per core, up to 8; on a single core, one for slow chunks only
 */
export function workerSettings(workers?: number): WorkerPoolOptions {
  const cores = availableParallelism();
  return {
    size: workers ?? Math.min(MOST_THREADS, cores),
    // On a single core, threads only take turns, which pays only where the main thread would be held for
    // long.
    fewestChunks: workers === undefined && cores === 1 ? Infinity : FEWEST_CHUNKS,
  };
}
