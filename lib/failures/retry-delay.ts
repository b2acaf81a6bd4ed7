/** How long to wait before the next try. Pure: the clock and the dice are passed in. */
import { backoffMs } from '../base/backoff.ts';

const MAX_DELAY_MS = 20_000;
/** A server that asks for more patience than this is not waited for. */
const MAX_RETRY_AFTER_MS = 120_000;

export interface FailedTry {
  /** Tries made so far that failed. */
  failedTries: number;
  /** First pause; each further one is twice as long. */
  firstMs: number;
  /** The reply's `Retry-After`. */
  retryAfter?: string;
  /** 0 to 1. */
  random: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** Backoff, or what `Retry-After` asks for where that is longer; undefined when it is more than is waited for. */
export function retryDelayMs({
  failedTries: made,
  firstMs,
  retryAfter,
  random,
  now,
}: FailedTry): number | undefined {
  const asked = acceptedRetryAfterMs(retryAfter, now);
  // A server, or a clock, that says "at once" is not hammered.
  return asked === undefined
    ? undefined
    : Math.max(asked, backoffMs(made, { firstMs, maxMs: MAX_DELAY_MS, random }));
}

/** What `Retry-After` asks for, 0 when it does not; undefined when it is more than is waited for. */
export function acceptedRetryAfterMs(retryAfter: string | undefined, now: number): number | undefined {
  const asked = parseRetryAfterMs(retryAfter, now) ?? 0;
  return asked > MAX_RETRY_AFTER_MS ? undefined : asked;
}

/** RFC 9110, 10.2.3: seconds or an HTTP date; anything else is ignored. */
export function parseRetryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const date = / GMT\s*$/.test(value) ? Date.parse(value) : NaN; // Date.parse reads 10.5 as a day of 2001
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
