/**
 * Which hosts a request may connect to. An address that a server gave is checked more strictly than one the
 * user named.
 */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { PathError } from '../base/errors.ts';
import { isLoopbackHost, isMetadataHost, isPublicAddress } from '../base/public-address.ts';

/**
 * Which addresses a request may connect to.
 * - `any`: every address. For hosts that the user named.
 * - `public`: no loopback, private or other special address.
 * - `notMetadata`: no link-local address and no metadata server of a cloud.
 */
export type AddressPolicy = 'any' | 'public' | 'notMetadata';
/** The policies that refuse some addresses. */
export type AddressRestriction = Exclude<AddressPolicy, 'any'>;

const REFUSAL_TEXTS: Record<AddressRestriction, string> = {
  public:
    'is not, or does not resolve to, a public address; this location came from a server, so it may not be read',
  notMetadata:
    "is, or resolves to, a link-local address or a cloud's metadata server; a redirect may not lead there",
};

/** Makes the error for a host that a policy refuses. */
export const forbiddenAddressError = (hostname: string, allowed: AddressRestriction): PathError =>
  new PathError('FORBIDDEN_ADDRESS', `${hostname} ${REFUSAL_TEXTS[allowed]}`);

const IS_ALLOWED: Record<AddressRestriction, (host: string) => boolean> = {
  public: isPublicAddress,
  notMetadata: (address) => !isMetadataHost(address),
};

/**
 * Checks a host as it is written. A name is checked again when it is resolved; see {@link restrictedLookup}.
 * @throws PathError FORBIDDEN_ADDRESS
 */
export function checkHostAllowed(hostname: string, allowed: AddressRestriction): void {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isRefused =
    isMetadataHost(host) ||
    (allowed === 'public' && isLoopbackHost(host)) ||
    (isIP(host) !== 0 && !IS_ALLOWED[allowed](host));
  if (isRefused) throw forbiddenAddressError(hostname, allowed);
}

/**
 * Makes a `dns.lookup` that fails unless every address of the name is allowed. The socket connects to exactly
 * the addresses that were checked.
 */
export const restrictedLookup =
  (allowed: AddressRestriction): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      const addresses =
        typeof address === 'string'
          ? [address]
          : ((address as unknown as { address: string }[] | undefined) ?? []).map((a) => a.address);
      const refused =
        error ?? (addresses.every(IS_ALLOWED[allowed]) ? null : forbiddenAddressError(hostname, allowed));
      callback(refused, address, family);
    });
  };
