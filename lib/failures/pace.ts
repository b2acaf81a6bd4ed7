/**
 * The pace of requests: how many run at once towards each host, and how many IDs each request holds. One pace
 * serves the whole process and learns from the replies of each host.
 */
import PQueue from 'p-queue';
import QuickLRU from 'quick-lru';
import { BatchSize } from './batch-size.ts';
import { Throttle, type ReleaseSlot } from './throttle.ts';

/** The learned limit of how many IDs fit in one request to an endpoint. */
export interface BatchLimit {
  /** Most IDs for one request, at least 1. Infinity while no limit is known. */
  readonly limit: number;
  /**
   * Records a request of `count` IDs that was answered.
   * @param wanted How many IDs the request would have held without a limit.
   */
  succeeded(count: number, wanted: number): void;
  /** Records a request of `count` IDs that was too large or took too long. */
  failed(count: number): void;
}

/**
 * Limits requests per host. The option `pace` of `openGraphene` and `openPrecomputed` replaces the default,
 * for example with a pace that several workers share.
 */
export interface Pace {
  /**
   * Reserves a slot for one request. Returns at once, or a promise if the host has reached its limit. Call
   * the returned function once, when the request has ended, with what the request showed about the server.
   * @param host Host name with port.
   * @param stop Holds the signal of the request. The signal is read only if the request has to wait.
   * @throws signal.reason.
   */
  take(host: string, stop: { readonly signal?: AbortSignal }): ReleaseSlot | Promise<ReleaseSlot>;
  /**
   * Resolves as soon as one more request keeps the host at or below `perSecond` requests in any second.
   * @param perSecond Above 0; 0.1 means one request in ten seconds. Each different limit for a host is
   *   counted separately.
   * @throws signal.reason.
   */
  allow(host: string, perSecond: number, signal?: AbortSignal): Promise<void>;
  /** Returns the learned limit of IDs in one request to an endpoint of a host. */
  batchSize(host: string, endpoint: string): BatchLimit;
}

/** Bounds the memory of a process that uses many servers. A host that was dropped is learned again. */
const MAX_HOSTS = 1000;

/** One value per host, created on first use. The host that was used least recently is dropped first. */
class PerHost<T extends object> {
  readonly #values = new QuickLRU<string, T>({ maxSize: MAX_HOSTS });

  get(key: string, make: () => T): T {
    let value = this.#values.get(key);
    if (!value) this.#values.set(key, (value = make()));
    return value;
  }
}

/** Creates a pace that has learned nothing yet. */
export function createPace(): Pace {
  const throttles = new PerHost<Throttle>(),
    queues = new PerHost<PQueue>(),
    sizes = new PerHost<BatchSize>();
  return {
    take: (host, stop) => throttles.get(host, () => new Throttle()).take(stop),
    async allow(host, perSecond, signal) {
      const queue = queues.get(`${perSecond} to ${host}`, () => {
        const intervalCap = Math.max(1, Math.floor(perSecond));
        return new PQueue({ intervalCap, interval: (1000 * intervalCap) / perSecond, strict: true });
      });
      await queue.add(() => undefined, { signal });
    },
    batchSize: (host, endpoint) => sizes.get(`${endpoint} of ${host}`, () => new BatchSize()),
  };
}

/** The pace that all volumes of the process share. */
export const processPace: Pace = createPace();
