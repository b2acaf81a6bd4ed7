/** Work and pauses that end with a signal, and signals that act as one. */

interface SharedListener {
  acts: Set<() => void>;
  listener: () => void;
}

/** By signal: what acts when it aborts. */
const listening = new WeakMap<AbortSignal, SharedListener>();

/**
 * Acts when a signal aborts, or at once if it has. All who wait for one signal share one listener, so that many thousands may.
 * @returns What takes it back.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act();
    return () => undefined;
  }
  const { acts, listener } = listening.get(signal) ?? listen(signal);
  const own = (): void => act(); // the same function may be given twice
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
 * What `call` gives, or throws, when it is handed a signal of its own that aborts with the first of `signals`. Until it ends, a listener holds
 * each of them: `AbortSignal.any` does not, and an `AbortSignal.timeout` that nobody else holds may be collected before its time.
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
 * A promise that follows `work` but rejects with `signal.reason` as soon as the signal aborts. The work itself goes on:
 * `onLeave` tells its owner that this caller is gone. The listener is always removed.
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
    // Also when nobody waits for it any more: a rejection must not be left unhandled.
    work.then(
      (value) => (release(), resolve(value)),
      (error: unknown) => (release(), reject(error as Error)),
    );
  });
}

/** @throws signal.reason as soon as the signal aborts; no timer stays. */
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
