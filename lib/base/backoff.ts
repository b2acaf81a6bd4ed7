/** How long to wait before trying again, where nobody says so: exponential backoff with equal jitter (half fixed, half random). Pure. */

/**
 * @param made Tries made so far, from 1.
 * @param random 0 to 1.
 */
export function backoffMs(
  made: number,
  { firstMs, mostMs: maxMs, random }: { firstMs: number; mostMs: number; random: number },
): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** (made - 1));
  return ceiling / 2 + (ceiling / 2) * random;
}
