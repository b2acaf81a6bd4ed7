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
    const leave = (): void => {
      onLeave();
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      work.catch(() => undefined); // nobody waits for it any more
      return leave();
    }
    signal.addEventListener('abort', leave, { once: true });
    const done = (): void => signal.removeEventListener('abort', leave);
    work.then(
      (value) => (done(), resolve(value)),
      (error: unknown) => (done(), reject(error as Error)),
    );
  });
}
