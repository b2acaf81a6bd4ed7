/** Adds up the statistics of look-ups. */
import type { LookupStats } from '../points/result.ts';

/** Returns statistics with all numbers 0. */
export const emptyStats = (): LookupStats => ({
  points: 0,
  chunks: 0,
  requests: 0,
  bytes: 0,
  cacheHits: 0,
  absentBy403: 0,
  rootRequests: 0,
  distinctSupervoxels: 0,
  ms: { plan: 0, chunks: 0, roots: 0, total: 0 },
});

/** Adds every number of `part` to `sum`, at any depth. */
export function addStats<T extends object>(sum: T, part: T): void {
  for (const key of Object.keys(part) as (keyof T)[]) {
    const value = part[key];
    if (typeof value === 'number')
      (sum as Record<keyof T, unknown>)[key] = ((sum[key] as number | undefined) ?? 0) + value;
    else if (typeof value === 'object' && value !== null)
      addStats(((sum as Record<keyof T, object>)[key] ??= {}), value as object);
  }
}
