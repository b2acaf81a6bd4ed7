/** Wraps a client so that each of its root requests is reported to an observer. */
import type { Observer, RootRequestEvent } from '../../base/volume-events.ts';
import type { ChunkedGraphClient } from './chunkedgraph-client.ts';

type RootClient = Pick<ChunkedGraphClient, 'roots' | 'currentRoots' | 'clock'>;

const ID_BYTES = 8;

/** Returns a client that does the same and reports each root request, with its size, duration and error. */
export function observeClient(client: RootClient, observe: Observer): RootClient {
  const observed = async (
    endpoint: RootRequestEvent['endpoint'],
    ids: BigUint64Array,
    timestampMs: number,
    send: () => Promise<BigUint64Array>,
  ): Promise<BigUint64Array> => {
    const began = performance.now();
    const report = (answered: number, error?: unknown): void =>
      observe({
        type: 'rootRequest',
        endpoint,
        ids: ids.length,
        timestamp: new Date(timestampMs),
        bytes: ID_BYTES * (ids.length + answered),
        ms: performance.now() - began,
        ...(error !== undefined && { error }),
      });
    try {
      const roots = await send();
      report(roots.length);
      return roots;
    } catch (error) {
      report(0, error);
      throw error;
    }
  };
  return {
    clock: client.clock,
    roots: (ids, request) => observed('roots', ids, request.timestampMs, () => client.roots(ids, request)),
    currentRoots: (ids, request) =>
      observed('is_latest_roots', ids, request.timestampMs, () => client.currentRoots(ids, request)),
  };
}
