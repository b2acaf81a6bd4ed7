/** Creates the pool of worker threads of a volume, where threads can be used. */
import type { Store } from '../storage/store.ts';
import { workerSettings } from './default-workers.ts';
import { WorkerPool } from './worker-pool.ts';

/**
 * Creates a pool. It starts no thread yet.
 * @param workers Most threads. @default see {@link workerSettings}
 * @param warn Receives a warning if threads do not start.
 * @returns Undefined where threads cannot be used, as the runtime is not Node.
 */
export function createWorkerPool(
  workers: number | undefined,
  warn: (message: string) => void,
): WorkerPool | undefined {
  const settings = workerSettings(workers);
  if (settings.size === 0 || 'Bun' in globalThis || 'Deno' in globalThis) return undefined;
  return new WorkerPool({ warn, ...settings });
}

/** Whether threads may read the chunks of a store: not those in memory or in a store of the caller's own. */
export const canUseWorkers = ({ server, url }: Store, isOwnStore: boolean): boolean =>
  !isOwnStore && (server !== undefined || url.startsWith('file://'));
