/** Counts the tries of a step of an upload that the HTTP client cannot retry by itself. */
import { pause } from '../../base/abort.ts';
import { RetryCounter } from '../../failures/retry-counter.ts';
import type { RetryDecision } from '../../failures/retry-decision.ts';
import type { UploadOptions } from './object-writer.ts';

/** The retries of one step. */
export class UploadRetries {
  readonly #counter: RetryCounter;
  readonly #signal: AbortSignal | undefined;

  constructor({ retries, backoffMs, signal }: UploadOptions) {
    this.#counter = new RetryCounter({ retries, backoffMs });
    this.#signal = signal;
  }

  /**
   * Waits until the step may be tried again. @returns False if it may not.
   * @throws signal.reason
   */
  async wait(decision: RetryDecision = 'wait', retryAfter?: string): Promise<boolean> {
    const delayMs = this.#counter.nextDelayMs(decision, retryAfter);
    if (delayMs === undefined) return false;
    await pause(delayMs, this.#signal);
    return true;
  }
}
