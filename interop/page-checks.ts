/** What the checks of the explorer have in common: a page of the service, and the truth of its rows. */
import type { Browser, Page } from 'playwright-core';
import { openWatched, type WatchedPage } from './browser.ts';
import type { Comparison } from './comparison.ts';
import { openExplorer } from './explorer-page.ts';
import { labelAt, type PageWorld, SIZE } from './page-world.ts';

export type Place = readonly [number, number, number];
export type Context = PageWorld & { browser: Browser; comparison: Comparison };

export const start = async ({ browser, service }: Context, options = {}): Promise<WatchedPage> => {
  const watched = await openWatched(browser, service.url, options);
  await openExplorer(watched.page, service.url);
  return watched;
};

export const csvOf = (places: readonly Place[]): string =>
  `x,y,z\n${places.map((place) => place.join()).join('\n')}\n`;
export const isInside = (place: Place): boolean => place.every((v, axis) => v >= 0 && v < SIZE[axis]);
const truthOf = (place: Place): bigint => (isInside(place) ? labelAt(...place) : 0n);

/** Compares supervoxels and statuses one by one, and roots by which rows share one. */
export function compareRows(
  what: string,
  rows: readonly Record<string, string>[],
  places: readonly Place[],
  { world, merged, comparison }: Context,
  isMerged = true,
): void {
  const ids = places.map((place) => (isInside(place) ? world.supervoxelAt(place) : 0n));
  comparison.values(
    `${what}: supervoxels`,
    BigUint64Array.from(ids),
    BigUint64Array.from(rows, (row) => BigInt(row.supervoxel_id || 0)),
  );
  const statuses = places.map((place, k) =>
    !isInside(place) ? 'out_of_bounds' : ids[k] === 0n ? 'background' : 'ok',
  );
  comparison.each(
    `${what}: statuses`,
    statuses,
    rows.map(({ status }) => status),
  );
  const objects = places.map(truthOf).map((label) => (isMerged && label === merged[1] ? merged[0] : label));
  comparison.values(
    `${what}: rows that share a root`,
    firstOf(objects),
    firstOf(rows.map((row) => row.root_id || 0n)),
  );
}

/** For each row, the first row with the same value; -1 without a value. */
function firstOf(values: readonly unknown[]): Int32Array {
  const first = new Map<unknown, number>();
  return Int32Array.from(values, (value, k) => {
    if (value === 0n) return -1;
    if (!first.has(value)) first.set(value, k);
    return first.get(value)!;
  });
}

/** Counts the points that a page asks for meanwhile. */
export async function countPoints(page: Page, run: () => Promise<void>): Promise<number> {
  let points = 0;
  await page.route('**/points?*', (route) => {
    points += (route.request().postDataBuffer()?.length ?? 0) / 24;
    return route.fallback();
  });
  await run();
  await page.unroute('**/points?*');
  return points;
}
