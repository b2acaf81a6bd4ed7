/** From options to a volume's part of the cache on disk. */
import { createHash } from 'node:crypto';
import { DiskCache } from '../cache/disk-cache.ts';
import { ChunkCache } from '../chunks/chunk-cache.ts';
import { HttpStore } from '../storage/http-store.ts';
import { isStore, type Logger, type OpenOptions } from './options.ts';
import type { Store } from '../storage/store.ts';

/** What chooses the credentials of a bucket, beside the options. */
const CREDENTIAL_VARIABLES = ['GOOGLE_APPLICATION_CREDENTIALS', 'CLOUD_VOLUME_DIR', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3'];

/**
 * @param raw The volume's info.
 * @returns undefined when none is wanted, and for stores that are as near as the cache: files, memory, a store of the caller's own.
 */
export function chunkCacheOf(options: OpenOptions, store: Store, raw: Readonly<Record<string, unknown>>, logger: Logger, env: NodeJS.ProcessEnv = process.env): ChunkCache | undefined {
  const { cacheDir, cacheBytes, revalidate = 'info', storage } = options;
  if (cacheDir === undefined || !(store instanceof HttpStore)) return undefined;
  const { type, data_type, num_channels, scales } = raw;
  const info = revalidate === 'never' ? '' : ` info ${hash({ type, data_type, num_channels, scales })}`;
  // Who reads: nobody else's entries are used, and the secrets themselves stay out of the cache.
  const reader = hash([isStore(storage) ? {} : storage, CREDENTIAL_VARIABLES.map((name) => env[name])]);
  const disk = new DiskCache({ folder: cacheDir, maxBytes: cacheBytes, warn: (message) => logger.warn(message) });
  return new ChunkCache({ disk, store, scope: `${store.url} reader ${reader}${info}`, revalidate });
}

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value) ?? '').digest('hex').slice(0, 24);
