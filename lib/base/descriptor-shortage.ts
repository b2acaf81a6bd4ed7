/**
 * File operations that failed because the process, or the machine, has no file descriptor left. They are
 * retried until others are closed.
 */
import { leaveOnAbort, pause } from './abort.ts';
import { backoffMs } from './backoff.ts';

const CODES = ['EMFILE', 'ENFILE'];

/** Tells whether an error means that no file descriptor is left. */
export const isDescriptorShortage = (error: unknown): boolean =>
  CODES.includes((error as { code?: unknown } | undefined)?.code as string);

/** Options of {@link retryOnShortage}. */
export interface ShortageRetryOptions {
  signal?: AbortSignal;
  /** Waits before the next attempt. @default setTimeout */
  wait?: (ms: number) => Promise<void>;
  /** Returns a random number from 0 to 1. @default Math.random */
  random?: () => number;
}

/** Pauses of 50 ms to 2 s, each up to twice as long as the one before: about 6 s in total. */
const FIRST_PAUSE_MS = 50,
  MAX_PAUSE_MS = 2000,
  MAX_RETRIES = 8;

/**
 * Runs `work` and returns its result. If it fails for lack of file descriptors, it is retried up to 8 times,
 * each time after a pause.
 * @throws Any other error of `work`, the error of its last attempt, or `signal.reason`.
 */
export async function retryOnShortage<T>(
  work: () => T | Promise<T>,
  { signal, wait = pause, random = Math.random }: ShortageRetryOptions = {},
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isDescriptorShortage(error) || attempts > MAX_RETRIES) throw error;
    }
    const ms = backoffMs(attempts, { firstMs: FIRST_PAUSE_MS, maxMs: MAX_PAUSE_MS, random: random() });
    await leaveOnAbort(wait(ms), signal, () => undefined);
  }
}
