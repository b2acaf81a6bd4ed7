/**
 * Checks a bucket that a server names: the data_dir of a graph, or the target of a redirect. A server may not
 * point at local files or private addresses, nor direct the user's credentials to another host.
 */
import { PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { isLoopbackHost, isPublicAddress } from '../../base/public-address.ts';
import type { AddressPolicy } from '../../http/http-request.ts';
import { parseEndpointPath } from '../../storage/bucket-urls.ts';
import { STORE_SCHEMES, unknownSchemeText } from '../../storage/open-store.ts';
import type { Store } from '../../storage/store.ts';
import { normalizeCloudPath, isGraphPath } from './cloud-path.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import { isSpecText } from './kvstore-spec.ts';
import { toHeaders, MIDDLEAUTH, type BucketLocation } from './open-bucket.ts';

/** Who names a bucket, and what that server may name. */
export interface NamingContext {
  /** The beginning of each error message: `data_dir "…" came from https://…`. */
  claim: string;
  /** What a user who trusts the server can do: `pass it as dataDir`. */
  advice: string;
  /** Scheme, host and port of the naming server; undefined for files and memory. */
  origin: string | undefined;
  /** Addresses that the bucket's host may have. */
  allowAddress: AddressPolicy;
  /** Whether the headers or token in `storage` are meant for Google's and Amazon's servers. */
  bucketHeaders: boolean;
  /** Whether the naming server itself gets a token. */
  hasToken?: boolean;
}

/**
 * Returns the addresses that a server may name. A server on this machine or in its network may name others
 * there, but never the machine's metadata service.
 */
export const allowedAddressesFrom = (hostname: string, address: string | undefined): AddressPolicy =>
  isLoopbackHost(hostname) || (address !== undefined && !isPublicAddress(address)) ? 'notMetadata' : 'public';

/** As {@link allowedAddressesFrom}, for the server of a store. */
export function allowedAddressesFromStore(store: Store): AddressPolicy {
  const { server } = store;
  return server ? allowedAddressesFrom(server.hostname, server.address) : 'notMetadata';
}

/** Quotes a path for a message, as it is written in the JSON. */
export const quotePath = (place: string): string => JSON.stringify(toPrintable(place));

/**
 * Accepts a bucket that a server names, if that server may name it. The bucket's host must not get
 * credentials that were meant for another one.
 * @throws PathError FORBIDDEN_ADDRESS, INSECURE_TOKEN; BAD_PATH for a chunkedgraph.
 */
export function acceptNamedBucket(
  place: string,
  { claim, advice, origin, allowAddress, bucketHeaders, hasToken }: NamingContext,
  storage: StorageOptions | undefined,
): BucketLocation {
  const path = normalizeCloudPath(place),
    address = path.replace(MIDDLEAUTH, ''),
    isBehindLogIn = address !== path;
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(address)?.[1];
  if (isGraphPath(path))
    throw new PathError('BAD_PATH', `${claim}, which is a chunkedgraph and not a bucket`);
  if (isSpecText(path))
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      `${claim}; a server may not name several stores at once; if you trust it, ${advice}`,
    );
  const bucket = parseEndpointPath(address);
  if (bucket?.endpoint !== undefined)
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      `${claim}; a server may not name the endpoint of a bucket, which would get your credentials; if you trust it, ${advice}`,
    );
  if (!bucket && scheme !== undefined && !(STORE_SCHEMES as readonly string[]).includes(`${scheme}://`))
    throw new PathError('FORBIDDEN_ADDRESS', `${claim}: ${unknownSchemeText(scheme)}; then ${advice}`);
  const isRemote = /^(https?|gs|s3)[:+]/.test(address);
  if (origin !== undefined && !isRemote)
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      `${claim}; a server may not point at local files or memory; if you trust it, ${advice}`,
    );
  const isOwn = origin !== undefined && URL.canParse(address) && new URL(address).origin === origin;
  const hasForeignCredentials =
    toHeaders(storage) !== undefined && (/^https?:/.test(address) || !bucketHeaders);
  if (isRemote && !isOwn && (hasForeignCredentials || isBehindLogIn))
    throw new PathError(
      'INSECURE_TOKEN',
      `${claim}: ${isBehindLogIn ? 'tokens' : 'bucket credentials'} are not sent to a host that a server names; if you trust it, ${advice}`,
    );
  const graphToken = isBehindLogIn && hasToken === true && toHeaders(storage) === undefined;
  return { path: address, allowAddress, graphToken };
}
