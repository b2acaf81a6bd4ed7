/** Adds up the statistics of look-ups. */
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
