/** From options to a volume's part of the cache on disk. */
import { createHash } from 'node:crypto';
import type { Logger } from '../base/logger.ts';
import { DiskCache } from '../cache/disk-cache.ts';
import { ChunkDiskCache } from '../chunks/chunk-disk-cache.ts';
import type { OpenOptions } from './option-types.ts';
import type { Store } from '../storage/store.ts';

/**
 * @param raw The volume's info.
 * @returns undefined when none is wanted, and for stores that are as near as the cache, or do not say who reads: files, memory.
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
  const info = hash({
    type,
    data_type,
    num_channels,
    scales: revalidate === 'never' ? (scales as Scale[]).map(meaningOf) : scales,
  });
  // Who reads: nobody else's entries are used, and the secrets themselves stay out of the cache.
  const scope = Promise.resolve(store.identity()).then(
    (identity) => `${store.url} reader ${hash(identity)} info ${info}`,
  );
  scope.catch(() => undefined); // told to each read that needs it
  const disk = new DiskCache({
    folder: cacheDir,
    maxBytes: cacheBytes,
    warn: (message) => logger.warn(message),
  });
  return new ChunkDiskCache({ disk, store, scope, revalidate });
}

type Scale = Readonly<Record<string, unknown>> | null;

/** What the bytes of a chunk mean. Even who never asks whether they are the latest must not read them as something else. */
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
