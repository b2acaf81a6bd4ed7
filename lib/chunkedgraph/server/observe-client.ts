/** The same client, whose requests for roots are told to an observer. */
import type { Observer, RootRequestEvent } from '../../base/volume-events.ts';
import type { ChunkedGraphClient } from './chunkedgraph-client.ts';

type RootClient = Pick<ChunkedGraphClient, 'roots' | 'currentRoots' | 'clock'>;

const ID_BYTES = 8;

export function observeClient(client: RootClient, observe: Observer): RootClient {
  const told = async (
    endpoint: RootRequestEvent['endpoint'],
    ids: BigUint64Array,
    timestampMs: number,
    ask: () => Promise<BigUint64Array>,
  ): Promise<BigUint64Array> => {
    const began = performance.now();
    const tell = (answered: number, error?: unknown): void =>
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
      const roots = await ask();
      tell(roots.length);
      return roots;
    } catch (error) {
      tell(0, error);
      throw error;
    }
  };
  return {
    clock: client.clock,
    roots: (ids, question) => told('roots', ids, question.timestampMs, () => client.roots(ids, question)),
    currentRoots: (ids, question) =>
      told('is_latest_roots', ids, question.timestampMs, () => client.currentRoots(ids, question)),
  };
}
