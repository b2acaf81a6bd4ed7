/** A place that a server names, as far as a server may: its data_dir, and where an info redirects to. */
import { PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { isLoopbackHost, isPublicAddress } from '../../base/public-address.ts';
import type { AddressPolicy } from '../../http/http-request.ts';
import { parseEndpointPath } from '../../storage/bucket-urls.ts';
import { STORE_SCHEMES, unknownSchemeText } from '../../storage/open-store.ts';
import type { Store } from '../../storage/store.ts';
import { normalizeCloudPath, isGraphPath } from './cloud-path.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import { toHeaders, MIDDLEAUTH, type BucketLocation } from './open-bucket.ts';

export interface NamingContext {
  /** Who names it how: `data_dir "…" came from https://…`; begins each message. */
  said: string;
  /** What a user who trusts it does: `pass it as dataDir`. */
  trust: string;
  /** Scheme, host and port that named it; undefined for files and memory. */
  origin: string | undefined;
  /** Addresses that it may have. */
  allowAddress: AddressPolicy;
  /** Whether the headers given, or a token for a bucket, were meant for Google's and Amazon's servers. */
  bucketHeaders: boolean;
  /** Whether the naming server itself gets a token. */
  hasToken?: boolean;
}

/** Whoever is on this machine or in its network may name places there; but never the machine's own metadata. */
export const allowedAddressesFrom = (hostname: string, address: string | undefined): AddressPolicy =>
  isLoopbackHost(hostname) || (address !== undefined && !isPublicAddress(address)) ? 'notMetadata' : 'public';

/** The same of a store that was read. */
export function allowedAddressesFromStore(store: Store): AddressPolicy {
  const { server } = store;
  return server ? allowedAddressesFrom(server.hostname, server.address) : 'notMetadata';
}

/** As it stands in the JSON, for messages. */
export const quotePath = (place: string): string => JSON.stringify(toPrintable(place));

/**
 * A server that names a host of its own choice must not be handed what was meant for the bucket, or for the server itself.
 * @throws PathError FORBIDDEN_ADDRESS, INSECURE_TOKEN.
 */
export function acceptNamedBucket(
  place: string,
  { said, trust, origin, allowAddress, bucketHeaders, hasToken }: NamingContext,
  storage: StorageOptions | undefined,
): BucketLocation {
  const path = normalizeCloudPath(place),
    address = path.replace(MIDDLEAUTH, ''),
    behindLogIn = address !== path;
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(address)?.[1];
  if (isGraphPath(path)) throw new PathError('BAD_PATH', `${said}, and that is a chunkedgraph, not a bucket`);
  const bucket = parseEndpointPath(address);
  if (bucket?.endpoint !== undefined)
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      `${said}, and a server may not name the server of a bucket, which would get your credentials; if you trust it, ${trust}`,
    );
  if (!bucket && scheme !== undefined && !(STORE_SCHEMES as readonly string[]).includes(`${scheme}://`))
    throw new PathError('FORBIDDEN_ADDRESS', `${said}: ${unknownSchemeText(scheme)}; then ${trust}`);
  const isRemote = /^(https?|gs|s3)[:+]/.test(address);
  if (origin !== undefined && !isRemote)
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      `${said}, and a server may not point at local files or memory; if you trust it, ${trust}`,
    );
  const isOwn = origin !== undefined && URL.canParse(address) && new URL(address).origin === origin;
  const meantForOthers = toHeaders(storage) !== undefined && (/^https?:/.test(address) || !bucketHeaders);
  if (isRemote && !isOwn && (meantForOthers || behindLogIn))
    throw new PathError(
      'INSECURE_TOKEN',
      `${said}: ${behindLogIn ? 'tokens' : 'bucket credentials'} are not sent to a host that a server names; if you trust it, ${trust}`,
    );
  const graphToken = behindLogIn && hasToken === true && toHeaders(storage) === undefined;
  return { path: address, allowAddress, graphToken };
}
