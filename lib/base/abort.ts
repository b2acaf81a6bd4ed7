/**
 * Abort signals: listeners that many callers share, several signals joined into one, and work and pauses that
 * end with a signal.
 */

interface SharedListener {
  acts: Set<() => void>;
  listener: () => void;
}

/** The shared listener of each signal. */
const listening = new WeakMap<AbortSignal, SharedListener>();

/**
 * Calls `act` when a signal aborts, or at once if it has aborted already. All callers of one signal share one
 * listener, so thousands may wait.
 * @returns A function that removes `act` again.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act();
    return () => undefined;
  }
  const { acts, listener } = listening.get(signal) ?? listen(signal);
  const own = (): void => act(); // a Set would keep the same function once, even if it was passed twice
  acts.add(own);
  return () => {
    if (!acts.delete(own) || acts.size > 0) return;
    listening.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

function listen(signal: AbortSignal): SharedListener {
  const acts = new Set<() => void>();
  const listener = (): void => {
    listening.delete(signal);
    for (const act of acts) act();
  };
  signal.addEventListener('abort', listener, { once: true });
  const made = { acts, listener };
  listening.set(signal, made);
  return made;
}

/**
 * Runs `call` with a controller whose signal aborts with the first of `signals`, and returns its result.
 *
 * A listener holds each signal until `call` ends. `AbortSignal.any` does not hold its sources: an
 * `AbortSignal.timeout` that nothing else holds may be garbage-collected before it fires.
 * @throws What `call` throws.
 */
export async function withJointSignal<T>(
  signals: readonly (AbortSignal | undefined)[],
  call: (joint: AbortController) => Promise<T>,
): Promise<T> {
  const joint = new AbortController();
  const given = signals.filter((signal) => signal !== undefined);
  const releases = given.map((signal) => onAbort(signal, () => joint.abort(signal.reason)));
  try {
    return await call(joint);
  } finally {
    for (const release of releases) release();
  }
}

/**
 * Returns a promise that follows `work` but rejects with `signal.reason` as soon as the signal aborts. The
 * work itself continues: `onLeave` tells its owner that this caller has left. The listener is always removed.
 */
export function leaveOnAbort<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onLeave: () => void,
): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const release = onAbort(signal, () => {
      onLeave();
      reject(signal.reason as Error);
    });
    // This also handles a rejection that comes after the caller has left.
    work.then(
      (value) => (release(), resolve(value)),
      (error: unknown) => (release(), reject(error as Error)),
    );
  });
}

/** Waits `ms` milliseconds. @throws signal.reason as soon as the signal aborts; the timer is then cleared. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      release?.();
      resolve();
    }, ms);
    const release =
      signal &&
      onAbort(signal, () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
  });
