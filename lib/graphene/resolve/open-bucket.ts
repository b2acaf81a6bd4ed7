/** The store at a path, with what the user said about its credentials. */
import { PathError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { findToken } from '../../chunkedgraph/server/token.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { redactUrl } from '../../http/excerpt.ts';
import { CheckedStore } from '../../storage/checked-store.ts';
import { openStore } from '../../storage/open-store.ts';
import { isStore, type Store } from '../../storage/store.ts';
import { normalizeCloudPath } from './cloud-path.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import type { BucketDescription } from './description.ts';

/** A bucket behind the log-in that chunkedgraph servers share; Neuroglancer's spelling. */
export const MIDDLEAUTH = /^middleauth\+(?=https?:\/\/)/i;

export const toHeaders = ({ headers, token }: StorageOptions = {}): Record<string, string> | undefined => {
  const all = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  return Object.keys(all).length > 0 ? all : undefined;
};

/** Where a bucket is, and how it may be reached: what a description holds of it, its credentials aside. */
export type BucketLocation = Pick<BucketDescription, 'path' | 'allowAddress' | 'graphToken'>;

export interface BucketCredentials {
  storage?: StorageOptions | Store;
  /** The graph server's, for a bucket behind its log-in. */
  graphToken?: string;
  logger: Logger;
}

/**
 * `middleauth+https://` is read with the storage token, else with the token that a chunkedgraph on that host would get.
 * @throws as `openStore`, and as `findToken`.
 */
export async function openBucket(
  { path, allowAddress, graphToken: ofGraph }: BucketLocation,
  http: HttpClient,
  { storage: given, graphToken, logger }: BucketCredentials,
): Promise<Store> {
  if (isStore(given)) return new CheckedStore(given);
  const storage = ofGraph ? { token: graphToken } : given;
  const location = normalizeCloudPath(path);
  const headers = toHeaders(storage);
  if (!MIDDLEAUTH.test(location)) return openStore(location, { ...storage, http, allowAddress, headers });
  const address = location.replace(MIDDLEAUTH, '');
  return openStore(address, {
    http,
    allowAddress,
    headers: headers ?? (await middleauthHeaders(address, logger)),
  });
}

async function middleauthHeaders(
  address: string,
  logger: Logger,
): Promise<Record<string, string> | undefined> {
  if (!URL.canParse(address)) throw new PathError('BAD_PATH', `${redactUrl(address)} is not a URL`);
  const { origin, hostname, host } = new URL(address);
  const found = await findToken({ origin, hostname, host }, {}, (message) => logger.warn(message));
  return found && { authorization: `Bearer ${found.token}` };
}
