/**
 * Splits bucket credentials from a volume's description, and merges them again when the volume is opened from
 * it.
 */
import { CredentialsError, PathError } from '../../base/errors.ts';
import { isStore, type Store } from '../../storage/store.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import { isKvPath } from './kv-path.ts';
import type { BucketLocation } from './open-bucket.ts';
import type { BucketDescription, RequiredStorageOption } from './description.ts';

export function describeBucket(
  place: BucketLocation,
  storage: StorageOptions | Store | undefined,
): BucketDescription {
  // Only what is within the caller's own store is said of it.
  if (isStore(storage))
    return { ...place, path: isKvPath(place.path) ? place.path : '', storage: {}, wants: ['store'] };
  const { token, headers, credentials, ...rest } = storage ?? {};
  const wants: RequiredStorageOption[] = [];
  if (token !== undefined) wants.push('token');
  if (headers !== undefined) wants.push('headers');
  if (typeof credentials === 'object') wants.push('credentials');
  return { ...place, storage: { ...rest, ...(typeof credentials === 'string' && { credentials }) }, wants };
}

/**
 * Merges the described storage options with those passed when the volume is opened.
 * @throws CredentialsError NOT_FOUND for a required option that is missing; TypeError for an option that the
 *   volume was resolved without.
 */
export function mergeStorageOptions(
  { storage, wants }: BucketDescription,
  given: StorageOptions | Store | undefined,
): StorageOptions | Store {
  const names = isStore(given) ? ['store'] : Object.keys(given ?? {});
  const missing = wants.find((name) => !names.includes(name)),
    unexpected = names.find((name) => !(wants as readonly string[]).includes(name));
  if (missing !== undefined)
    throw new CredentialsError(
      'NOT_FOUND',
      `the volume was resolved with ${missing === 'store' ? 'a store of your own as storage' : `storage.${missing}`}, which its description does not contain: pass it again`,
    );
  if (unexpected !== undefined)
    throw new TypeError(
      `${unexpected === 'store' ? 'storage' : `storage.${unexpected}`} is settled in the description of the volume: resolve its path again`,
    );
  return isStore(given) ? given : { ...storage, ...given };
}

/**
 * Checks that the bucket exists: a missing chunk is an answer, a missing bucket a mistake.
 * @throws PathError BAD_PATH.
 */
export function checkStoreExists(store: Store): void {
  if (store.exists?.() === false)
    throw new PathError(
      'BAD_PATH',
      `${store.url} does not exist here; it exists on the machine, or in the process, where the volume was resolved`,
    );
}
