/**
 * At what pace servers are asked, and how much at a time: one for the process, which learns from what each host answers. Another may be handed
 * to whatever asks: one that workers share.
 */
import PQueue from 'p-queue';
import QuickLRU from 'quick-lru';
import { BatchSize } from './batch-size.ts';
import { Throttle, type ReleaseSlot } from './throttle.ts';

/** What is learnt of how much fits in one request. */
export type BatchLimit = Pick<BatchSize, keyof BatchSize>;

export interface Pace {
  /**
   * A request's turn: at once, or as soon as its host is not asked too much any more.
   * @param host With its port.
   * @param stop Its signal is read only where the request has to wait.
   * @throws signal.reason.
   */
  take(host: string, stop: { readonly signal?: AbortSignal }): ReleaseSlot | Promise<ReleaseSlot>;
  /**
   * Resolves when no second, wherever it begins, sees more than `perSecond` requests to the host by then.
   * @param perSecond Above 0; 0.1 is one in ten seconds. Callers that name another limit for the same host are counted apart.
   * @throws signal.reason.
   */
  allow(host: string, perSecond: number, signal?: AbortSignal): Promise<void>;
  /** How many IDs a host answers in one request of an endpoint. */
  batchSize(host: string, endpoint: string): BatchLimit;
}

/** A process that goes from server to server does not grow: a host that was forgotten is learnt again. */
const MOST_HOSTS = 1000;

/** What is known of each host, made when it is first asked. */
class ByHost<T extends object> {
  readonly #known = new QuickLRU<string, T>({ maxSize: MOST_HOSTS });

  get(key: string, make: () => T): T {
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = make()));
    return known;
  }
}

export function createPace(): Pace {
  const throttles = new ByHost<Throttle>(),
    queues = new ByHost<PQueue>(),
    sizes = new ByHost<BatchSize>();
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

/** Shared by all volumes of the process. */
export const processPace: Pace = createPace();
