/**
 * Calls that end in time. Whoever reads many things tells a deadline from any other abort by the signal's reason: an abort throws away what
 * was read, a deadline keeps it, and what is missing has failed with a DeadlineError that says how much that is.
 */
import { withJointSignal } from './abort.ts';
import { DeadlineError } from './errors.ts';

/** Most that a timer can wait, some 24 days. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * What `call` gives, or throws, when it is handed a signal of its own that also aborts after `timeoutMs`. No timer and no listener stays.
 * @param signals Those that end it otherwise.
 * @param endingMs How long the call needs to end once its signal has aborted: the signal aborts earlier by that, by half of the time at most.
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

/** The deadline that has ended a signal. @throws signal.reason, if it was ended by anything else. */
export function deadlineReason(signal: AbortSignal | undefined): DeadlineError | undefined {
  if (!signal?.aborted) return undefined;
  if (signal.reason instanceof DeadlineError) return signal.reason;
  throw signal.reason as Error;
}
