/**
 * Calls with a deadline. The signal's reason tells a deadline from any other abort: an abort discards what
 * was read, a deadline keeps it, and the missing part fails with a DeadlineError that says how much is
 * missing.
 */
import { withJointSignal } from './abort.ts';
import { DeadlineError } from './errors.ts';

/** The longest time that a timer can wait: about 24 days. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Runs `call` with a signal that aborts with the first of `signals`, or with a DeadlineError after
 * `timeoutMs`. Returns its result. The timer and the listeners are always removed.
 *
 * @param timeoutMs The time limit; undefined for none.
 * @param signals Other signals that end the call.
 * @param endingMs Time that the call needs to end after its signal has aborted. The signal aborts that much
 *   earlier, but at most half of `timeoutMs` earlier.
 * @throws What `call` throws.
 */
export async function withDeadline<T>(
  timeoutMs: number | undefined,
  signals: readonly (AbortSignal | undefined)[],
  call: (signal: AbortSignal) => Promise<T>,
  endingMs = 0,
): Promise<T> {
  return withJointSignal(signals, async (joint) => {
    if (timeoutMs === undefined) return call(joint.signal);
    const timer = setTimeout(
      () => joint.abort(new DeadlineError(timeoutMs)),
      timeoutMs - Math.min(endingMs, timeoutMs / 2),
    );
    try {
      return await call(joint.signal);
    } finally {
      clearTimeout(timer);
    }
  });
}

/**
 * Returns the DeadlineError that aborted a signal; undefined if the signal has not aborted.
 * @throws signal.reason if it is any other reason.
 */
export function deadlineReason(signal: AbortSignal | undefined): DeadlineError | undefined {
  if (!signal?.aborted) return undefined;
  if (signal.reason instanceof DeadlineError) return signal.reason;
  throw signal.reason as Error;
}
