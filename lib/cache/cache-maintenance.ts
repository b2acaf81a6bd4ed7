/** Maintenance of a cache folder: count its content, delete it, check it. */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CacheFolder, LARGEST_ENTRY_BYTES } from './cache-folder.ts';
import { decodeEntry, ENTRY_OVERHEAD } from './entry.ts';

/** The subfolder of a cache folder that holds snapshots of root caches. */
export const ROOTS_FOLDER = 'roots-v1';

/** What a cache folder holds. */
export interface CacheStats {
  /** The folder of the chunks: `chunks-v2` in the cache folder. */
  path: string;
  /** Entries: chunks, parts of shard indices, and objects that were not found. */
  entries: number;
  /** Bytes of the entries on disk, in whole units of 4 KiB per entry. */
  bytes: number;
  /**
   * Snapshots of root caches, one per graph, and their bytes. They are not counted in `entries` and `bytes`.
   */
  snapshots: {
    /** How many snapshots there are. */
    entries: number;
    /** Their size on disk. */
    bytes: number;
  };
  /** When the least recently used entry was last used; undefined if the cache is empty. */
  oldestUse: Date | undefined;
}

/**
 * Counts what a cache folder holds. A folder that does not exist is an empty cache.
 *
 * @param folder The `cacheDir` of a volume.
 * @throws The error of the file system.
 * @example
 * ```ts
 * const { entries, bytes } = await cacheStats('/data/graphene-cache');
 * ```
 */
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

/**
 * Deletes the chunks and the snapshots of a cache folder, and nothing else in it. Volumes that use the folder
 * may stay open.
 *
 * @param folder The `cacheDir` of a volume.
 * @returns What the cache held before.
 * @throws The error of the file system.
 */
export async function clearCache(folder: string): Promise<CacheStats> {
  const stats = await cacheStats(folder);
  await new CacheFolder(folder, Infinity).clear();
  await rm(join(folder, ROOTS_FOLDER), { recursive: true, force: true });
  return stats;
}

/**
 * Reads every entry of a cache folder and deletes the damaged ones. Snapshots are not checked.
 *
 * @param folder The `cacheDir` of a volume.
 * @returns The folder of the chunks, the entries that were checked, and how many of them were damaged.
 * @throws The error of the file system.
 */
export async function verifyCache(folder: string): Promise<{
  /** The folder of the chunks. */
  path: string;
  /** How many entries were read. */
  entries: number;
  /** How many were damaged, and are deleted. */
  damaged: number;
}> {
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
