/**
 * Replaces lib/workers/default-workers.ts in `npm run test:workers`: each volume that may use worker threads
 * uses two, from its first chunk on.
 */
import type { WorkerPoolOptions } from '../lib/workers/pool-options.ts';

export const workerSettings = (workers = 2): WorkerPoolOptions => ({
  size: workers,
  fewestChunks: 1,
  isPatient: true,
  maxFailedStarts: 1,
  warn: (message) => {
    throw new Error(message); // otherwise one thread would do all the work, and every spec would pass
  },
});
