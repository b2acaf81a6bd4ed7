/** From a path to all that is known of a Precomputed volume before a chunk is read. */
import { PathError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { HttpClient } from '../../http/client.ts';
import { redactUrl } from '../../http/excerpt.ts';
import { parseInfo, type VolumeInfo } from '../../precomputed/info.ts';
import type { Store } from '../../storage/store.ts';
import type { OpenOptions } from '../options.ts';
import { resolutionOf } from '../resolution.ts';
import { openBucket } from './bucket.ts';
import { cloudPath, isGraphPath } from './cloud-path.ts';
import { describedOptions, type PrecomputedDescription } from './description.ts';
import { findInfo } from './find-info.ts';
import { chosenMip } from './mip.ts';
import { checkIsThere, describedBucket, storageFor } from './storage-keys.ts';

export interface ResolvedPlain {
  description: PrecomputedDescription;
  info: VolumeInfo;
  store: Store;
  /** From this store, with these credentials. */
  infoWasRead: boolean;
}

/** In the spelling of `cloudPath`. @throws PathError. */
export function plainPath(path: string): string {
  const place = cloudPath(path);
  if (!isGraphPath(place)) return place;
  throw new PathError('BAD_PATH', `${redactUrl(place)} is a chunkedgraph: use openGraphene`);
}

/** @param path As {@link plainPath} gives it. @throws as `findInfo`; InfoError BAD_INFO, UNSUPPORTED; RangeError. */
export async function resolvePlain(
  path: string,
  options: OpenOptions,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedPlain> {
  const { place, store, raw, redirects } = await findInfo(path, http, { ...options, logger });
  const info = parseInfo(raw, `${store.url}/info`);
  chosenMip(info, options.mip, 0);
  const description: PrecomputedDescription = {
    version: 1,
    kind: 'precomputed',
    path: redactUrl(path),
    redirects,
    info: raw,
    bucket: describedBucket(place, options.storage),
    options: describedOptions(options, resolutionOf(options.resolution, undefined)),
  };
  return { description, info, store, infoWasRead: true };
}

/** @throws CredentialsError NOT_FOUND for credentials that are not given again; PathError, InfoError, TypeError. */
export async function reopenPlain(
  description: PrecomputedDescription,
  options: OpenOptions,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedPlain> {
  const storage = storageFor(description.bucket, options.storage);
  const store = await openBucket(description.bucket, http, { storage, logger });
  checkIsThere(store);
  return { description, info: parseInfo(description.info, `${store.url}/info`), store, infoWasRead: false };
}
