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
import { parseKvPath } from './kv-path.ts';
import { plainPathsOf } from './kv-node.ts';
import { openKvStore } from './open-kvstore.ts';
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
 * that host would get. The manifest of an OCDBT database is read.
 * @throws As `openStore`, `findToken` and `openKvStore`; PathError INSECURE_TOKEN for one token or one set of
 *   headers for several hosts.
 */
export async function openBucket(
  { path, allowAddress, graphToken: ofGraph }: BucketLocation,
  http: HttpClient,
  { storage: given, graphToken, logger }: BucketCredentials,
): Promise<Store> {
  const node = parseKvPath(normalizeCloudPath(path));
  if (isStore(given)) {
    const own = new CheckedStore(given);
    return node.kind === 'plain' ? own : openKvStore(node, { open: () => Promise.resolve(own) });
  }
  const storage = ofGraph ? { token: graphToken } : given,
    headers = toHeaders(storage);
  const open = async (location: string): Promise<Store> => {
    if (!MIDDLEAUTH.test(location)) return openStore(location, { ...storage, http, allowAddress, headers });
    const address = location.replace(MIDDLEAUTH, '');
    return openStore(address, {
      http,
      allowAddress,
      headers: headers ?? (await middleauthHeaders(address, logger)),
    });
  };
  if (node.kind === 'plain') return open(node.path);
  if (headers) checkOneHost(plainPathsOf(node));
  return openKvStore(node, { open });
}

/** Checks that headers and tokens go to one host only. @throws PathError INSECURE_TOKEN. */
function checkOneHost(paths: readonly string[]): void {
  const hosts = new Set(
    paths.map((path) => /^(?:https?|middleauth\+https?):\/\/[^/]*|^[^/:]*:?/i.exec(path)?.[0]),
  );
  if (hosts.size > 1)
    throw new PathError(
      'INSECURE_TOKEN',
      'a token or headers were given for a volume that is stored at several hosts: they would be sent to all of them',
    );
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
