/** At most so many requests a second to one host, whoever asks in this process. */
import PQueue from 'p-queue';
import QuickLRU from 'quick-lru';

/** Of hosts asked long ago nothing has to be kept: theirs are empty. */
const queues = new QuickLRU<string, PQueue>({ maxSize: 1000 });

/**
 * Resolves when the next request may be sent: no second, wherever it begins, sees more than `perSecond` of them.
 * Callers that name another limit for the same host are counted apart.
 * @param perSecond Above 0; 0.1 is one in ten seconds.
 * @throws signal.reason.
 */
export async function untilAllowed(
  host: string,
  perSecond: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const key = `${perSecond} to ${host}`;
  let queue = queues.get(key);
  if (!queue) {
    const intervalCap = Math.max(1, Math.floor(perSecond));
    queues.set(
      key,
      (queue = new PQueue({ intervalCap, interval: (1000 * intervalCap) / perSecond, strict: true })),
    );
  }
  await queue.add(() => undefined, { signal });
}
