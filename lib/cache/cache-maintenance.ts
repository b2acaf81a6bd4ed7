/** Maintenance of a cache folder: count its content, delete it, check it. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CacheFolder, LARGEST_ENTRY_BYTES } from './cache-folder.ts';
import { decodeEntry, endOfEntry, ENTRY_OVERHEAD } from './entry.ts';
import { appendRecords, packFile, readPlace } from './pack-files.ts';
import { encodeRecord, hashOf } from './pack-record.ts';

/** The subfolder of a cache folder that holds snapshots of root caches. */
export const ROOTS_FOLDER = 'roots-v1';

/** Larger packs are not searched: there is one entry in them. */
const MOST_PACK_BYTES = 64 * 1024 * 1024;

/** What a cache folder holds. */
export interface CacheStats {
  /** The folder of the chunks: `chunks-v3` in the cache folder. */
  path: string;
  /** Entries: chunks, parts of shard indices, and objects that were not found. */
  entries: number;
  /** Bytes of their files on disk. A replaced or damaged entry takes room until its file is evicted. */
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
  /** When the least recently used file was last used; undefined if the cache is empty. */
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
  const packs = await cache.packs(),
    names = new Set(packs.map(({ name }) => name));
  let entries = 0;
  for await (const { pack } of cache.index.entries()) if (names.has(pack)) entries++;
  const oldest = packs.reduce((ms, { usedMs }) => Math.min(ms, usedMs), Infinity);
  return {
    path: cache.path,
    entries,
    bytes: packs.reduce((sum, { size }) => sum + size, await cache.indexBytes()),
    oldestUse: packs.length > 0 ? new Date(oldest) : undefined,
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
 * Reads every entry of a cache folder and deletes the damaged ones. If the index was lost, and nothing was
 * stored since, it is made again. Snapshots are not checked.
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
  await recoverPacks(cache);
  let entries = 0,
    damaged = 0;
  for await (const { hash, ...place } of cache.index.entries()) {
    const isTooLarge = place.length > LARGEST_ENTRY_BYTES + ENTRY_OVERHEAD,
      found = isTooLarge ? undefined : await readPlace(place);
    if (!isTooLarge && !found) continue; // its pack was evicted
    entries++;
    if (found?.decoded && Buffer.compare(hashOf(found.decoded.key), hash) === 0) continue;
    damaged++;
    await cache.remove(hash);
  }
  return { path: cache.path, entries, damaged };
}

/**
 * Makes a lost index again: one that names no entry of any pack. What another index does not name was
 * replaced, and its newer version perhaps evicted. Of several entries of a key, the newest counts.
 */
async function recoverPacks(cache: CacheFolder): Promise<void> {
  const packs = await cache.packs(),
    exists = new Set(packs.map(({ name }) => name));
  for await (const { pack } of cache.index.entries()) if (exists.has(pack)) return;
  const found = new Map<string, { storedMs: number; record: Uint8Array }>();
  for (const { name, size } of packs) {
    if (size > MOST_PACK_BYTES) continue;
    const bytes = await readFile(packFile(cache.path, name)).catch(() => Buffer.alloc(0));
    for (const { start, end, key, storedMs } of entriesOf(bytes)) {
      const hash = hashOf(key),
        text = Buffer.from(hash).toString('latin1');
      if ((found.get(text)?.storedMs ?? -Infinity) > storedMs) continue;
      found.set(text, {
        storedMs,
        record: encodeRecord(hash, { pack: name, offset: start, length: end - start }),
      });
    }
  }
  if (found.size > 0)
    await appendRecords(cache.path, Buffer.concat(Array.from(found.values(), ({ record }) => record)));
}

/**
 * Lists the whole entries of a pack, one after the other. Nothing within the bytes of an entry is one: a
 * volume decides about them, and could otherwise make entries of other volumes.
 */
function* entriesOf(
  bytes: Uint8Array,
): Generator<{ start: number; end: number; key: string; storedMs: number }> {
  for (let start = 0, end: number | undefined; start < bytes.length; start = end) {
    end = endOfEntry(bytes, start);
    if (end === undefined || !(end > start)) return;
    const decoded = decodeEntry(bytes.subarray(start, end));
    if (decoded) yield { start, end, key: decoded.key, storedMs: decoded.entry.storedMs || 0 };
  }
}
