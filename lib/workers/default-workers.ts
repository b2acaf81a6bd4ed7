/** How many worker threads a volume starts, and when. */
import { availableParallelism } from 'node:os';
import type { WorkerPoolOptions } from './worker-pool.ts';

/** More threads than this do not help: the main thread is then busy all the time. */
const MOST_THREADS = 8;
/** A thread takes about as long to start as the reading of this many small chunks. */
const FEWEST_CHUNKS = 96;

/** On a single core, threads only take turns. */
const usefulThreads = (cores: number): number => (cores > 1 ? Math.min(MOST_THREADS, cores) : 0);

/**
 * Returns how the option `workers` is carried out.
 * @param workers Most threads. @default one per core, up to 8; none on a single core
 */
export const workerSettings = (workers?: number): Omit<WorkerPoolOptions, 'file'> => ({
  size: workers ?? usefulThreads(availableParallelism()),
  fewestChunks: FEWEST_CHUNKS,
});
