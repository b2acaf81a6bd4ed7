/** The wait before a retry: exponential backoff with equal jitter (half fixed, half random). Pure. */

/**
 * Computes the wait before the next attempt, in milliseconds.
 *
 * @param attempts Attempts made so far, from 1.
 * @param random A random number from 0 to 1.
 */
export function backoffMs(
  attempts: number,
  { firstMs, maxMs, random }: { firstMs: number; maxMs: number; random: number },
): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** (attempts - 1));
  return ceiling / 2 + (ceiling / 2) * random;
}
