/** The root cache of a volume: from its option to one that is filled from its file. */
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

export interface RootCacheSettings extends RootCacheOptions {
  /**
   * Read when the volume is opened, unless it is not there yet, and written when it is closed. Holds IDs of your graph: only its owner may
   * read it, and who can write it can say anything.
   * @default one a graph in `cacheDir`, where that is given; else nothing is kept beyond `close()`
   */
  file?: string;
}

/** What a volume remembers of roots, for its owner to keep, fill and forget. */
export type VolumeRootCache = Pick<RootCache, 'save' | 'load' | 'clear' | 'stats'>;

export interface OpenedRootCache {
  cache: RootCache;
  /** Writes the file, if there is one to write, once. */
  saveToFile: () => Promise<void>;
}

/**
 * A file that is damaged is left out with a warning, and replaced when the volume is closed; in `cacheDir`, so is any other that cannot be used.
 * @throws SnapshotError FOREIGN, UNSUPPORTED, IO for `file`: that is not ours to replace.
 */
export async function openRootCache(
  { file: named, ...options }: RootCacheSettings,
  parts: RootCacheParts,
  logger: Logger,
  cacheDir?: string,
): Promise<OpenedRootCache> {
  const cache = new RootCache(parts, options);
  const file =
    named ?? (cacheDir === undefined ? undefined : await snapshotIn(cacheDir, parts.graph, logger));
  if (file === undefined) return { cache, saveToFile: async () => undefined };
  const called = named === undefined ? 'cacheDir' : 'rootCache.file';
  try {
    await cache.load(file);
  } catch (error) {
    if (
      !(error instanceof SnapshotError) ||
      (named !== undefined && error.code !== 'NOT_FOUND' && error.code !== 'DAMAGED')
    )
      throw error;
    if (error.code !== 'NOT_FOUND') logger.warn(`${called}: ${error.message}; the root cache starts empty`);
  }
  let kept: Promise<void> | undefined;
  return {
    cache,
    saveToFile: () =>
      (kept ??= cache
        .save(file)
        .catch((error: unknown) => logger.warn(`${called}: ${(error as Error).message}`))),
  };
}

/** Beside the chunks: `roots-v1/` and one snapshot a graph. Undefined, with a warning, where there can be no such folder. */
async function snapshotIn(cacheDir: string, graph: string, logger: Logger): Promise<string | undefined> {
  const folder = join(cacheDir, ROOTS_FOLDER);
  try {
    await preparePrivateFolder(folder, 'roots');
  } catch (error) {
    logger.warn(`cacheDir: ${(error as Error).message}; roots are not kept`);
    return undefined;
  }
  return join(folder, `${createHash('sha256').update(graph).digest('hex').slice(0, 32)}.snapshot`);
}
