/** Runs `graphene-points cache`: shows what a cache folder holds, clears it, or checks each entry. */
import { cacheStats, clearCache, verifyCache } from '../cache/cache-maintenance.ts';
import type { Io } from './io.ts';
import { stripControls } from './report.ts';

const mebibytes = (bytes: number): string =>
  `${(bytes / 2 ** 20).toLocaleString('en-US', { maximumFractionDigits: 1 })} MiB`;
const entries = (count: number): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? 'entry' : 'entries'}`;

const ACTIONS: Record<string, (folder: string) => Promise<string>> = {
  async stats(folder) {
    const { path, entries: count, bytes, oldestUse, snapshots } = await cacheStats(folder);
    const roots =
      snapshots.entries > 0
        ? `; roots of ${snapshots.entries} graph${snapshots.entries === 1 ? '' : 's'}, ${mebibytes(snapshots.bytes)}`
        : '';
    return `${path}: ${entries(count)}, ${mebibytes(bytes)}${oldestUse ? `, least recently used ${oldestUse.toISOString()}` : ''}${roots}`;
  },
  async clear(folder) {
    const { path, entries: count, bytes } = await clearCache(folder);
    return `${path}: deleted ${entries(count)}, ${mebibytes(bytes)}`;
  },
  async verify(folder) {
    const { path, entries: count, damaged } = await verifyCache(folder);
    return `${path}: ${entries(count)}, ${damaged} damaged${damaged > 0 ? ' and deleted' : ''}`;
  },
};

/** Runs one action and prints its result. @param action `stats`, `clear` or `verify`. */
export async function runCache(action: string, folder: string, io: Io): Promise<void> {
  io.stdout.write(`${stripControls(await ACTIONS[action](folder))}\n`);
}
