/** Opens the root cache of a volume, as the option `rootCache` says, and loads its file. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SnapshotError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import {
  RootCache,
  type RootCacheOptions,
  type RootCacheParts,
} from '../chunkedgraph/root-cache/root-cache.ts';
import { preparePrivateFolder } from '../cache/cache-folder.ts';
import { ROOTS_FOLDER } from '../cache/cache-maintenance.ts';

/** Settings of the root cache: the option `rootCache` of `openGraphene`. */
export interface RootCacheSettings extends RootCacheOptions {
  /**
   * Path of the snapshot, which is read when the volume is opened (if it exists) and written when it is
   * closed. It contains IDs of your graph and is readable by its owner only. Anybody who can write it can change
   * your answers.
   * @default with `cacheDir`, one file per graph in that folder; else roots are lost at `close()`
   */
  file?: string;
}

/** The root cache of a volume: save it, load it, clear it, or read its counters. */
export type VolumeRootCache = Pick<RootCache, 'save' | 'load' | 'clear' | 'stats'>;

/** A root cache that is ready for use. */
export interface OpenedRootCache {
  cache: RootCache;
  /** Writes the file, if the cache has one. Repeated calls write it once. */
  saveToFile: () => Promise<void>;
}

/**
 * Opens a root cache and loads its file. A damaged file is ignored with a warning, and replaced when the
 * volume is closed. So is a file in `cacheDir` that cannot be used for any other reason.
 * @throws SnapshotError FOREIGN, UNSUPPORTED or IO for a `file` that the caller named: it may not be
 *   replaced.
 */
export async function openRootCache(
  { file: userFile, ...options }: RootCacheSettings,
  parts: RootCacheParts,
  logger: Logger,
  cacheDir?: string,
): Promise<OpenedRootCache> {
  const cache = new RootCache(parts, options);
  const file =
    userFile ?? (cacheDir === undefined ? undefined : await snapshotPath(cacheDir, parts.graph, logger));
  if (file === undefined) return { cache, saveToFile: async () => undefined };
  const optionName = userFile === undefined ? 'cacheDir' : 'rootCache.file';
  try {
    await cache.load(file);
  } catch (error) {
    if (
      !(error instanceof SnapshotError) ||
      (userFile !== undefined && error.code !== 'NOT_FOUND' && error.code !== 'DAMAGED')
    )
      throw error;
    if (error.code !== 'NOT_FOUND')
      logger.warn(`${optionName}: ${error.message}; the root cache starts empty`);
  }
  let saved: Promise<void> | undefined;
  return {
    cache,
    saveToFile: () =>
      (saved ??= cache
        .save(file)
        .catch((error: unknown) => logger.warn(`${optionName}: ${(error as Error).message}`))),
  };
}

/** Path of a graph's snapshot in `cacheDir`. Undefined, with a warning, when the folder cannot be created. */
async function snapshotPath(cacheDir: string, graph: string, logger: Logger): Promise<string | undefined> {
  const folder = join(cacheDir, ROOTS_FOLDER);
  try {
    await preparePrivateFolder(folder, 'roots');
  } catch (error) {
    logger.warn(`cacheDir: ${(error as Error).message}; roots are not kept`);
    return undefined;
  }
  return join(folder, `${createHash('sha256').update(graph).digest('hex').slice(0, 32)}.snapshot`);
}
