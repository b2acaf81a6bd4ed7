/** Whether, and when, a request that failed is sent again. Pure: the clock and the dice are passed in. */

const MAX_DELAY_MS = 20_000;
/** A server that asks for more patience than this is not waited for. */
const MAX_RETRY_AFTER_MS = 120_000;

/** What went wrong with one attempt. */
export interface Failure {
  kind: 'status' | 'connection' | 'idle' | 'final';
  /** Nothing was sent, for lack of file descriptors. */
  isShort?: true;
  status?: number;
  /** The reply's `Retry-After`. */
  retryAfter?: string;
}

/** Idle timeouts are waited out once more only: a stalled server has cost 30 s already. */
const MAX_IDLE_RETRIES = 1;

export interface Attempts {
  /** Attempts made so far, this failure included. */
  made: number;
  /** Of these, those that ended in an idle timeout. */
  idle: number;
  /** Most retries. */
  retries: number;
  /** First pause; each further one is twice as long. */
  backoffMs: number;
}

export const isRetriableStatus = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status <= 599);

/**
 * Milliseconds to wait before the next attempt, or undefined when the failure stands: exponential backoff with equal jitter
 * (half fixed, half random), or what `Retry-After` asks for where that is longer; more than 120 s is not waited for.
 */
export function delayBeforeRetry(
  failure: Failure,
  { made, idle, retries, backoffMs }: Attempts,
  random: number,
  now: number,
): number | undefined {
  if (made > retries || failure.kind === 'final') return undefined;
  if (failure.kind === 'idle' && idle > MAX_IDLE_RETRIES) return undefined;
  if (failure.kind === 'status' && !isRetriableStatus(failure.status!)) return undefined;
  const ceiling = Math.min(MAX_DELAY_MS, backoffMs * 2 ** (made - 1));
  const backoff = ceiling / 2 + (ceiling / 2) * random;
  const asked = askedDelayMs(failure.retryAfter, now);
  // A server, or a clock, that says "at once" is not hammered.
  return asked === undefined ? undefined : Math.max(asked, backoff);
}

/** What `Retry-After` asks for, 0 when it does not; undefined when it is more than is waited for. */
export function askedDelayMs(retryAfter: string | undefined, now: number): number | undefined {
  const asked = retryAfterMs(retryAfter, now) ?? 0;
  return asked > MAX_RETRY_AFTER_MS ? undefined : asked;
}

/** RFC 9110, 10.2.3: seconds or an HTTP date; anything else is ignored. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const date = / GMT\s*$/.test(value) ? Date.parse(value) : NaN; // Date.parse reads 10.5 as a day of 2001
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
