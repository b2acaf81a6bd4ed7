/** Resolves a Precomputed volume, from its path or its description, before a chunk is read. */
import { PathError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { redactUrl } from '../../http/excerpt.ts';
import { parseInfo, type VolumeInfo } from '../../precomputed/volume-info.ts';
import { isOcdbtStore } from '../../ocdbt/ocdbt-store.ts';
import type { Store } from '../../storage/store.ts';
import type { OpenOptions } from '../option-types.ts';
import { resolveResolution } from '../resolution.ts';
import { openBucket } from './open-bucket.ts';
import { normalizeCloudPath, isGraphPath } from './cloud-path.ts';
import { pickDescribedOptions, type PrecomputedDescription } from './description.ts';
import { findInfo } from './find-info.ts';
import { describeKvPath, withOcdbtVersion } from './kv-path.ts';
import { isTensorStoreSpec, type TensorStoreSpec } from './kvstore-spec.ts';
import { chooseMip } from './mip.ts';
import { checkStoreExists, describeBucket, mergeStorageOptions } from './storage-credentials.ts';

export interface ResolvedPrecomputed {
  description: PrecomputedDescription;
  info: VolumeInfo;
  store: Store;
  /** Whether the info was read from this store, with these credentials. */
  infoWasRead: boolean;
}

/** Normalizes the path of a Precomputed volume. @throws PathError, also for a chunkedgraph. */
export function parsePrecomputedPath(path: string | TensorStoreSpec): string {
  const place = normalizeCloudPath(isTensorStoreSpec(path) ? JSON.stringify(path) : path);
  if (!isGraphPath(place)) return place;
  throw new PathError('BAD_PATH', `${redactUrl(place)} is a chunkedgraph: use openGraphene`);
}

/**
 * @param path As {@link parsePrecomputedPath} gives it.
 * @throws as `findInfo`; InfoError BAD_INFO, UNSUPPORTED; RangeError.
 */
export async function resolvePrecomputed(
  path: string,
  options: OpenOptions,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedPrecomputed> {
  const { location: place, store, raw, redirects } = await findInfo(path, http, { ...options, logger });
  const info = parseInfo(raw, `${store.url}/info`);
  chooseMip(info, options.mip, 0);
  // Whoever opens the description reads the same version.
  const pinned = isOcdbtStore(store)
    ? { ...place, path: withOcdbtVersion(place.path, store.generation) }
    : place;
  const description: PrecomputedDescription = {
    version: 1,
    kind: 'precomputed',
    path: describeKvPath(path),
    redirects,
    info: raw,
    bucket: describeBucket(pinned, options.storage),
    options: pickDescribedOptions(options, resolveResolution(options.resolution, undefined)),
  };
  return { description, info, store, infoWasRead: true };
}

/**
 * @throws CredentialsError NOT_FOUND for credentials that are not given again; PathError, InfoError,
 *   TypeError.
 */
export async function reopenPrecomputed(
  description: PrecomputedDescription,
  options: OpenOptions,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedPrecomputed> {
  const storage = mergeStorageOptions(description.bucket, options.storage);
  const store = await openBucket(description.bucket, http, { storage, logger });
  checkStoreExists(store);
  return { description, info: parseInfo(description.info, `${store.url}/info`), store, infoWasRead: false };
}
