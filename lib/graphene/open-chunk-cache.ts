/** Opens a volume's part of the disk cache, as its options say. */
import { createHash } from 'node:crypto';
import type { Logger } from '../base/logger.ts';
import { DiskCache } from '../cache/disk-cache.ts';
import { ChunkDiskCache } from '../chunks/chunk-disk-cache.ts';
import type { OpenOptions } from './option-types.ts';
import type { Store } from '../storage/store.ts';

/**
 * Opens the disk cache for one volume.
 * @param raw The volume's info.
 * @returns undefined without `cacheDir`, and for stores without an identity: files and memory are as fast as
 *   the cache.
 */
export function openChunkCache(
  options: OpenOptions,
  store: Store,
  raw: Readonly<Record<string, unknown>>,
  logger: Logger,
): ChunkDiskCache | undefined {
  const { cacheDir, cacheBytes, revalidate = 'info' } = options;
  if (cacheDir === undefined || !store.identity) return undefined;
  const { type, data_type, num_channels, scales } = raw;
  // All settings of `revalidate` share one scope, so that each uses what another has stored.
  const meaning = hash({ type, data_type, num_channels, scales: (scales as Scale[]).map(meaningOf) });
  // Entries belong to one reader's credentials. Only a hash of the identity goes into the cache, never a
  // secret.
  const scope = Promise.resolve(store.identity()).then(
    (identity) => `${store.url} reader ${hash(identity)} info ${meaning}`,
  );
  scope.catch(() => undefined); // each read that needs the scope gets the error itself
  const disk = new DiskCache({
    folder: cacheDir,
    maxBytes: cacheBytes,
    warn: (message) => logger.warn(message),
  });
  const infoHash = hash({ type, data_type, num_channels, scales });
  return new ChunkDiskCache({ disk, store, scope, infoHash, revalidate });
}

type Scale = Readonly<Record<string, unknown>> | null;

/**
 * The parts of a scale that decide how chunk bytes are decoded. Whatever `revalidate` is, a change of these must not let cached bytes be
 * decoded as something else.
 */
const meaningOf = (scale: Scale): unknown => [
  scale?.key,
  scale?.encoding,
  scale?.compressed_segmentation_block_size,
  scale?.sharding,
];

const hash = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 24);
