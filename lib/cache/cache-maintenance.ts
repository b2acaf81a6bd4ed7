/** What a person may want of a cache folder: how much is in it, all of it gone, whether it is sound. */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CacheFolder, LARGEST_ENTRY_BYTES } from './cache-folder.ts';
import { decodeEntry, ENTRY_OVERHEAD } from './entry.ts';

/** Where snapshots of what is known of roots are kept, beside the chunks. */
export const ROOTS_FOLDER = 'roots-v1';

export interface CacheStats {
  /** Of the chunks. */
  path: string;
  entries: number;
  /** On disk. */
  bytes: number;
  /** Snapshots of roots, one a graph, which are not counted above. */
  snapshots: { entries: number; bytes: number };
  /** When the entry that was used least recently was last used; undefined in an empty cache. */
  oldestUse: Date | undefined;
}

/** @throws The error of the file system; a folder that does not exist is an empty cache. */
export async function cacheStats(folder: string): Promise<CacheStats> {
  const cache = new CacheFolder(folder, Infinity);
  const entries = await cache.list();
  const oldest = entries.reduce((ms, { usedMs }) => Math.min(ms, usedMs), Infinity);
  return {
    path: cache.path,
    entries: entries.length,
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
    oldestUse: entries.length > 0 ? new Date(oldest) : undefined,
    snapshots: await snapshotsIn(folder),
  };
}

async function snapshotsIn(folder: string): Promise<CacheStats['snapshots']> {
  const path = join(folder, ROOTS_FOLDER);
  const files = await readdir(path).catch(() => []);
  const sizes = await Promise.all(
    files
      .filter((name) => name.endsWith('.snapshot'))
      .map((name) =>
        stat(join(path, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return { entries: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Deletes the cache, chunks and roots, and nothing else in the folder. @returns what was in it. */
export async function clearCache(folder: string): Promise<CacheStats> {
  const stats = await cacheStats(folder);
  await new CacheFolder(folder, Infinity).clear();
  await rm(join(folder, ROOTS_FOLDER), { recursive: true, force: true });
  return stats;
}

/** Reads every entry and deletes those that do not check out. */
export async function verifyCache(
  folder: string,
): Promise<{ path: string; entries: number; damaged: number }> {
  const cache = new CacheFolder(folder, Infinity);
  const entries = await cache.list();
  let damaged = 0;
  for (const { file } of entries) {
    const found = await cache.read(file, LARGEST_ENTRY_BYTES + ENTRY_OVERHEAD);
    const decoded = found && decodeEntry(found.bytes);
    if (!found || (decoded && basename(cache.fileOf(decoded.key)) === basename(file))) continue;
    damaged++;
    await cache.remove(file);
  }
  return { path: cache.path, entries: entries.length, damaged };
}
