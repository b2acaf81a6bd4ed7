/**
 * The interface of another thread that makes exchanges. It may also process the body of the reply before it
 * hands it over, so that the body is processed where it arrived.
 */
import type { Cancellation } from './cancellation.ts';
import type { ExchangeOptions, ExchangeResult } from './exchange.ts';

/** What another thread does with the body of a successful reply. Only its sender and that thread read it. */
export type BodyWork = object;

/** An exchange that another thread may make: a GET without a proxy. */
export type RemoteExchangeOptions = Omit<ExchangeOptions, 'proxyName' | 'body' | 'method'>;

/** Receives the end of an exchange in another thread: one call of one of its methods. */
export interface RemoteHandlers {
  /** Undefined if no thread makes the exchange after all: it is then made in this thread. */
  readonly onResult: (result: ExchangeResult | undefined) => void;
  /** Receives the reason of the cancellation. */
  readonly onCancel: (reason: unknown) => void;
}

/** Makes exchanges in other threads. */
export interface RemoteExchange {
  /** Most exchanges that ran at once since idle connections were closed: about as many connections are open there. */
  readonly mostFetching: number;
  /** Closes the connections there that carry no request. `mostFetching` counts anew. */
  closeIdle(): void;
  /**
   * Makes one attempt, as {@link exchange} does. The reply may have a `workResult`. There are thousands of
   * these exchanges, and a promise for each layer between a thread and its caller would cost more than the
   * rest.
   * @returns False if no thread makes it: nothing is called then.
   */
  exchange(
    options: RemoteExchangeOptions,
    bodyWork: BodyWork,
    cancellation: Cancellation,
    handlers: RemoteHandlers,
  ): boolean;
}

/** Headers of a successful reply that are handed over. Other threads keep the rest to themselves. */
export const HANDED_OVER_HEADERS = [
  'content-encoding',
  'content-range',
  'content-type',
  'date',
  'etag',
  'last-modified',
  'x-goog-generation',
] as const;
