/** Opens the store of one object that a path names whole, such as `gs://BUCKET/tables/points.csv`. */
import { PathError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';
import { parseBucketUrl } from './bucket-urls.ts';
import { encodeKey } from './keys.ts';
import type { OpenStoreOptions } from './open-options.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';

/** The store of an object, and the key of the object in it. */
export interface StoredObjectPath {
  store: Store;
  key: string;
}

/**
 * Opens the store of an object: its folder, or its bucket. The query of an http(s) URL is sent, as signed
 * URLs need it. Nothing is read yet.
 *
 * @throws PathError BAD_PATH if the path does not name an object; the errors of `openStore`.
 */
export function openObject(path: string, options: OpenStoreOptions): StoredObjectPath {
  const isWeb = /^https?:\/\//i.test(path),
    query = isWeb ? (/\?.*$/s.exec(path)?.[0] ?? '') : '';
  const [, folder, name] =
    /^((?:[a-z][a-z\d+.-]*:\/\/)+[^/].*)\/([^/]+)$/is.exec(path.slice(0, path.length - query.length)) ?? [];
  if (name === undefined || folder.endsWith('/'))
    throw new PathError('BAD_PATH', `${redactUrl(path)} does not name a file in a folder or bucket`);
  const isEncoded = isWeb || /^(?:gs|s3)(?::\/\/|\+)https?:/i.test(path);
  return { store: openStore(folder + query, options), key: isEncoded ? decodedName(name, path) : name };
}

/** Returns a URL of an object for comparisons: it is the same for all spellings of a path. */
export function objectUrl({ store, key }: StoredObjectPath): string {
  const url = `${store.url}/${encodeKey(key)}`,
    bucket = URL.canParse(url) ? parseBucketUrl(new URL(url)) : undefined;
  return bucket ? `${bucket.vendor}://${bucket.bucket}/${bucket.prefix}` : url;
}

/** Decodes the name of an object in a URL. The store encodes it again, which must give the same object. */
function decodedName(name: string, path: string): string {
  let key: string | undefined;
  try {
    key = decodeURIComponent(name);
    encodeKey(key);
  } catch {
    key = undefined;
  }
  if (key === undefined || key.includes('/'))
    throw new PathError('BAD_PATH', `the name of the file in ${redactUrl(path)} cannot be decoded`);
  return key;
}
