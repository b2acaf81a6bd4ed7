/** A process, or its machine, that has no file descriptor left: that passes, as soon as others are closed. */
import { leaveOnAbort, pause } from './abort.ts';
import { backoffMs } from './backoff.ts';

const CODES = ['EMFILE', 'ENFILE'];

export const isDescriptorShortage = (error: unknown): boolean =>
  CODES.includes((error as { code?: unknown } | undefined)?.code as string);

export interface ShortageRetryOptions {
  signal?: AbortSignal;
  /** @default setTimeout */
  wait?: (ms: number) => Promise<void>;
  /** 0 to 1. @default Math.random */
  random?: () => number;
}

/** Pauses of 50 ms to 2 s, each up to twice the one before: some 6 s in all. */
const FIRST_MS = 50,
  MOST_MS = 2000,
  TIMES = 8;

/**
 * What `work` gives; where it fails for lack of descriptors it is done again, some times, after a pause.
 * @throws what `work` throws otherwise, or the last time; `signal.reason`.
 */
export async function retryOnShortage<T>(
  work: () => T | Promise<T>,
  { signal, wait = pause, random = Math.random }: ShortageRetryOptions = {},
): Promise<T> {
  for (let made = 1; ; made++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isDescriptorShortage(error) || made > TIMES) throw error;
    }
    const ms = backoffMs(made, { firstMs: FIRST_MS, mostMs: MOST_MS, random: random() });
    await leaveOnAbort(wait(ms), signal, () => undefined);
  }
}
