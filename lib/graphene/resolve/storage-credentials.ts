/** The credentials of a bucket, named where a volume is described and given again where it is opened. */
import { CredentialsError, PathError } from '../../base/errors.ts';
import { isStore, type Store } from '../../storage/store.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import type { BucketLocation } from './open-bucket.ts';
import type { BucketDescription, RequiredStorageOption } from './description.ts';

export function describeBucket(
  place: BucketLocation,
  storage: StorageOptions | Store | undefined,
): BucketDescription {
  if (isStore(storage)) return { ...place, path: '', storage: {}, wants: ['store'] };
  const { token, headers, credentials, ...rest } = storage ?? {};
  const wants: RequiredStorageOption[] = [];
  if (token !== undefined) wants.push('token');
  if (headers !== undefined) wants.push('headers');
  if (typeof credentials === 'object') wants.push('credentials');
  return { ...place, storage: { ...rest, ...(typeof credentials === 'string' && { credentials }) }, wants };
}

/**
 * The storage options that a described bucket is opened with.
 * @throws CredentialsError NOT_FOUND for what is wanted and not given; TypeError for what is given and was not there when it was resolved.
 */
export function mergeStorageOptions(
  { storage, wants }: BucketDescription,
  given: StorageOptions | Store | undefined,
): StorageOptions | Store {
  const names = isStore(given) ? ['store'] : Object.keys(given ?? {});
  const lacking = wants.find((name) => !names.includes(name)),
    strange = names.find((name) => !(wants as readonly string[]).includes(name));
  if (lacking !== undefined)
    throw new CredentialsError(
      'NOT_FOUND',
      `the volume was resolved with ${lacking === 'store' ? 'a store of your own as storage' : `storage.${lacking}`}, which its description does not hold: give it again`,
    );
  if (strange !== undefined)
    throw new TypeError(
      `${strange === 'store' ? 'storage' : `storage.${strange}`} is settled in the description of the volume: resolve its path again`,
    );
  return isStore(given) ? given : { ...storage, ...given };
}

/** Chunks that are not stored are an answer; a place that is not there at all is a mistake. @throws PathError BAD_PATH. */
export function checkStoreExists(store: Store): void {
  if (store.exists?.() === false)
    throw new PathError(
      'BAD_PATH',
      `${store.url} is not there: the volume was resolved on a machine, or in a process, that has it`,
    );
}
