/** The timestamps of the roots of a job, in its manifest. */
import type { PointLookup } from './point-lookup.ts';

/** Fixes the timestamps of all volumes. @returns null for a volume whose roots are not looked up. */
export const timestampsOfLookups = (lookups: readonly PointLookup[]): (string | null)[] =>
  lookups.map((lookup) => lookup.pin?.()?.toISOString() ?? null);

/** The inverse of {@link timestampsOfLookups}. */
export const toPinnedDates = (timestamps: readonly (string | null)[]): (Date | undefined)[] =>
  timestamps.map((timestamp) => (timestamp === null ? undefined : new Date(timestamp)));
