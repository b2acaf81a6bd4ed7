import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { PathError } from '../base/errors.ts';
import { isLoopbackHost, isMetadataHost, isPublicAddress } from '../base/public-address.ts';

/**
 * `any` is what the user named. `public`: connections to this machine, private networks and other special addresses are refused.
 * `notMetadata`: those to link-local addresses and to a cloud's metadata are.
 */
export type AddressPolicy = 'any' | 'public' | 'notMetadata';
export type AddressRestriction = Exclude<AddressPolicy, 'any'>;

const WORDS: Record<AddressRestriction, string> = {
  public:
    'is not, or does not resolve to, a public address; this location came from a server, so it may not be read',
  notMetadata:
    "is, or resolves to, a link-local address or a cloud's metadata; a server may not send anybody there",
};

export const forbiddenAddressError = (hostname: string, allowed: AddressRestriction): PathError =>
  new PathError('FORBIDDEN_ADDRESS', `${hostname} ${WORDS[allowed]}`);

const ALLOWS: Record<AddressRestriction, (host: string) => boolean> = {
  public: isPublicAddress,
  notMetadata: (address) => !isMetadataHost(address),
};

/**
 * Refuses a host that is not allowed as it stands; names are judged when they are resolved ({@link restrictedLookup}).
 * @throws PathError FORBIDDEN_ADDRESS
 */
export function checkHostAllowed(hostname: string, allowed: AddressRestriction): void {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isRefused =
    isMetadataHost(host) ||
    (allowed === 'public' && isLoopbackHost(host)) ||
    (isIP(host) !== 0 && !ALLOWS[allowed](host));
  if (isRefused) throw forbiddenAddressError(hostname, allowed);
}

/** `dns.lookup` that fails unless every address is allowed, so that what was checked is what is connected to. */
export const restrictedLookup =
  (allowed: AddressRestriction): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      const addresses =
        typeof address === 'string'
          ? [address]
          : ((address as unknown as { address: string }[] | undefined) ?? []).map((a) => a.address);
      const refused =
        error ?? (addresses.every(ALLOWS[allowed]) ? null : forbiddenAddressError(hostname, allowed));
      callback(refused, address, family);
    });
  };
