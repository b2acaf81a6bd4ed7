/** How long to wait before a retry. Pure: the time and the random number are passed in. */
import { backoffMs } from '../base/backoff.ts';

const MAX_DELAY_MS = 20_000;
/** A longer `Retry-After` means no retry at all. */
const MAX_RETRY_AFTER_MS = 120_000;

/** What is known after a failed try. */
export interface FailedTry {
  /** Failed tries so far. */
  failedTries: number;
  /** First pause in ms. Each later pause is twice as long. */
  firstMs: number;
  /** The `Retry-After` header of the reply. */
  retryAfter?: string;
  /** 0 to 1. */
  random: number;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Returns the pause before the next try in ms: the backoff or `Retry-After`, whichever is longer. Returns
 * undefined if `Retry-After` is longer than 120 s.
 */
export function retryDelayMs({
  failedTries,
  firstMs,
  retryAfter,
  random,
  now,
}: FailedTry): number | undefined {
  const requestedMs = acceptedRetryAfterMs(retryAfter, now);
  // The backoff also applies if the server, or a wrong clock, allows a retry at once.
  return requestedMs === undefined
    ? undefined
    : Math.max(requestedMs, backoffMs(failedTries, { firstMs, maxMs: MAX_DELAY_MS, random }));
}

/** Returns `Retry-After` in ms, 0 without the header, or undefined if it is longer than 120 s. */
export function acceptedRetryAfterMs(retryAfter: string | undefined, now: number): number | undefined {
  const requestedMs = parseRetryAfterMs(retryAfter, now) ?? 0;
  return requestedMs > MAX_RETRY_AFTER_MS ? undefined : requestedMs;
}

/**
 * Parses `Retry-After` into ms: seconds or an HTTP date (RFC 9110, 10.2.3). Returns undefined for anything
 * else.
 */
export function parseRetryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const date = / GMT\s*$/.test(value) ? Date.parse(value) : NaN; // Date.parse reads 10.5 as a day of 2001
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
