/**
 * Calls that end in time. Whoever reads many things tells a deadline from any other abort by the signal's reason: an abort throws away what
 * was read, a deadline keeps it, and what is missing has failed with a DeadlineError that says how much that is.
 */
import { DeadlineError } from './errors.ts';

/** Most that a timer can wait, some 24 days. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** @throws RangeError for what a timer cannot wait. */
export function checkTimeout(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined) return undefined;
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1))
    throw new RangeError(
      `timeoutMs must be a whole number from 1, not ${typeof timeoutMs === 'number' ? String(timeoutMs) : (JSON.stringify(timeoutMs) ?? typeof timeoutMs)}`,
    );
  if (timeoutMs > MAX_TIMEOUT_MS)
    throw new RangeError(`timeoutMs must be at most ${MAX_TIMEOUT_MS}, not ${timeoutMs}`);
  return timeoutMs;
}

/**
 * What `call` gives, or throws, when it is handed a signal that also aborts after `timeoutMs`. No timer stays.
 * @param signals Those that end it otherwise.
 */
export async function within<T>(
  timeoutMs: number | undefined,
  signals: readonly (AbortSignal | undefined)[],
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const given = signals.filter((signal) => signal !== undefined);
  if (timeoutMs === undefined) return call(given.length === 1 ? given[0] : AbortSignal.any(given));
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlineError(timeoutMs)), timeoutMs);
  try {
    return await call(AbortSignal.any([...given, deadline.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** The deadline that has ended a signal. @throws signal.reason, if it was ended by anything else. */
export function deadlineOf(signal: AbortSignal | undefined): DeadlineError | undefined {
  if (!signal?.aborted) return undefined;
  if (signal.reason instanceof DeadlineError) return signal.reason;
  throw signal.reason as Error;
}
