/** Opens the store of a bucket, with the user's credentials or with the token of the graph server. */
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

/** Prefix of a bucket behind the log-in that chunkedgraph servers share, as Neuroglancer spells it. */
export const MIDDLEAUTH = /^middleauth\+(?=https?:\/\/)/i;

export const toHeaders = ({ headers, token }: StorageOptions = {}): Record<string, string> | undefined => {
  const all = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  return Object.keys(all).length > 0 ? all : undefined;
};

/**
 * Path of a bucket, and how it may be reached. It holds no credentials, and goes into a volume's description.
 */
export type BucketLocation = Pick<BucketDescription, 'path' | 'allowAddress' | 'graphToken'>;

export interface BucketCredentials {
  storage?: StorageOptions | Store;
  /** Token of the graph server, for a bucket behind the same log-in. */
  graphToken?: string;
  logger: Logger;
}

/**
 * Opens the store. A `middleauth+https://` path gets the storage token, else the token that a chunkedgraph on
 * that host would get.
 * @throws As `openStore` and `findToken`.
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
