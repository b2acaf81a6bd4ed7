/** Runs requests side by side, and repeats those that a busy service refused. */
import { ServiceError } from './service-error.ts';

export interface ParallelOptions {
  readonly signal: AbortSignal;
  /** Requests in flight. @default 4 */
  readonly width?: number;
  /** Times that one request is repeated. @default 6 */
  readonly repeats?: number;
  /** Told when the service asks to wait. */
  readonly onWait?: (ms: number, error: ServiceError) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The first pause, if the service names none. Each later one is twice as long. */
const FIRST_PAUSE_MS = 500;

/**
 * Calls `run` for each item, in order, a few at a time. The first failure ends the rest.
 *
 * @throws what a request threw at last, or the reason of the signal.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  run: (item: Item, signal: AbortSignal) => Promise<void>,
  { signal, width = 4, repeats = 6, onWait, sleep }: ParallelOptions,
): Promise<void> {
  const stop = new AbortController(),
    all = AbortSignal.any([signal, stop.signal]);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      all.throwIfAborted();
      const item = items[next++];
      for (let attempt = 0; ; attempt++)
        try {
          await run(item, all);
          break;
        } catch (error) {
          if (!(error instanceof ServiceError) || !error.isPassing || attempt >= repeats || all.aborted)
            throw error;
          const pause = error.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** attempt;
          onWait?.(pause, error);
          await sleep(pause, all);
        }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(width, items.length) }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

/** Waits, or throws the reason of the signal. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
