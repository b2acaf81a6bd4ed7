/** Counts the tries of one request, and says whether and when it is retried. */
import { retryDelayMs } from './retry-delay.ts';
import type { RetryDecision } from './retry-decision.ts';

/** Called before each retry, with the number of tries so far and the pause before the next one in ms. */
export type OnRetry = (made: number, delayMs: number) => void;

/** After this many permanent failures in a row, the rest of a list fails without a request. */
export const MAX_FAILURES_IN_A_ROW = 8;

/** How often and how soon a request is retried. */
export interface RetryOptions {
  /** Most retries. @default 4 */
  retries?: number;
  /** First pause in ms; half of it is random. Each later pause is twice as long, up to 20 s. @default 200 */
  backoffMs?: number;
  /** Returns a random number from 0 to 1. @default Math.random */
  random?: () => number;
  onRetry?: OnRetry;
}

/** Counts the failures of one request. */
export class RetryCounter {
  readonly #options: RetryOptions;
  #failures = 0;
  /** Failures that allow only one retry. A stalled server, for example, has already cost 30 s. */
  #onceFailures = 0;

  constructor(options: RetryOptions = {}) {
    this.#options = options;
  }

  /**
   * Counts a failure. Returns the pause before the next try in ms, or undefined if there is no further try.
   * @param retryAfter The `Retry-After` header of the reply.
   */
  nextDelayMs(decision: RetryDecision, retryAfter?: string): number | undefined {
    const { retries = 4, backoffMs: firstMs = 200, random = Math.random, onRetry } = this.#options;
    const failedTries = ++this.#failures;
    if (failedTries > retries || decision === 'final' || decision === 'splitOnly' || decision === 'unknown')
      return undefined;
    if (decision !== 'wait' && ++this.#onceFailures > 1) return undefined;
    const pauseMs = retryDelayMs({ failedTries, firstMs, retryAfter, random: random(), now: Date.now() });
    if (pauseMs !== undefined) onRetry?.(failedTries, pauseMs);
    return pauseMs;
  }
}
