/** The root cache of a volume: from its option to one that is filled from its file. */
import { SnapshotError } from '../base/errors.ts';
import { RootCache, type RootCacheOptions, type RootCacheParts } from '../chunkedgraph/root-cache/root-cache.ts';
import { checkNames, type Logger } from './options.ts';

export interface RootCacheSettings extends RootCacheOptions {
  /**
   * Read when the volume is opened, unless it is not there yet, and written when it is closed. Holds IDs of your graph: only its owner may
   * read it, and who can write it can say anything.
   */
  file?: string;
}

const NAMES = ['maxEntries', 'maxAgeMs', 'extendToCreation', 'file'];

/**
 * @returns Undefined when none is wanted.
 * @throws TypeError or RangeError for what cannot be meant.
 */
export function checkRootCache(setting: boolean | RootCacheSettings | undefined): RootCacheSettings | undefined {
  if (setting === undefined || setting === false) return undefined;
  if (setting === true) return {};
  if (typeof setting !== 'object' || setting === null) throw new TypeError(`rootCache is true, false or its options, not ${String(setting)}`);
  checkNames(setting, NAMES);
  const { maxEntries, maxAgeMs, extendToCreation, file } = setting;
  if (maxEntries !== undefined && !(Number.isInteger(maxEntries) && maxEntries >= 1 && maxEntries <= MOST_ENTRIES))
    throw new RangeError(`rootCache.maxEntries must be a whole number from 1 to ${MOST_ENTRIES}, not ${String(maxEntries)}`);
  if (maxAgeMs !== undefined && !(typeof maxAgeMs === 'number' && maxAgeMs > 0)) throw new RangeError(`rootCache.maxAgeMs must be a positive number of milliseconds, not ${String(maxAgeMs)}`);
  if (extendToCreation !== undefined && typeof extendToCreation !== 'boolean') throw new TypeError(`rootCache.extendToCreation is true or false, not ${String(extendToCreation)}`);
  if (file !== undefined && (typeof file !== 'string' || file === '')) throw new TypeError('rootCache.file must be a path');
  return setting;
}

/** Slots are counted in 32 bits. */
const MOST_ENTRIES = 1_000_000_000;

/** What a volume remembers of roots, for its owner to keep, fill and forget. */
export type VolumeRootCache = Pick<RootCache, 'save' | 'load' | 'clear' | 'stats'>;

export interface OpenedRootCache {
  cache: RootCache;
  /** Writes the file, if there is one to write, once. */
  keep: () => Promise<void>;
}

/**
 * A file that is damaged is left out with a warning, and replaced when the volume is closed.
 * @throws SnapshotError FOREIGN, UNSUPPORTED, IO: such a file is not ours to replace.
 */
export async function openRootCache({ file, ...options }: RootCacheSettings, parts: RootCacheParts, logger: Logger): Promise<OpenedRootCache> {
  const cache = new RootCache(parts, options);
  if (file === undefined) return { cache, keep: async () => undefined };
  try {
    await cache.load(file);
  } catch (error) {
    if (!(error instanceof SnapshotError) || (error.code !== 'NOT_FOUND' && error.code !== 'DAMAGED')) throw error;
    if (error.code === 'DAMAGED') logger.warn(`rootCache.file: ${error.message}; the root cache starts empty`);
  }
  let kept: Promise<void> | undefined;
  return { cache, keep: () => (kept ??= cache.save(file).catch((error: unknown) => logger.warn(`rootCache.file: ${(error as Error).message}`))) };
}
