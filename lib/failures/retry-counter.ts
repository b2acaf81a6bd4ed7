/** Whether, and when, one request is tried again. */
import { retryDelayMs } from './retry-delay.ts';
import type { RetryDecision } from './retry-decision.ts';

/** Told of each retry: tries made so far, and the pause before the next one. */
export type OnRetry = (made: number, delayMs: number) => void;

/** Requests for parts of one list that failed for good in a row, before its rest fails unasked. */
export const MAX_FAILURES_IN_A_ROW = 8;

export interface RetryOptions {
  /** Most repeats. @default 4 */
  retries?: number;
  /** First pause, of which half is random; each further one is twice as long, up to 20 s. @default 200 */
  backoffMs?: number;
  /** 0 to 1. @default Math.random */
  random?: () => number;
  onRetry?: OnRetry;
}

export class RetryCounter {
  readonly #options: RetryOptions;
  #made = 0;
  /** Of these, those that are worth one more only: a stalled server has cost 30 s already. */
  #once = 0;

  constructor(options: RetryOptions = {}) {
    this.#options = options;
  }

  /**
   * After a failure: the pause before the next try, in ms, or undefined when the failure stands.
   * @param retryAfter The reply's header.
   */
  nextDelayMs(verdict: RetryDecision, retryAfter?: string): number | undefined {
    const { retries = 4, backoffMs: firstMs = 200, random = Math.random, onRetry } = this.#options;
    const made = ++this.#made;
    if (made > retries || verdict === 'stands' || verdict === 'smaller' || verdict === 'unknown')
      return undefined;
    if (verdict !== 'wait' && ++this.#once > 1) return undefined;
    const pauseMs = retryDelayMs({
      failedTries: made,
      firstMs,
      retryAfter,
      random: random(),
      now: Date.now(),
    });
    if (pauseMs !== undefined) onRetry?.(made, pauseMs);
    return pauseMs;
  }
}
